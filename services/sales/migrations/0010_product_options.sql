-- What can be chosen of a product when it is sold.
alter table product
  add column option_groups jsonb not null default '[]',
  add constraint product_option_groups_check check (
    jsonb_typeof(option_groups) = 'array' and jsonb_array_length(option_groups) <= 50
  ) not valid;
comment on column product.option_groups is
  'Groups of options: [{key, display_name, min_count, max_count, options}]; keys are unique within the product.';
