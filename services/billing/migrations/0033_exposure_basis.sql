-- What is open of an account is found without all that was.
-- What is left of payments, by the account. What went out is never allocated, and stays.
create index if not exists payment_open_idx on payment (tenant_id, account)
  where state in ('SUCCEEDED', 'PARTLY_REFUNDED') and amount <> allocated + refunded;
create index if not exists posting_opening_idx on posting (tenant_id, account) where kind = 'OPENING';
