-- What every service's database has beside its own tables: tenancy, the resource template, request ids, the directory.
--
-- Roles by name: <service>_owner migrates, <service> serves, <service>_system runs the relay and jobs. None of them
-- bypasses row-level security; the policies below are all there is.

create schema platform;

-- The two lesser roles follow from the owner's name, so that no role name is written down twice.
create function platform.service_role() returns name language sql stable
  return regexp_replace(current_user, '_owner$', '')::name;
create function platform.system_role() returns name language sql stable
  return regexp_replace(current_user, '_owner$', '_system')::name;

do $$ begin
  execute format('grant usage on schema public, platform to %I, %I', platform.service_role(), platform.system_role());
end $$;

-- Puts a table under tenancy: forced row-level security by the tenant of the transaction, and the service's grants.
-- Without a tenant in the transaction the policy admits no row.
create function platform.adopt(adopted regclass, privileges text default 'select, insert, update') returns void
language plpgsql as $$
begin
  execute format('alter table %s enable row level security', adopted);
  execute format('alter table %s force row level security', adopted);
  execute format(
    'create policy tenant on %s to %I '
    'using (tenant_id = (select nullif(current_setting(''trato.tenant_id'', true), '''')::uuid)) '
    'with check (tenant_id = (select nullif(current_setting(''trato.tenant_id'', true), '''')::uuid))',
    adopted, platform.service_role());
  execute format('grant %s on %s to %I', privileges, adopted, platform.service_role());
end $$;

-- Lets the relay and jobs use one named table across tenants.
create function platform.admit_system(adopted regclass, privileges text) returns void
language plpgsql as $$
begin
  execute format('create policy system on %s to %I using (true) with check (true)', adopted, platform.system_role());
  execute format('grant %s on %s to %I', privileges, adopted, platform.system_role());
end $$;

-- The columns every resource begins with: create table account (like platform.resource including all, …).
create table platform.resource (
  tenant_id uuid not null,
  id uuid not null,
  -- Counts from 1 with every change; the etag.
  revision bigint not null,
  create_time timestamptz not null,
  update_time timestamptz not null,
  delete_time timestamptz,
  -- `members/{subject}` or `systems/{consumer}`.
  creator text not null,
  -- Where it came from, and its identifier there.
  source text collate "C",
  external_id text collate "C",
  constraint resource_external_check check ((source is null) = (external_id is null))
);
comment on table platform.resource is 'Template of resource tables; holds no rows.';

-- Adds what a resource table needs beyond its columns: keys by tenant, the external id, tenancy.
create function platform.adopt_resource(adopted regclass) returns void
language plpgsql as $$
declare
  bare text := (select relname from pg_class where oid = adopted);
begin
  execute format('alter table %s add constraint %I primary key (tenant_id, id)', adopted, bare || '_pkey');
  execute format(
    'create unique index %I on %s (tenant_id, source, external_id) where source is not null and delete_time is null',
    bare || '_external_key', adopted);
  perform platform.adopt(adopted);
end $$;

-- One row for each write that carried a request id, written by the statement or transaction that did the write.
create table platform.request (
  tenant_id uuid not null,
  actor text collate "C" not null,
  method text collate "C" not null,
  request_id uuid not null,
  -- SHA-256 of the request without its id.
  body_hash bytea not null,
  -- The event whose after-image is the answer …
  event_id uuid,
  -- … or the answer itself, where no single event holds it.
  response bytea,
  create_time timestamptz not null,
  constraint request_pkey primary key (tenant_id, actor, method, request_id)
);
create index request_create_time_idx on platform.request (create_time);
comment on table platform.request is 'Answers to repeat (AIP-155); kept for requests.retention_days.';
select platform.adopt('platform.request', 'select, insert');
select platform.admit_system('platform.request', 'select, delete');

-- The directory as this service last heard of it; fed by events of trato.directory.v1.
create table platform.directory_member (
  tenant_id uuid not null,
  subject text collate "C" not null,
  display_name text not null,
  teams uuid[] not null,
  revision bigint not null,
  delete_time timestamptz,
  constraint directory_member_pkey primary key (tenant_id, subject)
);
comment on table platform.directory_member is 'Members, as projected from the directory.';
select platform.adopt('platform.directory_member', 'select, insert, update, delete');

create table platform.directory_team (
  tenant_id uuid not null,
  id uuid not null,
  display_name text not null,
  region text not null,
  revision bigint not null,
  delete_time timestamptz,
  constraint directory_team_pkey primary key (tenant_id, id)
);
comment on table platform.directory_team is 'Teams, as projected from the directory.';
select platform.adopt('platform.directory_team', 'select, insert, update, delete');

-- Who was seen here, with the roles of the last token: what ListViewers answers from.
create table platform.principal (
  tenant_id uuid not null,
  subject text collate "C" not null,
  roles text[] not null,
  seen_time timestamptz not null,
  constraint principal_pkey primary key (tenant_id, subject)
);
comment on table platform.principal is 'Callers and the roles last seen in their tokens.';
select platform.adopt('platform.principal', 'select, insert, update');
