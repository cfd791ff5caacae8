-- Return policies, each version a row of its own.
create table return_policy (
  like platform.resource including defaults including constraints,
  display_name text collate "C" not null,
  code text collate "C" not null,
  window_days integer not null,
  conditions text not null,
  payer text collate "C" not null,
  state text collate "C" not null,
  version integer,
  publish_time timestamptz,
  retire_time timestamptz,
  constraint return_policy_window_days_check check (window_days between 0 and 3650),
  constraint return_policy_payer_check check (payer in ('BUYER', 'SELLER')),
  constraint return_policy_state_check check (state in ('DRAFT', 'PUBLISHED', 'RETIRED')),
  constraint return_policy_version_check check (
    (state = 'DRAFT') = (version is null) and (version is null) = (publish_time is null) and version > 0
    and (state = 'RETIRED') = (retire_time is not null)
  ),
  constraint return_policy_delete_time_check check (delete_time is null or state = 'DRAFT')
);
comment on table return_policy is 'What is promised about returns. Once published, a version does not change.';
comment on column return_policy.code is 'What all versions have in common.';
comment on column return_policy.window_days is 'Days from the delivery on, within which something may come back.';
comment on column return_policy.payer is 'Who pays for the way back.';
select platform.adopt_resource('return_policy');

create unique index return_policy_published_key on return_policy (tenant_id, code)
  where state = 'PUBLISHED' and delete_time is null;
create unique index return_policy_version_key on return_policy (tenant_id, code, version)
  where version is not null and delete_time is null;
create index return_policy_display_name_idx on return_policy (tenant_id, display_name, id);
create index return_policy_code_idx on return_policy (tenant_id, code, id);
create index return_policy_create_time_idx on return_policy (tenant_id, create_time, id);
create index return_policy_update_time_idx on return_policy (tenant_id, update_time, id);

-- What was published stays as it is, whoever writes.
create function return_policy_guard() returns trigger language plpgsql as $$
begin
  if old.state <> 'DRAFT' and (new.code, new.window_days, new.conditions, new.payer, new.version, new.publish_time)
    is distinct from (old.code, old.window_days, old.conditions, old.payer, old.version, old.publish_time)
  then
    raise exception using errcode = '23514', constraint = 'return_policy_immutable',
      message = 'a published version does not change';
  end if;
  return new;
end $$;
create trigger return_policy_guard before update on return_policy for each row execute function return_policy_guard();
