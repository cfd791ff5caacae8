-- A document that could not be made of one of sales is parked with what was asked for, so that it can be made after all.
alter table parked_task add column asked bytea;
comment on column parked_task.asked is
  'What a caller asked for that could not be done, as protobuf: {asker, request_id, content}; null for other kinds.';

-- A job counts the refunds that are owed, for the alarm, by the index of what is open.
select platform.admit_system('invoice', 'select');
