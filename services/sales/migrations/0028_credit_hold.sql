-- Which accounts billing has on hold, and which orders are held with them.
create table credit_hold (
  tenant_id uuid not null,
  credit_profile uuid not null,
  account uuid not null,
  revision bigint not null,
  is_held boolean not null,
  reason text not null,
  constraint credit_hold_pkey primary key (tenant_id, credit_profile)
);
comment on table credit_hold is 'What credit profiles of billing say of holds, as its events told.';
comment on column credit_hold.account is 'In customers.';
comment on column credit_hold.revision is 'Revision of the credit profile this row speaks of; an older one never replaces it.';
select platform.adopt('credit_hold');

create index credit_hold_account_idx on credit_hold (tenant_id, account);

alter table sales_order add column held_with_account boolean not null default false;
comment on column sales_order.held_with_account is 'The hold is that of its account, and ends with it.';
