-- Teams of the directory.

create table team (
  like platform.resource including defaults including constraints,
  display_name text collate "C" not null,
  region text collate "C" not null,
  -- Subject of the member who leads it.
  lead text collate "C"
);
comment on table team is 'Teams: people who see each other''s resources where a scope says TEAM.';
comment on column team.lead is 'Subject of the leading member; not a foreign key, as tokens may name members the directory lacks.';

select platform.adopt_resource('team');
create unique index team_display_name_key on team (tenant_id, display_name) where delete_time is null;
create index team_display_name_idx on team (tenant_id, display_name, id);
create index team_create_time_idx on team (tenant_id, create_time, id);
create index team_update_time_idx on team (tenant_id, update_time, id);
