-- Which of the accounts $2 does sales know, deleted or not?
with c as materialized (select set_config('trato.tenant_id', $1, true) as tenant)
select found.id
from c, lateral (
  select account.id
  from account
  where account.tenant_id = c.tenant::uuid and account.id = any($2::uuid[])
  offset 0
) found
