-- The event log with the lease of its leader, and the inbox of the events that come in.

-- Every change of every aggregate, one row a revision: what is published, replayed, subscribed to and audited.
create table platform.event (
  -- Order of insertion. A late commit shows a low number late, so only the numbering leader reads by it.
  seq bigint generated always as identity,
  -- Place in the log, given once, after commit, by the leader. Every cursor is one.
  position bigint,
  id uuid not null,
  tenant_id uuid not null,
  -- The routing key: trato.<service>.v1.<noun>.<participle>.
  type text collate "C" not null,
  -- Name of the aggregate; order is promised within it.
  subject text collate "C" not null,
  revision bigint not null,
  -- When it happened in the business …
  event_time timestamptz not null,
  -- … and when it was recorded.
  create_time timestamptz not null default now(),
  actor text collate "C" not null,
  -- The event that caused it, where it was not a call.
  cause uuid,
  traceparent text collate "C",
  -- Subject and team the row is seen by.
  owner text collate "C",
  team uuid,
  -- Bytes of trato.events.v1.Change.
  payload bytea not null,
  constraint event_pkey primary key (id, create_time),
  constraint event_revision_check check (revision > 0),
  constraint event_position_check check (position > 0)
) partition by range (create_time);
comment on table platform.event is 'The event log; every change of every aggregate.';
-- Holds only the rows that wait for their number.
create index event_unnumbered_idx on platform.event (seq) where position is null;
create index event_position_idx on platform.event (position) where position is not null;
create index event_tenant_id_position_idx on platform.event (tenant_id, position) where position is not null;
create index event_tenant_id_subject_revision_idx on platform.event (tenant_id, subject, revision);
select platform.adopt('platform.event', 'select, insert');
select platform.admit_system('platform.event', 'select, update (position), delete');

-- A month without a partition must not stop writes.
create table platform.event_default partition of platform.event default;
comment on table platform.event_default is 'Events of months that had no partition when they were written.';

-- Partitions are reached through the log only: no grants. The owner alone moves rows out of the default partition.
alter table platform.event_default enable row level security;
alter table platform.event_default force row level security;
do $$ begin
  execute format('create policy owner on platform.event_default to %I using (true)', current_user);
end $$;

-- Makes the partitions of this month and of the given number of months ahead (at most 24); answers how many were new.
-- Runs as the owner, so that the system role needs no right to create tables.
create function platform.extend_event_partitions(months integer) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  this_month timestamp := date_trunc('month', now() at time zone 'UTC');
  lower_bound timestamptz;
  upper_bound timestamptz;
  bare text;
  made integer := 0;
begin
  perform pg_advisory_xact_lock(hashtextextended('platform.extend_event_partitions', 0));
  for ahead in 0..least(greatest(months, 0), 24) loop
    lower_bound := (this_month + make_interval(months => ahead)) at time zone 'UTC';
    upper_bound := (this_month + make_interval(months => ahead + 1)) at time zone 'UTC';
    bare := 'event_' || to_char(lower_bound at time zone 'UTC', 'YYYY_MM');
    continue when to_regclass('platform.' || bare) is not null;

    -- Every row is updated once, soon after it was written: vacuum early, or the index of unnumbered rows grows.
    execute format(
      'create table platform.%I (like platform.event including defaults including constraints including storage) '
      'with (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 2000)', bare);
    -- Locked first, so that no row arrives between the move and the attachment.
    lock table platform.event_default in access exclusive mode;
    execute format(
      'with moved as (delete from platform.event_default where create_time >= $1 and create_time < $2 returning *) '
      'insert into platform.%I select * from moved', bare) using lower_bound, upper_bound;
    execute format('alter table platform.%I enable row level security', bare);
    execute format('alter table platform.%I force row level security', bare);
    execute format(
      'alter table platform.event attach partition platform.%I for values from (%L) to (%L)',
      bare, lower_bound, upper_bound);
    made := made + 1;
  end loop;
  return made;
end $$;
revoke all on function platform.extend_event_partitions(integer) from public;
do $$ begin
  execute format('grant execute on function platform.extend_event_partitions(integer) to %I', platform.system_role());
end $$;
select platform.extend_event_partitions(3);

-- Who does what only one process may do. A holder's every write checks its epoch, so that one that was stopped and
-- wakes again changes nothing.
create table platform.lease (
  name text collate "C" not null,
  holder uuid not null,
  -- Grows with every new holder.
  epoch bigint not null,
  expire_time timestamptz not null,
  -- Highest position given out; only of the lease that numbers events.
  numbered bigint not null default 0,
  -- Every event up to here is confirmed by the broker.
  published bigint not null default 0,
  constraint lease_pkey primary key (name),
  constraint lease_published_check check (published between 0 and numbered)
);
comment on table platform.lease is 'Fenced leases: the numbering of events, and one for each periodic job.';
do $$ begin
  execute format('grant select, insert, update, delete on platform.lease to %I', platform.system_role());
end $$;

-- What came in, per consumer: each event takes effect once, and in order per aggregate.
create table platform.inbox (
  tenant_id uuid not null,
  consumer text collate "C" not null,
  event_id uuid not null,
  subject text collate "C" not null,
  revision bigint not null,
  -- DONE; PARKED: its handler failed; WAITING: behind a parked event of its aggregate; DROPPED: by an operator.
  state text collate "C" not null,
  create_time timestamptz not null default now(),
  update_time timestamptz not null default now(),
  -- Tries that failed, and why the last one did.
  attempts integer not null default 0,
  reason text collate "C",
  message text,
  -- The event itself, while it is held.
  metadata jsonb,
  payload bytea,
  constraint inbox_pkey primary key (tenant_id, consumer, event_id),
  constraint inbox_state_check check (state in ('DONE', 'PARKED', 'WAITING', 'DROPPED')),
  constraint inbox_payload_check check (state in ('DONE', 'DROPPED') or (metadata is not null and payload is not null))
);
comment on table platform.inbox is 'Events handled or held, per consumer.';
create index inbox_held_idx on platform.inbox (tenant_id, consumer, subject, revision)
  where state in ('PARKED', 'WAITING');
-- An aggregate is held by exactly one parked event.
create unique index inbox_parked_key on platform.inbox (tenant_id, consumer, subject) where state = 'PARKED';
create index inbox_create_time_idx on platform.inbox (create_time) where state in ('DONE', 'DROPPED');
select platform.adopt('platform.inbox', 'select, insert, update, delete');
select platform.admit_system('platform.inbox', 'select, delete');
