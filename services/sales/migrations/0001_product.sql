-- Products: what is sold and bought.
create table product (
  like platform.resource including defaults including constraints,
  display_name text collate "C" not null,
  sku text collate "C",
  series text collate "C" not null,
  kind text collate "C" not null,
  list_price bigint,
  currency text collate "C",
  sellable boolean not null,
  purchasable boolean not null,
  description text not null,
  constraint product_kind_check check (kind in ('GOOD', 'SERVICE')),
  constraint product_list_price_check check ((list_price is null) = (currency is null) and list_price >= 0)
);
comment on table product is 'What is sold and bought.';
comment on column product.list_price is 'Suggested price of one unit, in the minor unit of currency.';
select platform.adopt_resource('product');

create unique index product_display_name_key on product (tenant_id, display_name) where delete_time is null;
create unique index product_sku_key on product (tenant_id, sku) where sku is not null and delete_time is null;
create index product_display_name_idx on product (tenant_id, display_name, id);
create index product_create_time_idx on product (tenant_id, create_time, id);
create index product_update_time_idx on product (tenant_id, update_time, id);
create index product_series_idx on product (tenant_id, series, id);
