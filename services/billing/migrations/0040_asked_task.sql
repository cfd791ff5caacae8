-- A document that could not be made of one of sales is parked with what was asked for, so that it can be made after all.
alter table parked_task add column asked bytea;
comment on column parked_task.asked is
  'What a caller asked for, as protobuf: {asker, request_id, content}; without content once given up, null once done.';
