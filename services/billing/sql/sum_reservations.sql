-- What is reserved for the orders of account $2 at $3, less what of them is invoiced, by currency?
select reservation.currency_code,
  sum(greatest(reservation.amount - coalesce((
    select sum(invoice.gross)
    from invoice
    where invoice.tenant_id = reservation.tenant_id and invoice.source_document = reservation.order_name
      and invoice.account = reservation.account and invoice.currency_code = reservation.currency_code
      and invoice.state in ('ISSUED', 'SENT')
  ), 0), 0))::bigint
from credit_reservation reservation
where reservation.tenant_id = $1 and reservation.account = $2 and reservation.state = 'OPEN'
  and (reservation.expire_time is null or reservation.expire_time > $3)
group by reservation.currency_code
