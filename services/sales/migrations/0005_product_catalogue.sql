-- Products as a catalogue needs them: units, taxes, costs, attributes, and what bundles consist of.
alter table product
  add column unit_code text collate "C" not null default 'C62',
  add column tax_class text collate "C" not null default '',
  add column cost bigint,
  add column cost_currency text collate "C",
  add column category text collate "C" not null default '',
  add column stocked boolean not null default false,
  add column attributes jsonb not null default '{}',
  add column start_date date,
  add column end_date date,
  add column components jsonb not null default '[]',
  add constraint product_cost_check check ((cost is null) = (cost_currency is null) and cost >= 0)
    not valid,
  add constraint product_attributes_check check (jsonb_typeof(attributes) = 'object') not valid,
  add constraint product_end_date_check check (end_date >= start_date) not valid,
  add constraint product_components_check check (
    jsonb_typeof(components) = 'array' and jsonb_array_length(components) <= 100
  ) not valid;
comment on column product.unit_code is 'UN/ECE Recommendation 20.';
comment on column product.tax_class is 'Code of the tax it is sold with; empty when it is not known yet.';
comment on column product.cost is 'What one unit costs us, in the minor unit of cost_currency.';
comment on column product.attributes is 'Technical attributes: texts, numbers and truth values by key.';
comment on column product.components is 'What one consists of: [{product, factor}]; each product once.';

create index if not exists product_category_idx on product (tenant_id, category, id);

-- The same as product.components, in a form that can be walked both ways. Written by the trigger below only.
create table product_component (
  tenant_id uuid not null,
  product uuid not null,
  component uuid not null,
  factor numeric(18,6) not null,
  constraint product_component_pkey primary key (tenant_id, product, component),
  constraint product_component_product_fkey foreign key (tenant_id, product) references product (tenant_id, id),
  constraint product_component_component_fkey foreign key (tenant_id, component) references product (tenant_id, id),
  constraint product_component_factor_check check (factor > 0)
);
comment on table product_component is 'What bundles consist of. Rows of deleted products stay, and count no more.';
select platform.adopt('product_component', 'select, insert, delete');
create index product_component_component_idx on product_component (tenant_id, component, product);

-- Keeps what one row cannot say by itself: a living bundle has living components, is not within itself, is not too large,
-- and bundles are within one another at most 8 deep.
create function product_components_guard() returns trigger language plpgsql as $$
declare
  most constant integer := 10000;
  walked record;
begin
  -- One change of bundles at a time in a tenant, or two of them could make a circle that neither sees.
  perform pg_advisory_xact_lock(hashtextextended('product_component ' || new.tenant_id, 0));
  if new.delete_time is not null then
    if exists (
      select from product_component link
      join product bundle on bundle.tenant_id = link.tenant_id and bundle.id = link.product
      where link.tenant_id = new.tenant_id and link.component = new.id and bundle.delete_time is null
    ) then
      raise exception using errcode = '23514', constraint = 'product_in_bundle',
        message = 'the product is a component of a living one';
    end if;
    return null;
  end if;
  delete from product_component where tenant_id = new.tenant_id and product = new.id;
  insert into product_component (tenant_id, product, component, factor)
  select new.tenant_id, new.id, (item ->> 'product')::uuid, (item ->> 'factor')::numeric
  from jsonb_array_elements(new.components) as item;
  if exists (
    select from product_component link
    join product part on part.tenant_id = link.tenant_id and part.id = link.component
    where link.tenant_id = new.tenant_id and link.product = new.id and part.delete_time is not null
  ) then
    raise exception using errcode = '23514', constraint = 'product_components_living',
      message = 'a component is deleted';
  end if;
  if new.components = '[]' then
    return null;
  end if;
  -- Others wait meanwhile, so no walk goes on for ever: those that count end at the first too many, and those that measure
  -- have no more to walk than was counted.
  with recursive within (product, component) as (
    select product, component from product_component where tenant_id = new.tenant_id and product = new.id
    union
    select link.product, link.component
    from within
    join product_component link on link.tenant_id = new.tenant_id and link.product = within.component
  ),
  around (product) as (
    select new.id
    union
    select bundle.id
    from around
    join product_component link on link.tenant_id = new.tenant_id and link.component = around.product
    join product bundle on bundle.tenant_id = link.tenant_id and bundle.id = link.product
    where bundle.delete_time is null
  )
  select
    (select count(*) from (select from within limit most + 1) as counted) as links,
    (select count(*) from (select from around limit most + 1) as counted) as bundles
  into walked;
  if walked.links > most or walked.bundles > most then
    raise exception using errcode = '23514', constraint = 'product_components_size',
      message = 'too much would be within one another';
  end if;
  with recursive within (product, depth) as (
    select component, 1 from product_component where tenant_id = new.tenant_id and product = new.id
    union
    select link.component, within.depth + 1
    from within
    join product_component link on link.tenant_id = new.tenant_id and link.product = within.product
    where within.depth <= 8
  ),
  around (product, height) as (
    select new.id, 0
    union
    select bundle.id, around.height + 1
    from around
    join product_component link on link.tenant_id = new.tenant_id and link.component = around.product
    join product bundle on bundle.tenant_id = link.tenant_id and bundle.id = link.product
    where around.height <= 8 and bundle.delete_time is null
  )
  select
    (select coalesce(bool_or(product = new.id), false) from within) as is_circle,
    (select coalesce(max(depth), 0) from within) as depth,
    (select max(height) from around) as height
  into walked;
  if walked.is_circle then
    raise exception using errcode = '23514', constraint = 'product_components_circle',
      message = 'the product would be within itself';
  elsif walked.depth > 0 and walked.depth + walked.height > 8 then
    raise exception using errcode = '23514', constraint = 'product_components_depth',
      message = 'bundles would be too deep within one another';
  end if;
  return null;
end $$;
create trigger product_components_insert after insert on product
  for each row when (new.components <> '[]') execute function product_components_guard();
create trigger product_components_update after update on product
  for each row when (
    old.components is distinct from new.components
    or (old.delete_time is null) is distinct from (new.delete_time is null)
  ) execute function product_components_guard();
