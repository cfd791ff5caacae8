-- What is within the products $2 of tenant $1 at any depth, at most $3 links; and each of the products that has components, without one.
with recursive within (product, component, factor) as (
  select product, component, factor
  from product_component
  where tenant_id = $1 and product = any($2::uuid[])
  union
  select link.product, link.component, link.factor
  from within
  join product_component link on link.tenant_id = $1 and link.product = within.component
),
found as (
  select product, component, factor
  from within
  limit $3
)
select product, component, factor
from found
union all
select distinct product, null::uuid, null::numeric
from product_component
where tenant_id = $1 and product = any($2::uuid[])
