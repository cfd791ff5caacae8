-- What is known of tenants beside their rows.

create table platform.tenant (
  tenant_id uuid not null,
  -- For people; empty where nobody registered the tenant.
  display_name text not null,
  -- ACTIVE; SUSPENDED: every call is refused, events still flow.
  state text collate "C" not null,
  create_time timestamptz not null default now(),
  update_time timestamptz not null default now(),
  constraint tenant_pkey primary key (tenant_id),
  constraint tenant_state_check check (state in ('ACTIVE', 'SUSPENDED'))
);
comment on table platform.tenant is 'Tenants that were registered or suspended; others are known by their rows alone.';
-- Processes read it across tenants, by the system role.
select platform.adopt('platform.tenant', 'select');
select platform.admit_system('platform.tenant', 'select, insert, update');
