-- Whether something of an order may be invoiced: of one that is partly invoiced, its status does not say so. Orders of before are
-- taken to wait until they change next.
alter table sales_order add column awaits_invoice boolean not null default true;
comment on column sales_order.awaits_invoice is 'Something of a line or a charge may be invoiced.';
