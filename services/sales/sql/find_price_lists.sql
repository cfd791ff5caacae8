-- The price lists of tenant $1 that a document can ask: in currency $2, on day $3, for account $4, segment $5 and channel
-- $6, at most $7 of them; or only the list $8, whatever it is. The default list comes on any day: it says whether prices
-- include taxes also where it has no price.
with asked (id) as (
  select list.id
  from price_list list
  where $8::uuid is null and list.tenant_id = $1 and list.currency = $2 and list.delete_time is null
    and list.audience -> 'accounts' = '[]'
  union all
  select own.price_list
  from price_list_account own
  where $8::uuid is null and own.tenant_id = $1 and own.account = $4
  union all
  select $8
  where $8::uuid is not null
)
select
  list.id, list.delete_time is not null,
  list.display_name, list.currency, list.prices, list.start_date, list.end_date, list.audience, list.priority,
  list.is_default
from asked
join price_list list on list.tenant_id = $1 and list.id = asked.id
where $8 is not null or (
  list.delete_time is null and list.currency = $2
  and (list.is_default or (
    (list.start_date is null or list.start_date <= $3) and (list.end_date is null or list.end_date >= $3)
  ))
  and (list.audience -> 'segments' = '[]' or list.audience -> 'segments' ? $5)
  and (list.audience -> 'channels' = '[]' or list.audience -> 'channels' ? $6)
)
order by list.id
limit $7
