-- The last draft that invoices any of documents $2, or a delivery note of one of them.
select id
from invoice
where tenant_id = $1 and state = 'DRAFT' and delete_time is null and source_document <> ''
  and source_document in (
    select unnest($2::text[])
    union all
    select document
    from delivery_note
    where tenant_id = $1 and order_name = any($2)
  )
order by id desc
limit 1
