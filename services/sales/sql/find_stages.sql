-- The stages of the pipeline that opportunity $2 walks.
with c as materialized (select set_config('trato.tenant_id', $1, true) as tenant)
select found.stages
from c, lateral (
  select pipeline.stages
  from opportunity
  join pipeline on pipeline.tenant_id = opportunity.tenant_id and pipeline.id = opportunity.pipeline
  where opportunity.tenant_id = c.tenant::uuid and opportunity.id = $2
  offset 0
) found
