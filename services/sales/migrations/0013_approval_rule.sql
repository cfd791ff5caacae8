-- Approval rules: which quotes somebody must approve before they are sent, and who.
create table approval_rule (
  like platform.resource including defaults including constraints,
  display_name text collate "C" not null,
  description text not null,
  disabled boolean not null,
  min_net bigint,
  currency text collate "C",
  min_discount_percent numeric(18, 6),
  max_margin_percent numeric(18, 6),
  approver text collate "C",
  approver_team uuid,
  sequence integer not null,
  constraint approval_rule_min_net_check check ((min_net is null) = (currency is null) and min_net >= 0),
  constraint approval_rule_min_discount_percent_check check (min_discount_percent between 0 and 100),
  constraint approval_rule_max_margin_percent_check check (max_margin_percent between 0 and 100)
);
comment on table approval_rule is 'Which quotes must be approved, and by whom.';
comment on column approval_rule.min_net is 'Total without tax at least, in the minor unit of currency.';
comment on column approval_rule.min_discount_percent is 'What discounts by hand take of what is listed, at least.';
comment on column approval_rule.max_margin_percent is 'What is left after the cost, less than.';
comment on column approval_rule.approver is 'Subject of the member who approves.';
comment on column approval_rule.approver_team is 'Whose members approve; in the directory.';
select platform.adopt_resource('approval_rule');

create index approval_rule_display_name_idx on approval_rule (tenant_id, display_name, id);
create index approval_rule_create_time_idx on approval_rule (tenant_id, create_time, id);
create index approval_rule_update_time_idx on approval_rule (tenant_id, update_time, id);
-- Those that are asked, in their order.
create index approval_rule_sequence_idx on approval_rule (tenant_id, sequence, id)
  where delete_time is null and not disabled;
