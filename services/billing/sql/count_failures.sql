-- How many invoices of account $2 are overdue on day $3, how many were given up, and how many payments were charged back?
select
  (select count(*) from invoice
   where invoice.tenant_id = $1 and invoice.account = $2 and invoice.open > 0 and invoice.due_date < $3),
  (select count(*) from invoice
   where invoice.tenant_id = $1 and invoice.account = $2 and invoice.written_off > 0),
  (select count(*) from payment
   where payment.tenant_id = $1 and payment.account = $2 and payment.state = 'CHARGED_BACK')
