-- Chains from quote to cash that stand still are found by what is not done yet, the oldest first: each index holds only that.
create index if not exists quote_accepted_idx on quote (tenant_id, update_time, id) where state = 'ACCEPTED';
create index if not exists sales_order_open_idx on sales_order (tenant_id, update_time, id)
  where state in ('DRAFT', 'CONFIRMED', 'IN_FULFILMENT') and delete_time is null;
create index if not exists sales_order_held_idx on sales_order (tenant_id, update_time, id)
  where hold_reason is not null and delete_time is null;
create index if not exists sales_order_unbilled_idx on sales_order (tenant_id, update_time, id)
  where invoice_status in ('TO_INVOICE', 'PARTLY_INVOICED', 'TO_CREDIT') and delete_time is null;
create index if not exists delivery_note_under_way_idx on delivery_note (tenant_id, update_time, id)
  where state in ('ISSUED', 'DISPATCHED');
create index if not exists sales_return_unsettled_idx on sales_return (tenant_id, update_time, id)
  where state in ('RECEIVED', 'INSPECTED');

-- The job that counts them looks over all tenants.
select platform.admit_system('delivery_note', 'select');
select platform.admit_system('sales_return', 'select');
select platform.admit_system('billed_line', 'select');
