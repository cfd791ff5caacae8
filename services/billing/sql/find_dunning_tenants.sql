-- Tenants after $1 that have a dunning policy, dunning to clear, or something of the job $3 that is parked: the first $2.
select tenant_id from dunning_policy where delete_time is null and ($1::uuid is null or tenant_id > $1)
union
select tenant_id from dunning_state where state = 'ACTIVE' and ($1::uuid is null or tenant_id > $1)
union
select tenant_id from parked_task where state = 'PARKED' and kind = $3 and ($1::uuid is null or tenant_id > $1)
order by tenant_id
limit $2
