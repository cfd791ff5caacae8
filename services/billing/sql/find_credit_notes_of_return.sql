-- The first living credit note of return $2; the first one that waits to be issued, which draft $3 does not; and the first one that was
-- made together with a living one and deleted, so that a part of the return is not credited.
with living as (
  select credit_note.id, credit_note.state, credit_note.create_time
  from credit_note
  where credit_note.tenant_id = $1 and credit_note.sales_return = $2 and credit_note.sales_return <> ''
    and credit_note.delete_time is null
)
select (
  select living.id from living order by living.id limit 1
), (
  select living.id
  from living
  where living.state = 'DRAFT' and living.id is distinct from $3
  order by living.id
  limit 1
), (
  select deleted.id
  from credit_note deleted
  where deleted.tenant_id = $1 and deleted.create_time in (select living.create_time from living)
    and deleted.sales_return = $2 and deleted.delete_time is not null
  order by deleted.id
  limit 1
)
