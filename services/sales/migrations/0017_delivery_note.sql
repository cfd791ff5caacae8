-- Delivery notes, each with its lines in the same row; and the serial numbers that are with customers.
create table delivery_note (
  like platform.resource including defaults including constraints,
  owner text collate "C",
  team uuid,
  order_id uuid not null,
  account uuid not null,
  lines jsonb not null,
  ship_to jsonb,
  note text not null,
  state text collate "C" not null,
  number_series uuid,
  number text collate "C",
  issue_date date,
  carrier text collate "C" not null,
  tracking text collate "C" not null,
  dispatch_time timestamptz,
  delivery_time timestamptz,
  proof jsonb,
  refusals jsonb not null,
  void_time timestamptz,
  void_reason text not null,
  constraint delivery_note_order_id_fkey foreign key (tenant_id, order_id) references sales_order (tenant_id, id),
  constraint delivery_note_number_series_fkey foreign key (tenant_id, number_series)
    references number_series (tenant_id, id),
  constraint delivery_note_lines_check check (jsonb_typeof(lines) = 'array' and jsonb_array_length(lines) between 1 and 1000),
  constraint delivery_note_refusals_check check (jsonb_typeof(refusals) = 'array'),
  constraint delivery_note_state_check check (
    state in ('DRAFT', 'ISSUED', 'DISPATCHED', 'DELIVERED', 'PARTLY_REFUSED', 'VOID')
  ),
  constraint delivery_note_number_check check (
    (state = 'DRAFT') = (number is null) and (number is null) = (number_series is null)
    and (number is null) = (issue_date is null)
  ),
  constraint delivery_note_delete_time_check check (delete_time is null or state = 'DRAFT'),
  constraint delivery_note_delivery_time_check check (
    (state in ('DELIVERED', 'PARTLY_REFUSED')) = (delivery_time is not null)
    and (delivery_time is null) = (proof is null)
  ),
  constraint delivery_note_void_time_check check ((state = 'VOID') = (void_time is not null))
);
comment on table delivery_note is 'What left for customers, or was rendered. Once issued, what it names does not change.';
comment on column delivery_note.account is 'That of the order; in customers.';
comment on column delivery_note.lines is 'What is delivered, as it stands on the order.';
comment on column delivery_note.proof is 'Who took it: {receiver, signature}.';
comment on column delivery_note.refusals is 'What of the lines was refused, and went back to the order.';
select platform.adopt_resource('delivery_note');

create unique index delivery_note_number_key on delivery_note (tenant_id, number)
  where number is not null and delete_time is null;
create index delivery_note_owner_idx on delivery_note (tenant_id, owner, id);
create index delivery_note_team_idx on delivery_note (tenant_id, team, id);
create index delivery_note_order_id_idx on delivery_note (tenant_id, order_id, id);
create index delivery_note_account_idx on delivery_note (tenant_id, account, id);
create index delivery_note_create_time_idx on delivery_note (tenant_id, create_time, id);
create index delivery_note_update_time_idx on delivery_note (tenant_id, update_time, id);
create index delivery_note_state_idx on delivery_note (tenant_id, state, id);
create index delivery_note_issue_date_idx on delivery_note (tenant_id, issue_date, id);

-- What was issued stays as it is, whoever writes: only its way to the customer is noted. The revision counts on, as a
-- restore may lift it.
create function delivery_note_guard() returns trigger language plpgsql as $$
declare
  movable constant text[] := array[
    'revision', 'update_time', 'state', 'carrier', 'tracking', 'dispatch_time', 'delivery_time', 'proof', 'refusals',
    'void_time', 'void_reason'
  ];
begin
  if old.state <> 'DRAFT' and to_jsonb(new) - movable is distinct from to_jsonb(old) - movable then
    raise exception using errcode = '23514', constraint = 'delivery_note_immutable',
      message = 'an issued delivery note does not change';
  end if;
  return new;
end $$;
create trigger delivery_note_guard before update on delivery_note for each row execute function delivery_note_guard();

create table delivered_serial (
  tenant_id uuid not null,
  product uuid not null,
  serial text collate "C" not null,
  delivery_note uuid not null,
  constraint delivered_serial_pkey primary key (tenant_id, product, serial),
  constraint delivered_serial_product_fkey foreign key (tenant_id, product) references product (tenant_id, id),
  constraint delivered_serial_delivery_note_fkey foreign key (tenant_id, delivery_note)
    references delivery_note (tenant_id, id)
);
comment on table delivered_serial is 'Serial numbers that are with customers, or on their way.';
select platform.adopt('delivered_serial', 'select, insert, delete');

create index delivered_serial_delivery_note_idx on delivered_serial (tenant_id, delivery_note);
