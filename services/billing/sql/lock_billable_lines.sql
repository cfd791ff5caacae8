-- Of each line of document $2: how much is invoiced and not credited, by whichever document; how much of the line itself is left;
-- how much of what it counts for, null where it counts for nothing else; how much of the line itself may be invoiced in all, and how
-- much of that is invoiced and not credited. All of them are locked, in the order in which everybody locks.
with recursive reached as (
  select billable_line.line as asked, billable_line.document, billable_line.line, billable_line.parent_document,
    billable_line.parent_line
  from billable_line
  where billable_line.tenant_id = $1 and billable_line.document = $2
  union all
  select reached.asked, parent.document, parent.line, parent.parent_document, parent.parent_line
  from reached
  join billable_line parent on parent.tenant_id = $1 and parent.document = reached.parent_document
    and parent.line = reached.parent_line
), locked as (
  select billable_line.document, billable_line.line, billable_line.invoiced - billable_line.credited as counted,
    billable_line.basis, greatest(billable_line.basis - billable_line.invoiced + billable_line.credited, 0) as rest
  from billable_line
  where billable_line.tenant_id = $1
    and (billable_line.document, billable_line.line) in (select reached.document, reached.line from reached)
  order by billable_line.document, billable_line.line
  for update
)
select reached.asked, max(locked.counted),
  min(locked.rest) filter (where locked.document = $2), min(locked.rest) filter (where locked.document <> $2),
  max(locked.basis) filter (where locked.document = $2), max(locked.counted) filter (where locked.document = $2)
from reached
join locked using (document, line)
group by reached.asked
