-- What is in kits that were sold: of an order as the catalogue had it when it was confirmed, and of a delivery note as its order keeps
-- it. A column of its own, and no part of document and lines: a program of before writes these anew without what it does not know,
-- which the guards would refuse of what is confirmed or issued; this column it leaves as it is.
-- Delivery notes come before their orders, as everybody locks them.
alter table delivery_note add column kits jsonb not null default '[]';
alter table delivery_note add constraint delivery_note_kits_check check (jsonb_typeof(kits) = 'array') not valid;
comment on column delivery_note.kits is
  'What is in one of each kit among the lines, as in sales_order.kits; the guard keeps it once it is issued.';

alter table sales_order add column kits jsonb;
alter table sales_order add constraint sales_order_kits_check check (jsonb_typeof(kits) = 'array') not valid;
comment on column sales_order.kits is
  'What is in one of each kit, [{product, parts: [{product, description, unit_code, factor}]}]; parts is null where they are too many.
Null of a draft, and of an order that was confirmed before this was kept: delivery notes ask the catalogue then.';

-- As it was, and the kits: given once, when the order is confirmed.
create or replace function sales_order_guard() returns trigger language plpgsql as $$
begin
  if old.state <> 'DRAFT' and (
    new.account, new.document, new.customer_po, new.bill_to, new.ship_to, new.requested_date, new.promised_date,
    new.invoicing_policy, new.undelivered_lines, new.quote, new.number, new.order_date, new.kits
  ) is distinct from (
    old.account, old.document, old.customer_po, old.bill_to, old.ship_to, old.requested_date, old.promised_date,
    old.invoicing_policy, old.undelivered_lines, old.quote, old.number, old.order_date, old.kits
  ) then
    raise exception using errcode = '23514', constraint = 'sales_order_immutable',
      message = 'what was agreed on does not change';
  end if;
  return new;
end $$;
