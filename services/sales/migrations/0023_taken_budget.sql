-- What documents have taken of the budgets of promotions, so that a budget gets back what it gave: a promotion may have been
-- without one when a document took it.
create table taken_budget (
  tenant_id uuid not null,
  promotion uuid not null,
  document uuid not null,
  amount bigint not null,
  constraint taken_budget_pkey primary key (tenant_id, promotion, document),
  constraint taken_budget_promotion_fkey foreign key (tenant_id, promotion) references promotion (tenant_id, id),
  constraint taken_budget_amount_check check (amount > 0)
);
comment on table taken_budget is 'What documents have taken of the budgets of promotions and not given back.';
comment on column taken_budget.document is 'The quote that was accepted, or the order that was confirmed without one.';
comment on column taken_budget.amount is 'In the minor unit of the promotion''s currency.';
select platform.adopt('taken_budget', 'select, insert, update, delete');
