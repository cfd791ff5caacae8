-- The promotions of tenant $1 that can apply to a document in currency $2 on day $3, for account $4, segment $5 and
-- channel $6, with coupon codes $7; at most $8 of them.
select
  id,
  display_name, description, start_date, end_date, audience, coupon_code, condition, effect, sequence, exclusive,
  currency, budget, budget_used, max_uses, uses
from promotion
where tenant_id = $1 and delete_time is null
  and (currency is null or currency = $2)
  and (start_date is null or start_date <= $3)
  and (end_date is null or end_date >= $3)
  and (coupon_code is null or coupon_code = any($7::text[]))
  and (max_uses is null or uses < max_uses)
  and (audience -> 'accounts' = '[]' or audience -> 'accounts' ? $4)
  and (audience -> 'segments' = '[]' or audience -> 'segments' ? $5)
  and (audience -> 'channels' = '[]' or audience -> 'channels' ? $6)
order by id
limit $8
