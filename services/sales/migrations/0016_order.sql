-- Orders, each with its document and its quantities in the same row; and the quantities once more, line by line.
create table sales_order (
  like platform.resource including defaults including constraints,
  owner text collate "C",
  team uuid,
  account uuid not null,
  document jsonb not null,
  gross bigint not null,
  currency text collate "C" not null,
  customer_po text collate "C" not null,
  bill_to jsonb,
  ship_to jsonb,
  requested_date date,
  promised_date date,
  invoicing_policy text collate "C" not null,
  undelivered_lines jsonb not null,
  quote uuid,
  state text collate "C" not null,
  hold_reason text collate "C",
  hold_note text not null,
  hold_time timestamptz,
  released_percent numeric(9, 6) not null,
  number_series uuid,
  number text collate "C",
  order_date date,
  ledger jsonb not null,
  delivery_status text collate "C" not null,
  invoice_status text collate "C" not null,
  next_promised_date date,
  end_time timestamptz,
  cancel_reason text not null,
  constraint sales_order_quote_fkey foreign key (tenant_id, quote) references quote (tenant_id, id),
  constraint sales_order_number_series_fkey foreign key (tenant_id, number_series) references number_series (tenant_id, id),
  constraint sales_order_document_check check (jsonb_typeof(document) = 'object'),
  constraint sales_order_ledger_check check (jsonb_typeof(ledger) = 'array'),
  constraint sales_order_invoicing_policy_check check (
    invoicing_policy in ('ORDERED', 'DELIVERED', 'MILESTONE', 'PREPAID')
  ),
  constraint sales_order_state_check check (
    state in ('DRAFT', 'CONFIRMED', 'IN_FULFILMENT', 'FULFILLED', 'CLOSED', 'CANCELLED')
  ),
  constraint sales_order_number_check check (
    (state = 'DRAFT') <= (number is null) and (state in ('DRAFT', 'CANCELLED') or number is not null)
    and (number is null) = (number_series is null) and (number is null) = (order_date is null)
    and (number is null) = (jsonb_array_length(ledger) = 0)
  ),
  constraint sales_order_delete_time_check check (delete_time is null or state = 'DRAFT'),
  constraint sales_order_hold_check check (
    (hold_reason is null) = (hold_time is null) and hold_reason in ('CREDIT', 'FRAUD', 'MANUAL')
  ),
  constraint sales_order_released_percent_check check (released_percent between 0 and 100),
  constraint sales_order_end_time_check check ((state in ('CLOSED', 'CANCELLED')) = (end_time is not null))
);
comment on table sales_order is 'What customers have ordered. Once confirmed, what is ordered does not change.';
comment on column sales_order.account is 'In customers; checked before the write, by the projection or by a call.';
comment on column sales_order.document is 'Lines, discounts, charges and terms, with what they cost.';
comment on column sales_order.gross is 'Total with tax, in the minor unit of currency.';
comment on column sales_order.undelivered_lines is 'Keys of lines that nobody delivers.';
comment on column sales_order.ledger is 'Quantities of each line; order_line has them once more.';
comment on column sales_order.delivery_status is 'By the quantities.';
comment on column sales_order.invoice_status is 'By the quantities.';
comment on column sales_order.next_promised_date is 'The next day on which a promise would be broken.';
select platform.adopt_resource('sales_order');
-- The job that finds broken promises looks over all tenants.
select platform.admit_system('sales_order', 'select');

create unique index sales_order_quote_key on sales_order (tenant_id, quote)
  where quote is not null and delete_time is null;
create unique index sales_order_number_key on sales_order (tenant_id, number)
  where number is not null and delete_time is null;
create index sales_order_owner_idx on sales_order (tenant_id, owner, id);
create index sales_order_team_idx on sales_order (tenant_id, team, id);
create index sales_order_account_idx on sales_order (tenant_id, account, id);
create index sales_order_create_time_idx on sales_order (tenant_id, create_time, id);
create index sales_order_update_time_idx on sales_order (tenant_id, update_time, id);
create index sales_order_gross_idx on sales_order (tenant_id, gross, id);
create index sales_order_state_idx on sales_order (tenant_id, state, id);
create index sales_order_delivery_status_idx on sales_order (tenant_id, delivery_status, id);
create index sales_order_invoice_status_idx on sales_order (tenant_id, invoice_status, id);
create index sales_order_order_date_idx on sales_order (tenant_id, order_date, id);
create index sales_order_next_promised_date_idx on sales_order (tenant_id, next_promised_date, id);
create index sales_order_due_idx on sales_order (next_promised_date) where next_promised_date is not null;

