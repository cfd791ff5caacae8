-- What is open of an account, found without all that was: what is left of payments, where what went out is never allocated, and stays;
-- and balances that were posted when they were taken over, before such were invoices and payments, which are of a ledger and of no
-- document.
create index if not exists payment_open_idx on payment (tenant_id, account)
  where state in ('SUCCEEDED', 'PARTLY_REFUNDED') and amount <> allocated + refunded;
create index if not exists posting_opening_idx on posting (tenant_id, account)
  where kind = 'OPENING' and document like 'ledgers/%';

-- No number is given twice here, and none is taken over twice. What is taken over keeps no series from its next number: it is of none,
-- by which the index tells it, so that it can be built before there is any.
create unique index if not exists invoice_number_takeover_key
  on invoice (tenant_id, legal_entity, number, (number_series is null))
  where number is not null and delete_time is null;
