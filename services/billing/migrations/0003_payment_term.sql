-- Payment terms: when what is invoiced is due.
create table payment_term (
  like platform.resource including defaults including constraints,
  code text collate "C" not null,
  display_name text collate "C" not null,
  days integer not null,
  rule text collate "C" not null,
  constraint payment_term_days_check check (days between 0 and 3650),
  constraint payment_term_rule_check check (rule in ('NET', 'DAYS_THEN_END_OF_MONTH', 'END_OF_MONTH_THEN_DAYS'))
);
comment on table payment_term is 'When what is invoiced is due.';
comment on column payment_term.rule is 'From which day the days are counted, and where that leads.';
select platform.adopt_resource('payment_term');

create unique index payment_term_code_key on payment_term (tenant_id, code) where delete_time is null;
create index payment_term_code_idx on payment_term (tenant_id, code, id);
create index payment_term_create_time_idx on payment_term (tenant_id, create_time, id);
create index payment_term_update_time_idx on payment_term (tenant_id, update_time, id);
