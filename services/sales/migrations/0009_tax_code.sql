-- Tax codes as sales knows them: a projection of trato.billing.v1.tax_code.*.
create table tax_code (
  tenant_id uuid not null,
  id uuid not null,
  revision bigint not null,
  delete_time timestamptz,
  code text collate "C" not null,
  tax text not null,
  category text not null,
  rates jsonb not null,
  inclusive_allowed boolean not null,
  legal_note text not null,
  constraint tax_code_pkey primary key (tenant_id, id)
);
comment on table tax_code is 'Tax codes of billing. Holds nothing that billing could not tell again.';
comment on column tax_code.revision is 'Revision of the tax code this row speaks of; an older one never replaces it.';
comment on column tax_code.tax is 'Which tax it is, such as VAT.';
comment on column tax_code.category is 'Code of UNTDID 5305; empty for what is withheld.';
comment on column tax_code.rates is '[{percent, from, until}]: percentages and the days on which they are valid.';
select platform.adopt('tax_code', 'select, insert, update, delete');
-- A deleted code may come again, and the two events may be heard in any order, so this is not unique.
create index tax_code_code_idx on tax_code (tenant_id, code, id) where delete_time is null;
