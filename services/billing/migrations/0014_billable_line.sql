-- What of documents of sales may be invoiced, and how much of it is: a ledger of quantities that every invoice moves.
create table billable_line (
  tenant_id uuid not null,
  document text collate "C" not null,
  line text collate "C" not null,
  basis numeric(18, 6) not null,
  invoiced numeric(18, 6) not null default 0,
  credited numeric(18, 6) not null default 0,
  parent_document text collate "C",
  parent_line text collate "C",
  revision bigint not null,
  constraint billable_line_pkey primary key (tenant_id, document, line),
  constraint billable_line_parent_check check ((parent_document is null) = (parent_line is null)),
  constraint billable_line_parent_document_check check (parent_document > document),
  constraint billable_line_quantities_check check (basis >= 0 and credited between 0 and invoiced)
);
comment on table billable_line is 'How much of each line of a document of sales may be invoiced, is invoiced, and of that is credited.';
comment on column billable_line.basis is 'How much may be invoiced, as far as sales has told. It may have become less since.';
comment on column billable_line.invoiced is 'On invoices that are not void, drafts among them.';
comment on column billable_line.parent_document is
  'Where the same quantity counts as well: the order of a delivery note, the quote of an order. Names sort after their children, which is the order in which rows are locked.';
comment on column billable_line.revision is 'Revision of the document that the basis speaks of; an older one never replaces it.';
select platform.adopt('billable_line', 'select, insert, update');

-- No new invoice goes beyond the basis; one that is there may, when something comes back later.
create function billable_line_guard() returns trigger language plpgsql as $$
begin
  if new.invoiced > old.invoiced and new.invoiced - new.credited > new.basis then
    raise exception using errcode = '23514', constraint = 'billable_line_exceeded',
      message = format('%s of line %s of %s would be invoiced, and %s may be',
        new.invoiced - new.credited, new.line, new.document, new.basis);
  end if;
  return new;
end $$;
create trigger billable_line_guard before update on billable_line
  for each row execute function billable_line_guard();

-- Moves quantities of lines, and of all that they count for as well, in the order in which everybody locks.
create function move_billable(tenant uuid, moves jsonb) returns void language plpgsql as $$
declare
  moved record;
begin
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

-- An invoice takes what its lines say for as long as it is neither deleted nor void.
create function invoice_moves_billable() returns trigger language plpgsql as $$
begin
  perform move_billable(coalesce(new.tenant_id, old.tenant_id), coalesce((
    select jsonb_agg(jsonb_build_object('document', side.document, 'line', line ->> 'source_line',
      'invoiced', side.sign * (line ->> 'quantity')::numeric, 'credited', 0))
    from (
      values
        (new.source_document, new.lines, 1, new.delete_time is null and new.state <> 'VOID'),
        (old.source_document, old.lines, -1, old.delete_time is null and old.state <> 'VOID')
    ) as side (document, lines, sign, counts)
    cross join jsonb_array_elements(side.lines) as line
    where side.counts and line ->> 'source_line' <> ''
  ), '[]'));
  return null;
end $$;
create trigger invoice_billable_insert after insert on invoice
  for each row when (new.source_document <> '') execute function invoice_moves_billable();
create trigger invoice_billable_update after update on invoice
  for each row when (
    (new.source_document <> '' or old.source_document <> '')
    and (new.source_document, new.lines, new.state = 'VOID', new.delete_time is null)
      is distinct from (old.source_document, old.lines, old.state = 'VOID', old.delete_time is null)
  ) execute function invoice_moves_billable();

-- A credit note that is issued credits the quantities of its lines.
create function credit_note_moves_billable() returns trigger language plpgsql as $$
begin
  perform move_billable(new.tenant_id, coalesce((
    select jsonb_agg(jsonb_build_object('document', invoice.source_document, 'line', line ->> 'source_line',
      'invoiced', 0, 'credited', abs((item ->> 'quantity')::numeric)))
    from invoice
    cross join jsonb_array_elements(invoice.lines) as line
    join jsonb_array_elements(new.credit -> 'items') as item on item #>> '{amounts,key}' = line ->> 'key'
    where invoice.tenant_id = new.tenant_id and invoice.id = new.invoice and invoice.source_document <> ''
      and line ->> 'source_line' <> '' and (item ->> 'quantity')::numeric <> 0
  ), '[]'));
  return null;
end $$;
create trigger credit_note_billable after update on credit_note
  for each row when (old.state = 'DRAFT' and new.state = 'ISSUED') execute function credit_note_moves_billable();
