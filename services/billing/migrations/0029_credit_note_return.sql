-- A credit note says of which return of sales it is: of one return there is one for an invoice.
alter table credit_note add column sales_return text collate "C" not null default '';
comment on column credit_note.sales_return is 'The return that it credits, in sales; empty when it is of none.';

create unique index if not exists credit_note_sales_return_key on credit_note (tenant_id, sales_return, invoice)
  where sales_return <> '' and delete_time is null;
