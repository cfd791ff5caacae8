-- Invoices of quotes are heard of before there is an order, too: their lines wait for it.
alter table billed_line add column quote uuid;
alter table billed_line add constraint billed_line_quote_fkey
  foreign key (tenant_id, quote) references quote (tenant_id, id) not valid;
alter table billed_line drop constraint billed_line_order_line_check;
alter table billed_line add constraint billed_line_order_line_check
  check ((order_line is null) = (order_id is null and quote is null)) not valid;
comment on column billed_line.order_id is
  'Null while only a credit note of the line was heard of or the quote has no order, and for good if its invoice is of no order.';
comment on column billed_line.quote is 'The quote that its invoice was made from, where it was one.';

create index if not exists billed_line_quote_idx on billed_line (tenant_id, quote) where quote is not null;
-- The next version of a quote is the one after the last of its root, deleted ones included.
create index if not exists quote_root_idx on quote (tenant_id, root, version);
