-- Accounts and the trees they form.

create table account (
  like platform.resource including defaults including constraints,
  owner text collate "C",
  team uuid,
  display_name text collate "C" not null,
  form text collate "C" not null,
  kinds text collate "C" not null,
  parent_account uuid,
  legal_name text collate "C" not null,
  tax_id text collate "C",
  sector text collate "C" not null,
  website text not null,
  email_address text collate "C",
  phone_number text collate "C",
  address jsonb,
  employee_count bigint,
  annual_revenue bigint,
  annual_revenue_currency text collate "C",
  founding_year bigint,
  description text not null,
  -- What lists are filtered by: operators on booleans and texts keep their speed under row-level security.
  is_customer boolean not null generated always as (strpos(kinds, 'CUSTOMER') > 0) stored,
  is_supplier boolean not null generated always as (strpos(kinds, 'SUPPLIER') > 0) stored,
  is_partner boolean not null generated always as (strpos(kinds, 'PARTNER') > 0) stored,
  is_internal boolean not null generated always as (strpos(kinds, 'INTERNAL') > 0) stored,
  country_code text collate "C" not null generated always as (coalesce(address ->> 'country_code', '')) stored,
  constraint account_form_check check (form = 'COMPANY' or (form = 'DEPARTMENT' and parent_account is not null)),
  constraint account_annual_revenue_check check (
    annual_revenue >= 0 and (annual_revenue is null) = (annual_revenue_currency is null)
  ),
  constraint account_employee_count_check check (employee_count > 0),
  constraint account_founding_year_check check (founding_year between 1000 and 9999)
);
comment on table account is 'Companies and departments we deal with.';
comment on column account.owner is 'Subject of the member who answers for it; not a foreign key, see member.';
comment on column account.form is 'COMPANY or DEPARTMENT.';
comment on column account.kinds is 'What it is to us: CUSTOMER, SUPPLIER, PARTNER, INTERNAL, in this order, joined by commas.';
comment on column account.email_address is 'Normalised to lower case.';
comment on column account.phone_number is 'In E.164 form.';
comment on column account.address is 'Main office: lines, locality, region, postal_code, country_code.';
comment on column account.annual_revenue is 'In minor units of annual_revenue_currency.';

select platform.adopt_resource('account');
create index account_owner_idx on account (tenant_id, owner, id);
create index account_team_idx on account (tenant_id, team, id);
create index account_display_name_idx on account (tenant_id, display_name, id);
create index account_create_time_idx on account (tenant_id, create_time, id);
create index account_update_time_idx on account (tenant_id, update_time, id);
create index account_sector_idx on account (tenant_id, sector, id);
create index account_country_code_idx on account (tenant_id, country_code, id);
create index account_is_customer_idx on account (tenant_id, is_customer, id);
-- Few accounts are one of these, and nobody looks for those that are not.
create index account_is_supplier_idx on account (tenant_id, id) where is_supplier;
create index account_is_partner_idx on account (tenant_id, id) where is_partner;
create index account_is_internal_idx on account (tenant_id, id) where is_internal;
create index account_parent_account_idx on account (tenant_id, parent_account, id) where parent_account is not null;
create index account_tax_id_idx on account (tenant_id, tax_id, id) where tax_id is not null;
create index account_email_address_idx on account (tenant_id, email_address, id) where email_address is not null;
create index account_phone_number_idx on account (tenant_id, phone_number, id) where phone_number is not null;

alter table account
  add constraint account_team_fkey foreign key (tenant_id, team) references team (tenant_id, id),
  add constraint account_parent_account_fkey
    foreign key (tenant_id, parent_account) references account (tenant_id, id);

-- The trees: no account is above itself, none is deeper than 20 levels, and what lives belongs to something that lives.
-- Changes of one tenant's trees wait for one another, so that each sees the ones before it: otherwise two that are
-- right alone could make a cycle together. Deleted accounts count, so that they can come back.
create function account_check_trees() returns trigger
language plpgsql set search_path = public, pg_temp as $$
declare
  cyclic boolean;
  levels_above integer;
  levels_below integer := 1;
begin
  perform pg_advisory_xact_lock(hashtextextended('account trees ' || new.tenant_id, 0));

  if new.delete_time is not null and exists (
    select from account child
    where child.tenant_id = new.tenant_id and child.parent_account = new.id and child.delete_time is null
  ) then
    raise exception using
      errcode = '23514', constraint = 'account_children_living', message = 'living accounts belong to the account';
  end if;
  if new.parent_account is null then
    return null;
  end if;

  if new.delete_time is null and exists (
    select from account parent
    where parent.tenant_id = new.tenant_id and parent.id = new.parent_account and parent.delete_time is not null
  ) then
    raise exception using
      errcode = '23514', constraint = 'account_parent_account_living', message = 'the parent account is deleted';
  end if;

  with recursive above (id, level) as (
    select new.parent_account, 1
    union all
    select parent.parent_account, above.level + 1
    from above
    join account parent on parent.tenant_id = new.tenant_id and parent.id = above.id
    where parent.parent_account is not null and above.id <> new.id and above.level < 20
  )
  select bool_or(above.id = new.id), max(above.level) into cyclic, levels_above from above;
  if cyclic then
    raise exception using
      errcode = '23514', constraint = 'account_parent_account_cycle', message = 'the account would be above itself';
  end if;

  -- What was just made has nothing below it.
  if tg_op = 'UPDATE' then
    with recursive below (id, level) as (
      select new.id, 1
      union all
      select child.id, below.level + 1
      from below
      join account child on child.tenant_id = new.tenant_id and child.parent_account = below.id
      where below.level < 21
    )
    select max(below.level) into levels_below from below;
  end if;
  if levels_above + levels_below > 20 then
    raise exception using
      errcode = '23514', constraint = 'account_parent_account_depth', message = 'the tree would be too deep';
  end if;
  return null;
end $$;
create trigger account_trees_insert after insert on account
  for each row when (new.parent_account is not null) execute function account_check_trees();
create trigger account_trees_update after update on account
  for each row when (
    new.parent_account is distinct from old.parent_account
    or (new.delete_time is null) is distinct from (old.delete_time is null)
  ) execute function account_check_trees();
