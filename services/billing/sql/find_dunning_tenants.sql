-- Tenants after $1 that have a dunning policy, or dunning to clear: the first $2.
select tenant_id from dunning_policy where delete_time is null and ($1::uuid is null or tenant_id > $1)
union
select tenant_id from dunning_state where state = 'ACTIVE' and ($1::uuid is null or tenant_id > $1)
order by tenant_id
limit $2
