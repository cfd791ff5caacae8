-- Notes that dunning is brought to the days $3 in the books $2; a later day stays. Books that are there already are not written, so
-- that all runs of a day but the first wait for nobody.
insert into dunning_run as run (tenant_id, legal_entity, as_of)
select $1, book.legal_entity, book.as_of
from unnest($2::uuid[], $3::date[]) as book (legal_entity, as_of)
where not exists (
  select from dunning_run known
  where known.tenant_id = $1 and known.legal_entity = book.legal_entity and known.as_of >= book.as_of
)
order by book.legal_entity
on conflict (tenant_id, legal_entity) do update set as_of = excluded.as_of where run.as_of < excluded.as_of
