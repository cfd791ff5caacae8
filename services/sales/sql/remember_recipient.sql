-- Puts what is printed of an account of tenant $1 into the projection, where that is news.
insert into recipient (tenant_id, id, revision, recipient)
values ($1, $2, $3, $4)
on conflict (tenant_id, id) do update
set revision = excluded.revision, recipient = excluded.recipient
where recipient.revision < excluded.revision
