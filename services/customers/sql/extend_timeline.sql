-- Adds one fact to the timeline of one account or contact, unless it is there.
insert into timeline_entry
  (tenant_id, parent, id, type, subject, summary, event_time, create_time, actor, owner, team)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
on conflict (tenant_id, parent, id) do nothing
