-- A job counts the payments of which nobody knows for too long what became of them, for the alarm.
select platform.admit_system('payment', 'select');

create index if not exists payment_unsettled_idx on payment (tenant_id, state, update_time)
  where state in ('PENDING', 'UNKNOWN');
