-- The approval rules of tenant $1 that are asked, in their order; at most $2 of them.
select
  id,
  display_name, description, disabled, min_net, currency, min_discount_percent, max_margin_percent, approver,
  approver_team, sequence
from approval_rule
where tenant_id = $1 and delete_time is null and not disabled
order by sequence, id
limit $2
