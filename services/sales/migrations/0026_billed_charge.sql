-- What billing did with charges of the whole, such as freight: an order is invoiced when they are, too.
alter table sales_order add column billed_charges jsonb not null default '[]';
alter table sales_order add constraint sales_order_billed_charges_check
  check (jsonb_typeof(billed_charges) = 'array') not valid;
comment on column sales_order.billed_charges is
  'What billing did with charges of the document, [{charge, invoiced, credited}]; those with which it did nothing are left out.';
comment on column sales_order.invoice_status is
  'By the quantities and the charges. Of an order that was confirmed before charges counted, since its next change.';
