-- Prices: what a product costs in a list from a quantity on.
create table price (
  like platform.resource including defaults including constraints,
  price_list uuid not null,
  product uuid not null,
  min_quantity numeric(18,6) not null,
  unit_price numeric(18,6) not null,
  per numeric(18,6) not null,
  constraint price_price_list_fkey foreign key (tenant_id, price_list) references price_list (tenant_id, id),
  constraint price_product_fkey foreign key (tenant_id, product) references product (tenant_id, id),
  constraint price_min_quantity_check check (min_quantity >= 0),
  constraint price_unit_price_check check (unit_price >= 0),
  constraint price_per_check check (per > 0)
);
comment on table price is 'What a product costs in a price list from a quantity on.';
comment on column price.unit_price is 'Price of per, in units of the list''s currency.';
select platform.adopt_resource('price');

create unique index price_break_key on price (tenant_id, price_list, product, min_quantity) where delete_time is null;
create index price_create_time_idx on price (tenant_id, create_time, id);
create index price_update_time_idx on price (tenant_id, update_time, id);
create index price_price_list_idx on price (tenant_id, price_list, id);
create index price_product_idx on price (tenant_id, product, id);

-- Every change is an upsert, so this speaks for rows that turn out to be there, too. One of them may be saved as it is, in a
-- new revision, whatever became of its list and product: a restore does that.
create function price_guard() returns trigger language plpgsql as $$
begin
  if new.delete_time is not null then
    return new;
  end if;
  if exists (
    select from price kept
    where kept.tenant_id = new.tenant_id and kept.id = new.id
      and to_jsonb(kept) - array['revision', 'create_time', 'update_time']
        = to_jsonb(new) - array['revision', 'create_time', 'update_time']
  ) then
    return new;
  end if;
  if exists (
    select from price_list
    where tenant_id = new.tenant_id and id = new.price_list and delete_time is not null
  ) then
    raise exception using errcode = '23514', constraint = 'price_price_list_living',
      message = 'the price list is deleted';
  end if;
  if exists (
    select from product where tenant_id = new.tenant_id and id = new.product and delete_time is not null
  ) then
    raise exception using errcode = '23514', constraint = 'price_product_living', message = 'the product is deleted';
  end if;
  return new;
end $$;
create trigger price_guard before insert on price for each row execute function price_guard();
