-- Tax codes: how a line is taxed, at which rate and since when.
create table tax_code (
  like platform.resource including defaults including constraints,
  code text collate "C" not null,
  display_name text collate "C" not null,
  country_code text collate "C" not null,
  tax text collate "C" not null,
  category text collate "C" not null,
  rates jsonb not null,
  inclusive_allowed boolean not null,
  legal_note text not null,
  constraint tax_code_category_check check (
    category in (
      'STANDARD', 'REDUCED', 'ZERO', 'EXEMPT', 'REVERSE_CHARGE', 'INTRA_COMMUNITY', 'EXPORT', 'NOT_SUBJECT',
      'CANARY_ISLANDS', 'CEUTA_AND_MELILLA', 'WITHHOLDING'
    )
  ),
  constraint tax_code_rates_check check (
    jsonb_typeof(rates) = 'array' and jsonb_array_length(rates) between 1 and 100
  )
);
comment on table tax_code is 'How a line is taxed, at which rate and since when.';
comment on column tax_code.tax is 'Which tax it is; with category and rate it makes the groups of a document.';
comment on column tax_code.rates is
  'In the order of their days, none of which overlap: [{percent, valid_from, valid_to}]; both days are within.';
select platform.adopt_resource('tax_code');

create unique index tax_code_code_key on tax_code (tenant_id, code) where delete_time is null;
create index tax_code_code_idx on tax_code (tenant_id, code, id);
create index tax_code_create_time_idx on tax_code (tenant_id, create_time, id);
create index tax_code_update_time_idx on tax_code (tenant_id, update_time, id);
