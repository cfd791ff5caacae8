-- What a document must know of the products $2 of tenant $1.
select
  id, delete_time is not null, sellable, start_date, end_date, tax_class, unit_code, list_price, currency,
  option_groups, display_name, cost, cost_currency
from product
where tenant_id = $1 and id = any($2::uuid[])
