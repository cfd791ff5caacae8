-- An entry of a bank statement that could not be booked is parked with all that it takes to try it again.
alter table parked_task add column bank_entry jsonb;
comment on column parked_task.bank_entry is
  'The entry of a bank statement that it is for: {legal_entity, line}; null for other kinds, whose subject says all.';
