-- Products as billing knows them: a projection of trato.sales.v1.product.* and of the answers of sales.
create table product (
  tenant_id uuid not null,
  id uuid not null,
  revision bigint not null,
  delete_time timestamptz,
  constraint product_pkey primary key (tenant_id, id)
);
comment on table product is 'Products that exist or existed in sales. Holds nothing that sales could not tell again.';
comment on column product.revision is 'Revision of the product this row speaks of; an older one never replaces it.';
select platform.adopt('product', 'select, insert, update, delete');
