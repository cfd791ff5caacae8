-- Puts a tax code of tenant $1 into the projection, where that is news.
insert into tax_code (
  tenant_id, id, revision, delete_time, code, tax, category, rates, inclusive_allowed, legal_note
)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
on conflict (tenant_id, id) do update
set
  revision = excluded.revision,
  delete_time = excluded.delete_time,
  code = excluded.code,
  tax = excluded.tax,
  category = excluded.category,
  rates = excluded.rates,
  inclusive_allowed = excluded.inclusive_allowed,
  legal_note = excluded.legal_note
where tax_code.revision < excluded.revision
