-- Carts, each with its document in the same row.
create table cart (
  like platform.resource including defaults including constraints,
  owner text collate "C",
  team uuid,
  account uuid,
  session_id text collate "C",
  document jsonb not null,
  gross bigint not null,
  currency text collate "C" not null,
  bill_to jsonb,
  ship_to jsonb,
  step text collate "C" not null,
  furthest_step text collate "C" not null,
  state text collate "C" not null,
  last_activity_time timestamptz not null,
  abandon_step text collate "C",
  abandon_time timestamptz,
  recover_time timestamptz,
  order_id uuid,
  constraint cart_order_id_fkey foreign key (tenant_id, order_id) references sales_order (tenant_id, id),
  constraint cart_account_check check (account is not null or session_id is not null),
  constraint cart_document_check check (
    jsonb_typeof(document) = 'object' and jsonb_typeof(document -> 'priced') = 'object'
    and jsonb_array_length(document -> 'lines') between 1 and 1000
  ),
  constraint cart_step_check check (step in ('LINES', 'ADDRESS', 'DELIVERY', 'PAYMENT', 'REVIEW')),
  constraint cart_furthest_step_check check (furthest_step in ('LINES', 'ADDRESS', 'DELIVERY', 'PAYMENT', 'REVIEW')),
  constraint cart_state_check check (state in ('OPEN', 'ABANDONED', 'CHECKED_OUT')),
  constraint cart_abandon_step_check check (
    abandon_step in ('LINES', 'ADDRESS', 'DELIVERY', 'PAYMENT', 'REVIEW') and (abandon_step is null) = (abandon_time is null)
    and (state <> 'ABANDONED' or abandon_step is not null)
  ),
  constraint cart_recover_time_check check (
    (recover_time is null or abandon_time is not null)
    and (state = 'ABANDONED' or abandon_time is null or recover_time is not null)
  ),
  constraint cart_checked_out_check check (
    (state = 'CHECKED_OUT') = (order_id is not null) and (state <> 'CHECKED_OUT' or account is not null)
  ),
  constraint cart_delete_time_check check (delete_time is null or state <> 'CHECKED_OUT')
);
comment on table cart is 'What somebody is about to buy online, and where it was given up. Once checked out, it does not change.';
comment on column cart.account is 'In customers; checked before the write, by the projection or by a call.';
comment on column cart.session_id is 'Of a visitor, by a name that the shop gives it.';
comment on column cart.document is 'Lines, discounts, charges and terms, with what they cost when it was written last.';
comment on column cart.gross is 'Total with tax, in the minor unit of currency.';
comment on column cart.last_activity_time is 'When somebody last wrote it; being abandoned is no activity.';
comment on column cart.abandon_step is 'Where it was abandoned last, also when it came back since.';
comment on column cart.order_id is 'The order in its place.';
select platform.adopt_resource('cart');
-- The job that finds abandoned carts looks over all tenants.
select platform.admit_system('cart', 'select');

create unique index cart_order_id_key on cart (tenant_id, order_id) where order_id is not null and delete_time is null;
create index cart_owner_idx on cart (tenant_id, owner, id);
create index cart_team_idx on cart (tenant_id, team, id);
create index cart_account_idx on cart (tenant_id, account, id) where account is not null;
create index cart_session_id_idx on cart (tenant_id, session_id, id) where session_id is not null;
create index cart_create_time_idx on cart (tenant_id, create_time, id);
create index cart_update_time_idx on cart (tenant_id, update_time, id);
create index cart_gross_idx on cart (tenant_id, gross, id);
create index cart_state_idx on cart (tenant_id, state, id);
create index cart_last_activity_time_idx on cart (tenant_id, last_activity_time, id);
create index cart_abandon_time_idx on cart (tenant_id, abandon_time, id);
-- Those that are about to be abandoned.
create index cart_idle_idx on cart (last_activity_time, tenant_id, id) where state = 'OPEN' and delete_time is null;

-- What was ordered stays as it was ordered, whoever writes. The revision counts on, as a restore may lift it.
create function cart_guard() returns trigger language plpgsql as $$
declare
  movable constant text[] := array['revision', 'update_time'];
begin
  if old.state = 'CHECKED_OUT' and to_jsonb(new) - movable is distinct from to_jsonb(old) - movable then
    raise exception using errcode = '23514', constraint = 'cart_immutable',
      message = 'a cart that was checked out does not change';
  end if;
  return new;
end $$;
create trigger cart_guard before update on cart for each row execute function cart_guard();
