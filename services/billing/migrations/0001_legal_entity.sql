-- Legal entities: the companies in whose name documents are made out.
create table legal_entity (
  like platform.resource including defaults including constraints,
  display_name text collate "C" not null,
  legal_name text collate "C" not null,
  tax_ids jsonb not null,
  address jsonb,
  time_zone text collate "C" not null,
  base_currency_code text collate "C" not null,
  tax_rounding text collate "C" not null,
  e_invoice_profile text not null,
  constraint legal_entity_tax_ids_check check (
    jsonb_typeof(tax_ids) = 'array' and jsonb_array_length(tax_ids) <= 20
  ),
  constraint legal_entity_base_currency_code_check check (base_currency_code ~ '^[A-Z]{3}$'),
  constraint legal_entity_tax_rounding_check check (tax_rounding in ('GROUP', 'LINE'))
);
comment on table legal_entity is 'The companies in whose name documents are made out.';
comment on column legal_entity.tax_ids is 'Numbers by which authorities know it: [{country_code, scheme, value}].';
comment on column legal_entity.time_zone is 'Of the IANA database; tells the day of a document.';
select platform.adopt_resource('legal_entity');

create unique index legal_entity_display_name_key on legal_entity (tenant_id, display_name) where delete_time is null;
create index legal_entity_display_name_idx on legal_entity (tenant_id, display_name, id);
create index legal_entity_create_time_idx on legal_entity (tenant_id, create_time, id);
create index legal_entity_update_time_idx on legal_entity (tenant_id, update_time, id);
