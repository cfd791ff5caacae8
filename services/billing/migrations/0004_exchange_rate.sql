-- Exchange rates: what a currency was worth on a day.
create table exchange_rate (
  like platform.resource including defaults including constraints,
  date date not null,
  from_currency_code text collate "C" not null,
  to_currency_code text collate "C" not null,
  rate numeric(30, 12) not null,
  origin text collate "C" not null,
  constraint exchange_rate_rate_check check (rate > 0),
  constraint exchange_rate_to_currency_code_check check (from_currency_code <> to_currency_code)
);
comment on table exchange_rate is 'What a unit of one currency was worth in another on a day.';
comment on column exchange_rate.rate is 'Units of the second currency for one of the first.';
select platform.adopt_resource('exchange_rate');

create unique index exchange_rate_date_key
  on exchange_rate (tenant_id, from_currency_code, to_currency_code, origin, date) where delete_time is null;
create index exchange_rate_date_idx on exchange_rate (tenant_id, date, id);
create index exchange_rate_create_time_idx on exchange_rate (tenant_id, create_time, id);
create index exchange_rate_update_time_idx on exchange_rate (tenant_id, update_time, id);
