-- What is reserved for the orders of account $2 at $3, less what is invoiced and not credited of them, of their quotes and of
-- their delivery notes, by currency: what is not delivered, and what is. What is invoiced is taken off what is delivered first.
-- Invoices are found by what they are of: `is not distinct from` keeps the planner from reading, for each reservation, all that the
-- account was ever invoiced, of which it expects next to nothing, since it takes tenant and account for independent.
with reserved as materialized (
  select reservation.currency_code, reservation.amount,
    least(coalesce(reservation.delivered, reservation.amount), reservation.amount) as delivered,
    coalesce((
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
      where invoice.account is not distinct from reservation.account and invoice.currency_code = reservation.currency_code
        and invoice.state in ('ISSUED', 'SENT')
    ), 0) as invoiced
  from credit_reservation reservation
  where reservation.tenant_id = $1 and reservation.account = $2 and reservation.state = 'OPEN'
    and (reservation.expire_time is null or reservation.expire_time > $3)
)
select reserved.currency_code,
  sum(greatest(reserved.amount - reserved.invoiced, 0) - greatest(reserved.delivered - reserved.invoiced, 0))::bigint,
  sum(greatest(reserved.delivered - reserved.invoiced, 0))::bigint
from reserved
group by reserved.currency_code
