-- What opportunities refer to in this database: pipelines ($2), products ($3), accounts ($4), and the default pipeline.
with c as materialized (select set_config('trato.tenant_id', $1, true) as tenant)
select found.kind, found.id, found.deleted, found.stages
from c, lateral (
  (
    select 'default' as kind, pipeline.id, false as deleted, pipeline.stages
    from pipeline
    where pipeline.tenant_id = c.tenant::uuid and pipeline.delete_time is null
    order by pipeline.id
    limit 1
  )
  union all
  select 'pipeline', pipeline.id, pipeline.delete_time is not null, pipeline.stages
  from pipeline
  where pipeline.tenant_id = c.tenant::uuid and pipeline.id = any($2::uuid[])
  union all
  select 'product', product.id, product.delete_time is not null, null
  from product
  where product.tenant_id = c.tenant::uuid and product.id = any($3::uuid[])
  union all
  select 'account', account.id, account.delete_time is not null, null
  from account
  where account.tenant_id = c.tenant::uuid and account.id = any($4::uuid[])
  offset 0
) found
