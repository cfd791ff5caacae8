-- What is reserved for an account is told from what is open, not from all that ever was.
create index if not exists credit_reservation_open_idx on credit_reservation (tenant_id, account) where state = 'OPEN';
