-- Promotions: who buys enough of something gets it cheaper, or something for nothing.
create table promotion (
  like platform.resource including defaults including constraints,
  display_name text collate "C" not null,
  description text not null,
  start_date date,
  end_date date,
  audience jsonb not null,
  coupon_code text collate "C",
  condition jsonb not null,
  effect jsonb not null,
  sequence integer not null,
  exclusive boolean not null,
  currency text collate "C",
  budget bigint,
  budget_used bigint not null,
  constraint promotion_end_date_check check (end_date >= start_date),
  constraint promotion_audience_check check (jsonb_typeof(audience) = 'object'),
  constraint promotion_condition_check check (jsonb_typeof(condition) = 'object'),
  constraint promotion_effect_check check (jsonb_typeof(effect) = 'object'),
  constraint promotion_currency_check check (budget is null or currency is not null),
  constraint promotion_budget_check check (budget > 0),
  constraint promotion_budget_used_check check (budget_used >= 0 and budget_used <= budget)
);
comment on table promotion is 'Price rules, coupons and gifts.';
comment on column promotion.audience is '{accounts, segments, channels}: each that is not empty must hold the one who asks.';
comment on column promotion.condition is '{products, min_quantity, min_amount}; amounts in the minor unit of currency.';
comment on column promotion.effect is 'One of percent, amount, fixed_price and free_item.';
comment on column promotion.budget is 'Most it may give in all, in the minor unit of currency.';
comment on column promotion.budget_used is 'What of the budget is used up; 0 without a budget.';
select platform.adopt_resource('promotion');

create unique index promotion_display_name_key on promotion (tenant_id, display_name) where delete_time is null;
create unique index promotion_coupon_code_key on promotion (tenant_id, coupon_code)
  where coupon_code is not null and delete_time is null;
create index promotion_display_name_idx on promotion (tenant_id, display_name, id);
create index promotion_create_time_idx on promotion (tenant_id, create_time, id);
create index promotion_update_time_idx on promotion (tenant_id, update_time, id);
create index promotion_end_date_idx on promotion (tenant_id, end_date, id);

-- What a promotion names is there.
create function promotion_guard() returns trigger language plpgsql as $$
begin
  if exists (
    select from (
      select item #>> '{}' as product from jsonb_array_elements(new.condition -> 'products') as item
      union all
      select new.effect -> 'free_item' ->> 'product'
    ) named
    where named.product is not null and not exists (
      select from product where product.tenant_id = new.tenant_id and product.id = named.product::uuid
    )
  ) then
    raise exception using errcode = '23514', constraint = 'promotion_products_known',
      message = 'a product does not exist';
  end if;
  return new;
end $$;
create trigger promotion_guard before insert on promotion for each row execute function promotion_guard();