create table order_line (
  tenant_id uuid not null,
  order_id uuid not null,
  line_key text collate "C" not null,
  ordered numeric(18, 6) not null,
  cancelled numeric(18, 6) not null,
  delivered numeric(18, 6) not null,
  arrived numeric(18, 6) not null,
  returned numeric(18, 6) not null,
  invoiced numeric(18, 6) not null,
  credited numeric(18, 6) not null,
  constraint order_line_pkey primary key (tenant_id, order_id, line_key),
  constraint order_line_order_id_fkey foreign key (tenant_id, order_id) references sales_order (tenant_id, id),
  constraint order_line_ordered_check check (ordered > 0),
  constraint order_line_cancelled_check check (cancelled between 0 and ordered),
  constraint order_line_returned_check check (returned >= 0 and returned <= arrived and arrived <= delivered),
  constraint order_line_delivered_check check (delivered - returned <= ordered - cancelled),
  constraint order_line_billed_check check (invoiced >= 0 and credited >= 0)
);
comment on table order_line is 'Quantities of the lines of orders, under constraints; written by a trigger of sales_order.';
comment on column order_line.arrived is 'How much of delivered has reached the customer.';
comment on column order_line.invoiced is 'By billing: recorded, whatever it is.';
select platform.adopt('order_line');

-- Keeps order_line as the order says. A line that has quantities keeps what was ordered of it, and is never taken out.
create function sales_order_quantities() returns trigger language plpgsql as $$
begin
  if tg_op = 'UPDATE' and new.ledger is not distinct from old.ledger then
    return null;
  end if;
  insert into order_line (
    tenant_id, order_id, line_key, ordered, cancelled, delivered, arrived, returned, invoiced, credited
  )
  select new.tenant_id, new.id, entry.line, entry.ordered, entry.cancelled, entry.delivered, entry.arrived,
    entry.returned, entry.invoiced, entry.credited
  from jsonb_to_recordset(new.ledger) as entry (
    line text, ordered numeric, cancelled numeric, delivered numeric, arrived numeric, returned numeric,
    invoiced numeric, credited numeric
  )
  on conflict (tenant_id, order_id, line_key) do update set
    cancelled = excluded.cancelled, delivered = excluded.delivered, arrived = excluded.arrived,
    returned = excluded.returned, invoiced = excluded.invoiced, credited = excluded.credited
  where order_line.ordered = excluded.ordered;
  if (
    select count(*) from order_line
    where order_line.tenant_id = new.tenant_id and order_line.order_id = new.id
  ) <> jsonb_array_length(new.ledger) or exists (
    select from order_line
    join jsonb_to_recordset(new.ledger) as entry (line text, ordered numeric) on entry.line = order_line.line_key
    where order_line.tenant_id = new.tenant_id and order_line.order_id = new.id
      and order_line.ordered <> entry.ordered
  ) then
    raise exception using errcode = '23514', constraint = 'sales_order_quantities',
      message = 'what is ordered does not change once it is confirmed';
  end if;
  return null;
end $$;
create trigger sales_order_quantities after insert or update on sales_order
  for each row execute function sales_order_quantities();

-- What was agreed on stays as it is, whoever writes.
create function sales_order_guard() returns trigger language plpgsql as $$
begin
  if old.state <> 'DRAFT' and (
    new.account, new.document, new.customer_po, new.bill_to, new.ship_to, new.requested_date, new.promised_date,
    new.invoicing_policy, new.undelivered_lines, new.quote, new.number, new.order_date
  ) is distinct from (
    old.account, old.document, old.customer_po, old.bill_to, old.ship_to, old.requested_date, old.promised_date,
    old.invoicing_policy, old.undelivered_lines, old.quote, old.number, old.order_date
  ) then
    raise exception using errcode = '23514', constraint = 'sales_order_immutable',
      message = 'what was agreed on does not change';
  end if;
  return new;
end $$;
create trigger sales_order_guard before update on sales_order for each row execute function sales_order_guard();
