-- Deletes, of the next $3 events after position $2, those recorded before $1 that are neither unpublished (lease $4) nor
-- the newest of a living aggregate. Answers how many went, and the position to go on from; null at the end.
with page as materialized (
  select id, create_time, tenant_id, subject, revision, type, position
  from platform.event
  where position > $2
    and position <= (select published from platform.lease where name = $4)
    and create_time < $1
  order by position
  limit $3
), gone as (
  delete from platform.event event
  using page
  where event.id = page.id and event.create_time = page.create_time
    and (
      page.type like '%.deleted'
      or exists (
        select
        from platform.event newer
        where newer.tenant_id = page.tenant_id and newer.subject = page.subject and newer.revision > page.revision
      )
    )
  returning event.id
)
select (select max(position) from page) as last, (select count(*) from gone) as gone
