-- Whoever invoices a quote finds the order it has become.
create index if not exists credit_reservation_quote_idx on credit_reservation (tenant_id, quote, id) where quote <> '';
