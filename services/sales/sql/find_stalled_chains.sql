-- What stands still of tenant $1, or of all tenants where it is null: documents that have not changed since $2, with one part
-- for each thing that is waited for; today is $3. A document that waits for two things stands in two parts. chain/store.rs takes
-- the parts by themselves, so that each reads no more than a page.
select 'ORDER'::text collate "C" as waiting_for, r.tenant_id, r.id, 'quotes/' || r.id as document, r.update_time as since,
  r.owner, r.team, r.account, r.id as quote, null::uuid as order_id
from quote r
where ($1::uuid is null or r.tenant_id = $1)
  and r.update_time < $2::timestamptz
  and r.state = 'ACCEPTED'
  and not exists (
    select from sales_order
    where sales_order.tenant_id = r.tenant_id and sales_order.quote = r.id and sales_order.delete_time is null
  )
  and not exists (
    select from billed_line
    where billed_line.tenant_id = r.tenant_id and billed_line.quote = r.id and billed_line.invoiced > 0
  )
union all
select 'CONFIRMATION', r.tenant_id, r.id, 'orders/' || r.id, r.update_time, r.owner, r.team, r.account, r.quote, r.id
from sales_order r
where ($1 is null or r.tenant_id = $1)
  and r.update_time < $2
  and r.state = 'DRAFT'
  and r.delete_time is null
  and r.hold_reason is null
union all
select 'RELEASE', r.tenant_id, r.id, 'orders/' || r.id, r.update_time, r.owner, r.team, r.account, r.quote, r.id
from sales_order r
where ($1 is null or r.tenant_id = $1)
  and r.update_time < $2
  and r.hold_reason is not null
  and r.delete_time is null
union all
-- What is promised for a day to come is not late, and a draft of a delivery note that was just written is a beginning. What
-- came back waits for the return to be settled.
select 'DELIVERY', r.tenant_id, r.id, 'orders/' || r.id, r.update_time, r.owner, r.team, r.account, r.quote, r.id
from sales_order r
where ($1 is null or r.tenant_id = $1)
  and r.update_time < $2
  and r.state in ('CONFIRMED', 'IN_FULFILMENT')
  and r.delete_time is null
  and r.hold_reason is null
  and exists (
    select from jsonb_to_recordset(r.ledger) as line (
      deliverable boolean, promised_date date, ordered numeric, cancelled numeric, delivered numeric, returned numeric
    )
    where line.deliverable
      and line.ordered - line.cancelled > line.delivered - line.returned
      and (line.promised_date is null or line.promised_date < $3::date)
  )
  and not exists (
    select from delivery_note
    where delivery_note.tenant_id = r.tenant_id and delivery_note.order_id = r.id and delivery_note.delete_time is null
      and (
        delivery_note.state in ('ISSUED', 'DISPATCHED')
        or (delivery_note.state = 'DRAFT' and delivery_note.update_time >= $2)
      )
  )
  and not exists (
    select from sales_return
    where sales_return.tenant_id = r.tenant_id and sales_return.order_id = r.id
      and sales_return.state in ('RECEIVED', 'INSPECTED')
  )
union all
select 'PROOF', r.tenant_id, r.id, 'deliveryNotes/' || r.id, r.update_time, r.owner, r.team, r.account, null::uuid, r.order_id
from delivery_note r
where ($1 is null or r.tenant_id = $1)
  and r.update_time < $2
  and r.state in ('ISSUED', 'DISPATCHED')
union all
select 'INVOICE', r.tenant_id, r.id, 'orders/' || r.id, r.update_time, r.owner, r.team, r.account, r.quote, r.id
from sales_order r
where ($1 is null or r.tenant_id = $1)
  and r.update_time < $2
  and r.invoice_status in ('TO_INVOICE', 'PARTLY_INVOICED')
  and r.delete_time is null
  and r.awaits_invoice
union all
-- What came back is credited once it is settled: until then it may be replaced, or go to the customer again.
select 'CREDIT', r.tenant_id, r.id, 'orders/' || r.id, r.update_time, r.owner, r.team, r.account, r.quote, r.id
from sales_order r
where ($1 is null or r.tenant_id = $1)
  and r.update_time < $2
  and r.invoice_status = 'TO_CREDIT'
  and r.delete_time is null
  and not exists (
    select from sales_return
    where sales_return.tenant_id = r.tenant_id and sales_return.order_id = r.id
      and sales_return.state in ('RECEIVED', 'INSPECTED')
  )
union all
select 'SETTLEMENT', r.tenant_id, r.id, 'salesReturns/' || r.id, r.update_time, r.owner, r.team, r.account, null::uuid, r.order_id
from sales_return r
where ($1 is null or r.tenant_id = $1)
  and r.update_time < $2
  and r.state in ('RECEIVED', 'INSPECTED')
union all
select 'AUTHORISATION', r.tenant_id, r.id, 'salesReturns/' || r.id, r.update_time, r.owner, r.team, r.account, null::uuid, r.order_id
from sales_return r
where ($1 is null or r.tenant_id = $1)
  and r.update_time < $2
  and r.state = 'REQUESTED'
  and r.delete_time is null
union all
select 'ARRIVAL', r.tenant_id, r.id, 'salesReturns/' || r.id, r.update_time, r.owner, r.team, r.account, null::uuid, r.order_id
from sales_return r
where ($1 is null or r.tenant_id = $1)
  and r.update_time < $2
  and r.state = 'AUTHORISED'
  and r.delete_time is null
