-- Locks the lines of documents $2, and all that they count for, in the order in which everybody locks.
with recursive reached as (
  select billable_line.document, billable_line.line, billable_line.parent_document, billable_line.parent_line
  from billable_line
  where billable_line.tenant_id = $1 and billable_line.document = any($2)
  union
  select parent.document, parent.line, parent.parent_document, parent.parent_line
  from reached
  join billable_line parent on parent.tenant_id = $1 and parent.document = reached.parent_document
    and parent.line = reached.parent_line
)
select billable_line.line
from billable_line
where billable_line.tenant_id = $1
  and (billable_line.document, billable_line.line) in (select reached.document, reached.line from reached)
order by billable_line.document, billable_line.line
for update
