-- The open invoices of legal entity $2 with one of the numbers $3, or one of the amounts $4 open; locked in one order.
select invoice.id, invoice.number, invoice.account, invoice.bill_to ->> 'display_name', invoice.currency_code,
  invoice.open
from invoice
where invoice.tenant_id = $1 and invoice.legal_entity = $2 and invoice.open > 0
  and (invoice.number = any($3) or invoice.open = any($4))
order by invoice.id
limit 20000
for update
