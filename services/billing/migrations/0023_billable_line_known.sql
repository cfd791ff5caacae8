-- An invoice moves lines that sales has told of, or is refused: what is counted nowhere could be invoiced once more, and taking it
-- back would take what others have counted.
create or replace function move_billable(tenant uuid, moves jsonb) returns void language plpgsql as $$
declare
  moved record;
begin
  select move ->> 'document' as document, move ->> 'line' as line into moved
  from jsonb_array_elements(moves) as move
  where not exists (
    select from billable_line
    where billable_line.tenant_id = tenant and billable_line.document = move ->> 'document'
      and billable_line.line = move ->> 'line'
  )
  group by 1, 2
  having sum((move ->> 'invoiced')::numeric) > 0
  limit 1;
  if found then
    raise exception using errcode = '23514', constraint = 'billable_line_known',
      message = format('line %s of %s is not known', moved.line, moved.document);
  end if;
  for moved in
    with recursive asked as (
      select move ->> 'document' as document, move ->> 'line' as line,
        sum((move ->> 'invoiced')::numeric) as invoiced, sum((move ->> 'credited')::numeric) as credited
      from jsonb_array_elements(moves) as move
      group by 1, 2
      having sum((move ->> 'invoiced')::numeric) <> 0 or sum((move ->> 'credited')::numeric) <> 0
    ), reached as (
      select billable_line.document, billable_line.line, billable_line.parent_document, billable_line.parent_line,
        asked.invoiced, asked.credited
      from asked
      join billable_line on billable_line.tenant_id = tenant and billable_line.document = asked.document
        and billable_line.line = asked.line
      union all
      select parent.document, parent.line, parent.parent_document, parent.parent_line, reached.invoiced, reached.credited
      from reached
      join billable_line parent on parent.tenant_id = tenant and parent.document = reached.parent_document
        and parent.line = reached.parent_line
    )
    select reached.document, reached.line, sum(reached.invoiced) as invoiced, sum(reached.credited) as credited
    from reached
    group by 1, 2
    order by 1, 2
  loop
    update billable_line set
      invoiced = billable_line.invoiced + moved.invoiced,
      credited = billable_line.credited + moved.credited
    where billable_line.tenant_id = tenant and billable_line.document = moved.document
      and billable_line.line = moved.line;
  end loop;
end $$;

-- Invoices that are recorded together move their lines together, in the order in which everybody locks, whatever their own is.
create function invoices_move_billable() returns trigger language plpgsql as $$
begin
  perform move_billable(moves.tenant_id, moves.all_of_them)
  from (
    select inserted.tenant_id, jsonb_agg(jsonb_build_object('document', inserted.source_document,
      'line', line ->> 'source_line', 'invoiced', (line ->> 'quantity')::numeric, 'credited', 0)) as all_of_them
    from inserted
    cross join jsonb_array_elements(inserted.lines) as line
    where inserted.source_document <> '' and line ->> 'source_line' <> '' and inserted.delete_time is null
      and inserted.state <> 'VOID'
    group by inserted.tenant_id
  ) as moves;
  return null;
end $$;
drop trigger invoice_billable_insert on invoice;
create trigger invoice_billable_insert after insert on invoice
  referencing new table as inserted for each statement execute function invoices_move_billable();
