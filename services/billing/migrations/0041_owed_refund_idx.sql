-- Refunds that are owed, over all tenants, found without all else that is open.
create index if not exists invoice_owed_refund_idx on invoice (update_time) where open < 0;
