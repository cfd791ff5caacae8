-- Dunning states: which accounts pay late, and what was done about it.
create table dunning_state (
  like platform.resource including defaults including constraints,
  account uuid not null,
  legal_entity uuid not null,
  currency_code text collate "C" not null,
  state text collate "C" not null,
  level integer not null,
  steps jsonb not null,
  dunning_policy uuid,
  holds_credit boolean not null,
  as_of date not null,
  overdue bigint not null,
  unallocated bigint not null,
  overdue_since date,
  items jsonb not null,
  item_count integer not null,
  constraint dunning_state_legal_entity_fkey foreign key (tenant_id, legal_entity) references legal_entity (tenant_id, id),
  constraint dunning_state_dunning_policy_fkey foreign key (tenant_id, dunning_policy)
    references dunning_policy (tenant_id, id),
  constraint dunning_state_state_check check ((state = 'ACTIVE' and level > 0) or (state = 'CLEARED' and level = 0)),
  constraint dunning_state_steps_check check (jsonb_typeof(steps) = 'array' and jsonb_array_length(steps) = level),
  constraint dunning_state_overdue_check check (overdue >= 0 and unallocated >= 0),
  constraint dunning_state_delete_time_check check (delete_time is null)
);
comment on table dunning_state is 'Where accounts are in dunning, by legal entity and currency: what the books said on the day of the last change.';
comment on column dunning_state.level is 'How many steps are entered.';
comment on column dunning_state.steps is 'Those: [{after_days, action, template, enter_date, passed_over}].';
comment on column dunning_state.overdue is 'In the minor unit of the currency, as is unallocated.';
comment on column dunning_state.items is 'The oldest 200 that were overdue: [{invoice, number, due_date, open}].';
select platform.adopt_resource('dunning_state');
-- The job looks for tenants that have one to clear.
select platform.admit_system('dunning_state', 'select');

create unique index dunning_state_account_key on dunning_state (tenant_id, account, legal_entity, currency_code)
  where delete_time is null;
create index dunning_state_account_idx on dunning_state (tenant_id, account, id);
create index dunning_state_active_idx on dunning_state (tenant_id, account) where state = 'ACTIVE';
create index dunning_state_overdue_idx on dunning_state (tenant_id, overdue, id);
create index dunning_state_as_of_idx on dunning_state (tenant_id, as_of, id);
create index dunning_state_create_time_idx on dunning_state (tenant_id, create_time, id);
create index dunning_state_update_time_idx on dunning_state (tenant_id, update_time, id);

-- To which day dunning was brought; it never goes back, so that what an earlier day says does not undo a later one.
create table dunning_run (
  tenant_id uuid not null,
  legal_entity uuid not null,
  as_of date not null,
  constraint dunning_run_pkey primary key (tenant_id, legal_entity),
  constraint dunning_run_legal_entity_fkey foreign key (tenant_id, legal_entity) references legal_entity (tenant_id, id)
);
comment on table dunning_run is 'To which day dunning was brought for a legal entity.';
select platform.adopt('dunning_run', 'select, insert, update');

-- Whether a hold is dunning's, which alone takes it back.
alter table credit_profile add column held_by_dunning boolean not null default false;
alter table credit_profile add constraint credit_profile_held_by_dunning_check check (hold or not held_by_dunning);
comment on column credit_profile.held_by_dunning is 'Dunning set the hold, and takes it back.';
