-- What billing invoiced and credited of orders, line by line of its invoices.
create table billed_line (
  tenant_id uuid not null,
  invoice uuid not null,
  line text collate "C" not null,
  order_id uuid,
  order_line text collate "C",
  invoiced numeric(18, 6) not null,
  credited numeric not null,
  constraint billed_line_pkey primary key (tenant_id, invoice, line),
  constraint billed_line_order_id_fkey foreign key (tenant_id, order_id) references sales_order (tenant_id, id),
  constraint billed_line_order_line_check check ((order_id is null) = (order_line is null)),
  constraint billed_line_invoiced_check check (invoiced >= 0)
);
comment on table billed_line is 'Lines of invoices that name lines of orders, as billing told; quantities of orders are their sums.';
comment on column billed_line.order_id is 'Null while only a credit note of the line was heard of, and for good if its invoice is of no order.';
comment on column billed_line.invoiced is 'Nothing once the invoice is void.';
select platform.adopt('billed_line');

create index billed_line_order_id_idx on billed_line (tenant_id, order_id, order_line) where order_id is not null;
