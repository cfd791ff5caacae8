-- No draft is issued beyond what may be invoiced by then: what was cancelled since it was written is taken off it, or it is deleted.
create function invoice_within_basis() returns trigger language plpgsql as $$
declare
  exceeded record;
begin
  with recursive reached as (
    select billable_line.document, billable_line.line, billable_line.parent_document, billable_line.parent_line
    from billable_line
    where billable_line.tenant_id = new.tenant_id and billable_line.document = new.source_document
      and billable_line.line in (select own ->> 'source_line' from jsonb_array_elements(new.lines) as own)
    union
    select parent.document, parent.line, parent.parent_document, parent.parent_line
    from reached
    join billable_line parent on parent.tenant_id = new.tenant_id and parent.document = reached.parent_document
      and parent.line = reached.parent_line
  )
  select billable_line.document, billable_line.line, billable_line.basis,
    billable_line.invoiced - billable_line.credited as counted
  into exceeded
  from reached
  join billable_line on billable_line.tenant_id = new.tenant_id and billable_line.document = reached.document
    and billable_line.line = reached.line
  where billable_line.invoiced - billable_line.credited > billable_line.basis
  order by billable_line.document, billable_line.line
  limit 1;
  if found then
    raise exception using errcode = '23514', constraint = 'billable_line_exceeded',
      message = format('%s of line %s of %s would be invoiced, and %s may be',
        exceeded.counted, exceeded.line, exceeded.document, exceeded.basis);
  end if;
  return new;
end $$;
create trigger invoice_within_basis before update on invoice
  for each row when (old.state = 'DRAFT' and new.state = 'ISSUED' and new.source_document <> '')
  execute function invoice_within_basis();
