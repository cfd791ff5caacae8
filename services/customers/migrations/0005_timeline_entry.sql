-- The timeline of accounts and contacts; a read model fed by events.

create table timeline_entry (
  tenant_id uuid not null,
  parent text collate "C" not null,
  id uuid not null,
  type text collate "C" not null,
  subject text collate "C" not null,
  summary text not null,
  event_time timestamptz not null,
  create_time timestamptz not null,
  actor text collate "C" not null,
  owner text collate "C",
  team uuid,
  constraint timeline_entry_pkey primary key (tenant_id, parent, id)
);
comment on table timeline_entry is 'What happened with accounts and contacts; made again from the events at any time.';
comment on column timeline_entry.parent is 'Resource name of the account or contact.';
comment on column timeline_entry.id is 'Identifier of the event the entry came from, so that the event may come again.';
comment on column timeline_entry.subject is 'Resource name of what the fact is about.';
comment on column timeline_entry.owner is 'Owner of the subject at the time, by whom scopes admit readers; team likewise.';
create index timeline_entry_event_time_idx on timeline_entry (tenant_id, parent, event_time, id);
create index timeline_entry_create_time_idx on timeline_entry (tenant_id, parent, create_time, id);
-- A rebuild empties the table, so the service may delete.
select platform.adopt('timeline_entry', 'select, insert, update, delete');
