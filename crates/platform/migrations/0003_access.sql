-- Who read whose data, and partitions by month for more than one table.

-- One row for each call that was answered with data of customers or persons, or was refused it. Rows are only added:
-- the serving role cannot even do that, and nobody can change or delete one but with its whole month.
create table platform.access_record (
  tenant_id uuid not null,
  id uuid not null,
  -- When the answer was given; the row is written soon after, or just before.
  create_time timestamptz not null,
  -- `members/{subject}`, or `systems/{name}` for an operator's command.
  actor text collate "C" not null,
  method text collate "C" not null,
  operation text collate "C" not null,
  -- As the caller said it; null when it said nothing.
  purpose text collate "C",
  outcome text collate "C" not null,
  -- Whose data the answer held, by name; what was asked for, when it was refused.
  resources text[] collate "C" not null,
  request_id text collate "C",
  trace_id text collate "C",
  constraint access_record_pkey primary key (tenant_id, create_time, id),
  constraint access_record_operation_check check (operation in ('READ', 'CHANGE'))
) partition by range (create_time);
comment on table platform.access_record is 'Who was answered with whose data, for what purpose.';
-- Compressing the names of a page takes longer than all the rest of its row.
alter table platform.access_record alter column resources set storage external;
-- A list names many resources: one compact index instead of a row for each of them.
create index access_record_resources_idx on platform.access_record using gin (resources);
select platform.adopt('platform.access_record', 'select');
select platform.admit_system('platform.access_record', 'insert');

-- A month without a partition must not stop answers.
create table platform.access_record_default partition of platform.access_record default;
comment on table platform.access_record_default is 'Records of months that had no partition when they were written.';
alter table platform.access_record_default enable row level security;
alter table platform.access_record_default force row level security;
do $$ begin
  execute format('create policy owner on platform.access_record for select to %I using (true)', current_user);
  execute format('create policy owner on platform.access_record_default to %I using (true)', current_user);
end $$;

-- The tenant's records that name a resource. Row-level security would keep the index from being used, since the
-- operator of arrays is not leakproof; so this runs as the owner and holds to the tenant of the transaction itself.
create function platform.access_records_of(tenant uuid, resource text) returns setof platform.access_record
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select record.*
  from platform.access_record record
  where record.tenant_id = tenant
    and record.tenant_id = nullif(current_setting('trato.tenant_id', true), '')::uuid
    and record.resources @> array[resource collate "C"]
$$;
revoke all on function platform.access_records_of(uuid, text) from public;
do $$ begin
  execute format('grant execute on function platform.access_records_of(uuid, text) to %I', platform.service_role());
end $$;

-- Makes the partitions of this month and of the given number of months ahead (at most 24) of the event log or the access
-- records; answers how many were new. Runs as the owner, so that the system role needs no right to create tables.
create function platform.extend_partitions(parent text, months integer) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  this_month timestamp := date_trunc('month', now() at time zone 'UTC');
  lower_bound timestamptz;
  upper_bound timestamptz;
  bare text;
  settings text := '';
  made integer := 0;
begin
  if parent not in ('event', 'access_record') then
    raise exception '% is not partitioned by month', parent;
  end if;
  if parent = 'event' then
    -- Every row is updated once, soon after it was written: vacuum early, or the index of unnumbered rows grows.
    settings := ' with (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 2000)';
  end if;
  perform pg_advisory_xact_lock(hashtextextended('platform.extend_event_partitions', 0));
  for ahead in 0..least(greatest(months, 0), 24) loop
    lower_bound := (this_month + make_interval(months => ahead)) at time zone 'UTC';
    upper_bound := (this_month + make_interval(months => ahead + 1)) at time zone 'UTC';
    bare := parent || '_' || to_char(lower_bound at time zone 'UTC', 'YYYY_MM');
    continue when to_regclass('platform.' || bare) is not null;

    execute format(
      'create table platform.%I (like platform.%I including defaults including constraints including storage)%s',
      bare, parent, settings);
    -- Locked first, so that no row arrives between the move and the attachment.
    execute format('lock table platform.%I in access exclusive mode', parent || '_default');
    execute format(
      'with moved as (delete from platform.%I where create_time >= $1 and create_time < $2 returning *) '
      'insert into platform.%I select * from moved', parent || '_default', bare) using lower_bound, upper_bound;
    execute format('alter table platform.%I enable row level security', bare);
    execute format('alter table platform.%I force row level security', bare);
    execute format(
      'alter table platform.%I attach partition platform.%I for values from (%L) to (%L)',
      parent, bare, lower_bound, upper_bound);
    made := made + 1;
  end loop;
  return made;
end $$;
revoke all on function platform.extend_partitions(text, integer) from public;

-- Programs before this migration still call it.
create or replace function platform.extend_event_partitions(months integer) returns integer
language sql security definer set search_path = pg_catalog, pg_temp as $$
  select platform.extend_partitions('event', months)
$$;

-- Drops the months of access records that ended at the given time or before it; answers how many. Nobody can make it
-- forget the last four weeks, whoever holds a service's logins. A month that a long read holds open is not waited for:
-- the next run finds it again.
create function platform.forget_access_records(before timestamptz) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp set lock_timeout = '2s' as $$
declare
  month record;
  dropped integer := 0;
begin
  if before > now() - interval '28 days' then
    raise exception 'access records of the last four weeks are kept';
  end if;
  for month in
    select class.oid::regclass as name,
      (to_date(right(class.relname, 7), 'YYYY_MM') + interval '1 month') at time zone 'UTC' as upper_bound
    from pg_inherits inherits join pg_class class on class.oid = inherits.inhrelid
    where inherits.inhparent = 'platform.access_record'::regclass
      and class.relname ~ '^access_record_[0-9]{4}_[0-9]{2}$'
  loop
    continue when month.upper_bound > before;
    execute format('drop table %s', month.name);
    dropped := dropped + 1;
  end loop;
  delete from platform.access_record_default where create_time < before;
  return dropped;
end $$;
revoke all on function platform.forget_access_records(timestamptz) from public;
do $$ begin
  execute format('grant execute on function platform.extend_partitions(text, integer) to %I', platform.system_role());
  execute format('grant execute on function platform.forget_access_records(timestamptz) to %I', platform.system_role());
end $$;
select platform.extend_partitions('access_record', 3);
