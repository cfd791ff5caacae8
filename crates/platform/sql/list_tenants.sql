-- Which tenants are registered here or have events, and which are suspended?
with recursive active as (
  -- Leaps from tenant to tenant in the index, whatever the number of their events.
  (select tenant_id from platform.event where position is not null order by tenant_id limit 1)
  union all
  select (
    select event.tenant_id
    from platform.event event
    where event.tenant_id > active.tenant_id and event.position is not null
    order by event.tenant_id
    limit 1
  )
  from active
  where active.tenant_id is not null
)
select
  tenant_id,
  coalesce(tenant.display_name, '') as display_name,
  coalesce(tenant.state, 'ACTIVE') as state,
  tenant.tenant_id is not null as registered
from (select tenant_id from active where tenant_id is not null) known
full join platform.tenant tenant using (tenant_id)
order by tenant_id
