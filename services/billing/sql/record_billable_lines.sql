-- What may be invoiced of lines $3 of documents $2: $4, where that is news by the documents' revisions $7; the same quantities
-- count for lines $6 of documents $5 as well.
insert into billable_line (tenant_id, document, line, basis, parent_document, parent_line, revision)
select $1, given.document, given.line, given.basis, given.parent_document, given.parent_line, given.revision
from unnest($2::text[], $3::text[], $4::numeric[], $5::text[], $6::text[], $7::bigint[])
  as given (document, line, basis, parent_document, parent_line, revision)
on conflict (tenant_id, document, line) do update set basis = excluded.basis, revision = excluded.revision
where billable_line.revision < excluded.revision
