-- Notes that lines $3 of invoice $2 are of lines $5 of order $4 or of quote $7, with quantities $6. A credit note may have
-- been heard of before.
insert into billed_line (tenant_id, invoice, line, order_id, quote, order_line, invoiced, credited)
select $1, $2, given.line, $4, $7, given.order_line, given.quantity, 0
from unnest($3::text[], $5::text[], $6::numeric[]) as given (line, order_line, quantity)
on conflict (tenant_id, invoice, line) do update set
  order_id = excluded.order_id,
  quote = excluded.quote,
  order_line = excluded.order_line,
  invoiced = excluded.invoiced
