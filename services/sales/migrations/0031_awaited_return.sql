-- Returns that nobody decides on, and those that do not come: an index that holds only them, as for everything that stands still.
create index if not exists sales_return_awaited_idx on sales_return (tenant_id, update_time, id)
  where state in ('REQUESTED', 'AUTHORISED') and delete_time is null;
