-- What reservations know of their orders, and which order a delivery note is of: what is invoiced of either, or of the quote an
-- order came of, is not reserved any more.
alter table credit_reservation add column quote text collate "C" not null default '';
alter table credit_reservation add column order_revision bigint not null default 0;
alter table credit_reservation add column ended_with_order boolean not null default false;
comment on column credit_reservation.quote is 'The quote the order came of; in sales. Empty when there is none.';
comment on column credit_reservation.order_revision is
  'Revision of the order that last changed it since it is confirmed; 0 before. An older one changes nothing.';
comment on column credit_reservation.ended_with_order is
  'Released because the order ended, and opened again when the order goes on; false where it was released by hand.';

create table delivery_note (
  tenant_id uuid not null,
  document text collate "C" not null,
  order_name text collate "C" not null,
  constraint delivery_note_pkey primary key (tenant_id, document)
);
comment on table delivery_note is
  'Orders of delivery notes: a projection of trato.sales.v1.delivery_note.issued and of what sales answers when one is invoiced.';
comment on column delivery_note.document is 'The delivery note; in sales. Its order never changes.';
select platform.adopt('delivery_note', 'select, insert, delete');

create index delivery_note_order_name_idx on delivery_note (tenant_id, order_name, document);
