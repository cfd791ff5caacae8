-- Credit reservations: what of an account's limit is kept for its orders.
create table credit_reservation (
  like platform.resource including defaults including constraints,
  order_name text collate "C" not null,
  account uuid not null,
  amount bigint not null,
  currency_code text collate "C" not null,
  state text collate "C" not null,
  expire_time timestamptz,
  constraint credit_reservation_amount_check check (amount > 0),
  constraint credit_reservation_state_check check (state in ('OPEN', 'RELEASED')),
  constraint credit_reservation_delete_time_check check (delete_time is null)
);
comment on table credit_reservation is 'What of limits is kept for orders; one for each order, whoever asks and how often.';
comment on column credit_reservation.order_name is 'In sales.';
comment on column credit_reservation.amount is 'In the minor unit of the currency.';
select platform.adopt_resource('credit_reservation');

create unique index credit_reservation_order_key on credit_reservation (tenant_id, order_name) where delete_time is null;
create index credit_reservation_account_idx on credit_reservation (tenant_id, account, id);
create index credit_reservation_create_time_idx on credit_reservation (tenant_id, create_time, id);
create index credit_reservation_update_time_idx on credit_reservation (tenant_id, update_time, id);
