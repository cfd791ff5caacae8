-- What is open of those of the invoices $2 that are still open; locked in one order.
select invoice.id, invoice.open
from invoice
where invoice.tenant_id = $1 and invoice.id = any($2) and invoice.delete_time is null and invoice.open > 0
order by invoice.id
for update
