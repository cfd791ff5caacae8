-- What an invoice takes over from what was sold: how it was rounded, and the numbers by which others know it.
alter table invoice add column agreed_tax_rounding text collate "C";
alter table invoice add column smallest_payment bigint;
alter table invoice add column numbers jsonb not null default '{}';
alter table invoice add constraint invoice_agreed_tax_rounding_check
  check (agreed_tax_rounding in ('GROUP', 'LINE')) not valid;
alter table invoice validate constraint invoice_agreed_tax_rounding_check;
alter table invoice add constraint invoice_smallest_payment_check check (smallest_payment > 0) not valid;
alter table invoice validate constraint invoice_smallest_payment_check;
comment on column invoice.agreed_tax_rounding is
  'How its taxes are to be rounded; as its legal entity says, where null. How they were is tax_rounding.';
comment on column invoice.smallest_payment is
  'What is due is rounded to a multiple of it, in the minor unit of the currency; not at all where null.';
comment on column invoice.numbers is
  '{buyer_reference, purchase_order, sales_order, delivery_note}; what is empty is left out.';
