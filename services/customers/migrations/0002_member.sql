-- Members of the directory.

create table member (
  like platform.resource including defaults including constraints,
  subject text collate "C" not null,
  display_name text collate "C" not null,
  email_address text collate "C",
  manager text collate "C",
  teams jsonb not null,
  skills jsonb not null,
  absences jsonb not null
);
comment on table member is 'Members: people and service accounts, whose identity the organisation''s own issuer keeps.';
comment on column member.id is 'UUIDv5 of the subject, so that a subject is one member for ever.';
comment on column member.subject is 'The sub claim of the member''s tokens; it makes the resource name.';
comment on column member.email_address is 'Normalised to lower case.';
comment on column member.manager is 'Subject of the member this one reports to.';
comment on column member.teams is 'Identifiers of the teams, as an array of texts.';
comment on column member.skills is 'What the member can do, as an array of texts.';
comment on column member.absences is 'Planned absences: start_date, end_date, and the subject of the deputy.';

select platform.adopt_resource('member');
create index member_subject_idx on member (tenant_id, subject, id);
create index member_display_name_idx on member (tenant_id, display_name, id);
create index member_email_address_idx on member (tenant_id, email_address, id) where email_address is not null;
create index member_manager_idx on member (tenant_id, manager, id) where manager is not null;
create index member_create_time_idx on member (tenant_id, create_time, id);
create index member_update_time_idx on member (tenant_id, update_time, id);

-- A team that is new to a member must be there; one that is deleted later stays until the member is given others.
create function member_check_teams() returns trigger
language plpgsql set search_path = public, pg_temp as $$
declare
  known jsonb := case tg_op when 'UPDATE' then old.teams else '[]' end;
begin
  if exists (
    select from jsonb_array_elements_text(new.teams) as wanted (team)
    where not known ? wanted.team and not exists (
      select from team
      where team.tenant_id = new.tenant_id and team.id = wanted.team::uuid and team.delete_time is null
    )
  ) then
    raise exception using errcode = '23503', constraint = 'member_teams_fkey', message = 'a team of a member is not there';
  end if;
  return null;
end $$;
create trigger member_teams_insert after insert on member
  for each row when (new.teams <> '[]') execute function member_check_teams();
create trigger member_teams_update after update on member
  for each row when (new.teams is distinct from old.teams) execute function member_check_teams();
