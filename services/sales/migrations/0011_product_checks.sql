-- What products before the catalogue are checked for, too, while others write.
alter table product
  validate constraint product_cost_check,
  validate constraint product_attributes_check,
  validate constraint product_end_date_check,
  validate constraint product_components_check,
  validate constraint product_option_groups_check;
