-- How long does account $2 take to pay, as far as was known on day $3?
with paid as (
  select payment.date, invoice.issue_date, invoice.due_date, sum(allocation.amount) as amount
  from payment
  join allocation on allocation.tenant_id = payment.tenant_id and allocation.payment = payment.id
    and allocation.date <= $3
  join invoice on invoice.tenant_id = allocation.tenant_id and invoice.id = allocation.invoice
  where payment.tenant_id = $1 and payment.account = $2
  group by payment.tenant_id, payment.id, invoice.id, invoice.issue_date, invoice.due_date
  having sum(allocation.amount) > 0
)
select count(*), count(*) filter (where date > due_date),
  coalesce(round(sum(amount * greatest(date - issue_date, 0)) * 100 / sum(amount)), 0)::bigint,
  coalesce(round(sum(amount * (date - due_date)) * 100 / sum(amount)), 0)::bigint
from paid
