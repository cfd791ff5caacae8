-- What is reserved for the orders of account $2 at $3, less what is invoiced and not credited of them, of their quotes and of
-- their delivery notes, by currency?
select reservation.currency_code,
  sum(greatest(reservation.amount - coalesce((
    select sum(invoice.gross - invoice.credited)
    from (
      select reservation.order_name as name
      union all
      select reservation.quote where reservation.quote <> ''
      union all
      select delivery_note.document
      from delivery_note
      where delivery_note.tenant_id = reservation.tenant_id and delivery_note.order_name = reservation.order_name
    ) as source
    join invoice on invoice.tenant_id = reservation.tenant_id and invoice.source_document = source.name
      and invoice.source_document <> ''
    where invoice.account = reservation.account and invoice.currency_code = reservation.currency_code
      and invoice.state in ('ISSUED', 'SENT')
  ), 0), 0))::bigint
from credit_reservation reservation
where reservation.tenant_id = $1 and reservation.account = $2 and reservation.state = 'OPEN'
  and (reservation.expire_time is null or reservation.expire_time > $3)
group by reservation.currency_code
