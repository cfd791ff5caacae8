-- Dunning policies: when somebody who pays late is reminded, and what is done after that.
create table dunning_policy (
  like platform.resource including defaults including constraints,
  display_name text collate "C" not null,
  legal_entity uuid,
  steps jsonb not null,
  minimums jsonb not null,
  constraint dunning_policy_legal_entity_fkey foreign key (tenant_id, legal_entity)
    references legal_entity (tenant_id, id),
  constraint dunning_policy_steps_check check (
    jsonb_typeof(steps) = 'array' and jsonb_array_length(steps) between 1 and 20
  ),
  constraint dunning_policy_minimums_check check (
    jsonb_typeof(minimums) = 'array' and jsonb_array_length(minimums) <= 50
  )
);
comment on table dunning_policy is 'When somebody who pays late is reminded, and what is done after that.';
comment on column dunning_policy.legal_entity is 'Whose customers it is for; null for the default.';
comment on column dunning_policy.steps is 'In the order of their days: [{after_days, action, template}].';
comment on column dunning_policy.minimums is 'Least that is asked for in a currency: [{currency_code, amount}], in its minor unit.';
select platform.adopt_resource('dunning_policy');
-- The job looks for tenants that have one.
select platform.admit_system('dunning_policy', 'select');

-- One for each legal entity, and one default.
create unique index dunning_policy_legal_entity_key on dunning_policy
  (tenant_id, coalesce(legal_entity, '00000000-0000-0000-0000-000000000000'::uuid)) where delete_time is null;
create index dunning_policy_display_name_idx on dunning_policy (tenant_id, display_name, id);
create index dunning_policy_create_time_idx on dunning_policy (tenant_id, create_time, id);
create index dunning_policy_update_time_idx on dunning_policy (tenant_id, update_time, id);
