-- How often a promotion may be used, and was; a coupon for one use is a promotion with a most of one.
alter table promotion add column max_uses integer;
alter table promotion add column uses integer not null default 0;
alter table promotion add constraint promotion_max_uses_check check (max_uses > 0) not valid;
alter table promotion add constraint promotion_uses_check check (uses >= 0 and uses <= max_uses) not valid;
comment on column promotion.max_uses is 'How many documents may take it; any number when null.';
comment on column promotion.uses is 'How many documents have taken it.';
