-- The largest document of sales has 1,000 lines, beside them charges of the whole and what promotions give: it is invoiced in one call.
-- Whatever is there already has fewer lines than it may have, and is not looked at.
alter table invoice drop constraint invoice_lines_check;
alter table invoice add constraint invoice_lines_check check (
  jsonb_typeof(lines) = 'array' and jsonb_array_length(lines) between 1 and 1100
) not valid;
