-- The logo of hash $2.
with c as materialized (select set_config('trato.tenant_id', $1, true) as tenant)
select found.content
from c, lateral (
  select legal_entity_logo.content
  from legal_entity_logo
  where legal_entity_logo.tenant_id = c.tenant::uuid and legal_entity_logo.hash = $2
  offset 0
) found
