-- The prices of tenant $1 in lists $2: of products $3 at the highest break that the quantities $4 reach, and of products
-- $5 at any break; at most $6 of them.
select price.price_list, price.product, price.min_quantity, price.unit_price, price.per
from unnest($2::uuid[]) as list (id)
cross join unnest($3::uuid[], $4::numeric[]) as wanted (product, quantity)
cross join lateral (
  select price_list, product, min_quantity, unit_price, per
  from price
  where price.tenant_id = $1 and price.price_list = list.id and price.product = wanted.product
    and price.delete_time is null and price.min_quantity <= wanted.quantity
  order by price.min_quantity desc
  limit 1
) price
union all
select price.price_list, price.product, price.min_quantity, price.unit_price, price.per
from unnest($2::uuid[]) as list (id)
cross join unnest($5::uuid[]) as gift (product)
cross join lateral (
  select price_list, product, min_quantity, unit_price, per
  from price
  where price.tenant_id = $1 and price.price_list = list.id and price.product = gift.product
    and price.delete_time is null
) price
limit $6
