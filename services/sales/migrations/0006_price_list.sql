-- Price lists: for whom prices are, in which currency, and when.
create table price_list (
  like platform.resource including defaults including constraints,
  display_name text collate "C" not null,
  currency text collate "C" not null,
  prices text collate "C" not null,
  start_date date,
  end_date date,
  audience jsonb not null,
  priority integer not null,
  is_default boolean not null,
  constraint price_list_prices_check check (prices in ('NET', 'TAX_INCLUSIVE')),
  constraint price_list_end_date_check check (end_date >= start_date),
  constraint price_list_audience_check check (jsonb_typeof(audience) = 'object'),
  constraint price_list_is_default_check check (
    not is_default or audience <@ '{"accounts": [], "segments": [], "channels": []}'
  )
);
comment on table price_list is 'For whom prices are, in which currency, and when.';
comment on column price_list.audience is '{accounts, segments, channels}: each that is not empty must hold the one who asks.';
comment on column price_list.is_default is 'Documents of the currency that do not say it take from here whether prices include taxes.';
select platform.adopt_resource('price_list');

create unique index price_list_display_name_key on price_list (tenant_id, display_name) where delete_time is null;
create unique index price_list_is_default_key on price_list (tenant_id, currency)
  where is_default and delete_time is null;
create index price_list_display_name_idx on price_list (tenant_id, display_name, id);
create index price_list_create_time_idx on price_list (tenant_id, create_time, id);
create index price_list_update_time_idx on price_list (tenant_id, update_time, id);
-- Those that are not for some accounts only; there may be one for each account besides.
create index price_list_currency_idx on price_list (tenant_id, currency, id)
  where delete_time is null and audience -> 'accounts' = '[]';

-- Which accounts have lists of their own. Written by the trigger below only.
create table price_list_account (
  tenant_id uuid not null,
  account uuid not null,
  price_list uuid not null,
  constraint price_list_account_pkey primary key (tenant_id, account, price_list),
  constraint price_list_account_price_list_fkey foreign key (tenant_id, price_list)
    references price_list (tenant_id, id)
);
comment on table price_list_account is 'The accounts in price_list.audience, by which an account finds its lists.';
select platform.adopt('price_list_account', 'select, insert, delete');
create index price_list_account_price_list_idx on price_list_account (tenant_id, price_list);

create function price_list_accounts() returns trigger language plpgsql as $$
begin
  delete from price_list_account where tenant_id = new.tenant_id and price_list = new.id;
  insert into price_list_account (tenant_id, account, price_list)
  select new.tenant_id, account::uuid, new.id
  from jsonb_array_elements_text(new.audience -> 'accounts') as account;
  return null;
end $$;
create trigger price_list_accounts_insert after insert on price_list
  for each row when (new.audience -> 'accounts' <> '[]') execute function price_list_accounts();
create trigger price_list_accounts_update after update on price_list
  for each row when (old.audience is distinct from new.audience) execute function price_list_accounts();
