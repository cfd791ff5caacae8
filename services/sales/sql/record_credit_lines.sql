-- Notes that quantities $4 of lines $3 of invoice $2 are credited, and answers the orders they are of.
insert into billed_line (tenant_id, invoice, line, invoiced, credited)
select $1, $2, given.line, 0, given.quantity
from unnest($3::text[], $4::numeric[]) as given (line, quantity)
on conflict (tenant_id, invoice, line) do update set credited = billed_line.credited + excluded.credited
returning order_id
