-- Accounts as billing knows them: a projection of trato.customers.v1.account.* and of the answers of customers.
create table account (
  tenant_id uuid not null,
  id uuid not null,
  revision bigint not null,
  delete_time timestamptz,
  constraint account_pkey primary key (tenant_id, id)
);
comment on table account is 'Accounts that exist or existed in customers. Holds nothing that customers could not tell again.';
comment on column account.revision is 'Revision of the account this row speaks of; an older one never replaces it.';
select platform.adopt('account', 'select, insert, update, delete');
