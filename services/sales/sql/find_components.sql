-- What is within bundle $2 of tenant $1 at any depth, at most $3 links.
with recursive within (product, component, factor) as (
  select product, component, factor
  from product_component
  where tenant_id = $1 and product = $2
  union
  select link.product, link.component, link.factor
  from within
  join product_component link on link.tenant_id = $1 and link.product = within.component
)
select product, component, factor
from within
limit $3
