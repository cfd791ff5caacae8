-- Who repeats a request that somebody else has done by another way must not have it twice: by what it is told from another one stays
-- with its task.
comment on column parked_task.asked is
  'What a caller asked for, as protobuf: {asker, request_id, content}; without content once done or given up. Null of what was done
before that was kept, and of what no caller asked for.';
