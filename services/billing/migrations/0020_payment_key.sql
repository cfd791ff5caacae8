-- What a bank calls an entry is unique within the bank's accounts, which are of one legal entity.
drop index payment_external_key_key;
create unique index payment_external_key_key on payment (tenant_id, legal_entity, external_key)
  where external_key <> '' and delete_time is null;

-- Who pays a statement's amount is looked for among what a legal entity has open.
create index if not exists invoice_legal_entity_open_idx on invoice (tenant_id, legal_entity, open) where open > 0;
