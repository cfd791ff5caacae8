-- Parked tasks: what jobs could not do, and why.
create table parked_task (
  like platform.resource including defaults including constraints,
  kind text collate "C" not null,
  subject text collate "C" not null,
  state text collate "C" not null,
  reason text collate "C" not null,
  message text not null,
  first_try_time timestamptz not null,
  last_try_time timestamptz not null,
  try_count integer not null,
  drop_reason text not null,
  constraint parked_task_state_check check (state in ('PARKED', 'DONE', 'DROPPED')),
  constraint parked_task_try_count_check check (try_count >= 1 and last_try_time >= first_try_time),
  constraint parked_task_drop_reason_check check ((state = 'DROPPED') = (drop_reason <> '')),
  constraint parked_task_delete_time_check check (delete_time is null)
);
comment on table parked_task is 'What jobs could not do, and why.';
comment on column parked_task.kind is 'Name of the job.';
comment on column parked_task.subject is 'Resource name of what it was for.';
comment on column parked_task.reason is 'Stable reason of the last failure.';
select platform.adopt_resource('parked_task');
-- A job counts what is parked, for the alarm.
select platform.admit_system('parked_task', 'select');

create unique index parked_task_subject_key on parked_task (tenant_id, kind, subject)
  where state = 'PARKED' and delete_time is null;
create index parked_task_subject_idx on parked_task (tenant_id, kind, subject, id);
create index parked_task_reason_idx on parked_task (tenant_id, kind, reason) where state = 'PARKED';
create index parked_task_last_try_time_idx on parked_task (tenant_id, last_try_time, id);
create index parked_task_create_time_idx on parked_task (tenant_id, create_time, id);
create index parked_task_update_time_idx on parked_task (tenant_id, update_time, id);
