-- Credit profiles: how much accounts may owe.
create table credit_profile (
  like platform.resource including defaults including constraints,
  account uuid not null,
  credit_limit bigint,
  currency_code text collate "C",
  hold boolean not null,
  hold_reason text not null,
  constraint credit_profile_credit_limit_check check (
    credit_limit >= 0 and (credit_limit is null) = (currency_code is null)
  )
);
comment on table credit_profile is 'How much accounts may owe.';
comment on column credit_profile.credit_limit is 'In the minor unit of the currency; no limit when null.';
select platform.adopt_resource('credit_profile');

create unique index credit_profile_account_key on credit_profile (tenant_id, account) where delete_time is null;
create index credit_profile_create_time_idx on credit_profile (tenant_id, create_time, id);
create index credit_profile_update_time_idx on credit_profile (tenant_id, update_time, id);
