-- Adds access records of any tenants; a record's resources stand in one text, a line each.
insert into platform.access_record
  (tenant_id, id, create_time, actor, method, operation, purpose, outcome, resources, request_id, trace_id)
select given.tenant_id, given.id, given.create_time, given.actor, given.method, given.operation, given.purpose,
  given.outcome, string_to_array(given.resources, E'\n'), given.request_id, given.trace_id
from unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
  $9::text[], $10::text[], $11::text[])
  as given (tenant_id, id, create_time, actor, method, operation, purpose, outcome, resources, request_id, trace_id)
on conflict do nothing
