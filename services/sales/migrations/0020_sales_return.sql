-- Returns, each with its lines in the same row.
create table sales_return (
  like platform.resource including defaults including constraints,
  owner text collate "C",
  team uuid,
  delivery_note uuid not null,
  reason text not null,
  policy_code text collate "C" not null,
  lines jsonb not null,
  order_id uuid not null,
  account uuid not null,
  state text collate "C" not null,
  policy jsonb not null,
  number_series uuid,
  number text collate "C",
  authorise_time timestamptz,
  exception_reason text not null,
  receive_time timestamptz,
  inspect_time timestamptz,
  end_time timestamptz,
  reject_reason text not null,
  constraint sales_return_delivery_note_fkey foreign key (tenant_id, delivery_note)
    references delivery_note (tenant_id, id),
  constraint sales_return_order_id_fkey foreign key (tenant_id, order_id) references sales_order (tenant_id, id),
  constraint sales_return_number_series_fkey foreign key (tenant_id, number_series)
    references number_series (tenant_id, id),
  constraint sales_return_lines_check check (jsonb_typeof(lines) = 'array' and jsonb_array_length(lines) between 1 and 1000),
  constraint sales_return_policy_check check (jsonb_typeof(policy) = 'object'),
  constraint sales_return_state_check check (
    state in ('REQUESTED', 'AUTHORISED', 'RECEIVED', 'INSPECTED', 'SETTLED', 'REJECTED')
  ),
  constraint sales_return_number_check check (
    (number is null) = (number_series is null) and (number is null) = (authorise_time is null)
    and (state in ('REQUESTED', 'REJECTED') or number is not null)
  ),
  constraint sales_return_delete_time_check check (delete_time is null or state = 'REQUESTED'),
  constraint sales_return_receive_time_check check (
    (state in ('RECEIVED', 'INSPECTED', 'SETTLED')) <= (receive_time is not null)
    and (inspect_time is null or receive_time is not null)
  ),
  constraint sales_return_end_time_check check ((state in ('SETTLED', 'REJECTED')) = (end_time is not null))
);
comment on table sales_return is 'What comes back of deliveries, and what becomes of it.';
comment on column sales_return.account is 'That of the delivery note; in customers.';
comment on column sales_return.lines is 'What comes back, with what was received and found of it.';
comment on column sales_return.policy is 'The version of the return policy that judges it, and whether it was requested within the window.';
select platform.adopt_resource('sales_return');

create unique index sales_return_number_key on sales_return (tenant_id, number)
  where number is not null and delete_time is null;
create index sales_return_owner_idx on sales_return (tenant_id, owner, id);
create index sales_return_team_idx on sales_return (tenant_id, team, id);
create index sales_return_delivery_note_idx on sales_return (tenant_id, delivery_note, id);
create index sales_return_order_id_idx on sales_return (tenant_id, order_id, id);
create index sales_return_account_idx on sales_return (tenant_id, account, id);
create index sales_return_create_time_idx on sales_return (tenant_id, create_time, id);
create index sales_return_update_time_idx on sales_return (tenant_id, update_time, id);
create index sales_return_state_idx on sales_return (tenant_id, state, id);
