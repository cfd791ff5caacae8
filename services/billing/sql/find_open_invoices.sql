-- The open invoices of legal entity $2 with one of the numbers $3, and at most $6 of each of the amounts $4 open in the currencies
-- $5; of the latter, how many of the amount are here.
with named as (
  select invoice.id, invoice.number, invoice.account, invoice.bill_to, invoice.currency_code, invoice.open
  from invoice
  where invoice.tenant_id = $1 and invoice.legal_entity = $2 and invoice.number = any($3) and invoice.delete_time is null
    and invoice.open > 0
), alike as (
  select found.*, count(*) over (partition by found.open, found.currency_code) as alike
  from unnest($4::bigint[], $5::text[]) as asked (open, currency_code)
  cross join lateral (
    select invoice.id, invoice.number, invoice.account, invoice.bill_to, invoice.currency_code, invoice.open
    from invoice
    where invoice.tenant_id = $1 and invoice.legal_entity = $2 and invoice.open = asked.open and invoice.open > 0
      and invoice.currency_code = asked.currency_code and invoice.delete_time is null
    limit $6
  ) as found
)
select alike.id, coalesce(alike.number, ''), alike.account, alike.bill_to ->> 'display_name', alike.currency_code, alike.open, alike.alike
from alike
union all
select named.id, named.number, named.account, named.bill_to ->> 'display_name', named.currency_code, named.open, 0
from named
where named.id not in (select alike.id from alike)
