-- The published version of return policy $2, if there is one, and the number of the last version.
select
  (
    select id from return_policy
    where tenant_id = $1 and code = $2 and state = 'PUBLISHED' and delete_time is null
  ),
  (
    select coalesce(max(version), 0) from return_policy
    where tenant_id = $1 and code = $2
  )
