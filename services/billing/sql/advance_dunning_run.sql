-- Notes that dunning is brought to the days $3 in the books $2; a later day stays.
insert into dunning_run as run (tenant_id, legal_entity, as_of)
select $1, legal_entity, as_of from unnest($2::uuid[], $3::date[]) as book (legal_entity, as_of)
order by legal_entity
on conflict (tenant_id, legal_entity) do update set as_of = excluded.as_of where run.as_of < excluded.as_of
