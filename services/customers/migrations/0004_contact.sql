-- Contacts, and which accounts they are tied to now.

create table contact (
  like platform.resource including defaults including constraints,
  owner text collate "C",
  team uuid,
  given_names text collate "C" not null,
  surname text collate "C" not null,
  second_surname text collate "C" not null,
  display_name text collate "C" not null,
  salutation text not null,
  job_title text collate "C" not null,
  occupation text not null,
  email_address text collate "C",
  phone_number text collate "C",
  address jsonb,
  language_code text collate "C" not null,
  account_links jsonb not null,
  description text not null,
  country_code text collate "C" not null generated always as (coalesce(address ->> 'country_code', '')) stored,
  constraint contact_display_name_check check (display_name <> '')
);
comment on table contact is 'People we communicate with.';
comment on column contact.owner is 'Subject of the member who answers for it; not a foreign key, see member.';
comment on column contact.display_name is 'Given names and surnames together.';
comment on column contact.email_address is 'Normalised to lower case.';
comment on column contact.phone_number is 'In E.164 form.';
comment on column contact.address is 'Where the person is reached: lines, locality, region, postal_code, country_code.';
comment on column contact.account_links is
  'Accounts, current and ended: account, role, primary, start_date, end_date. The current ones are in contact_account, too.';

select platform.adopt_resource('contact');
create index contact_owner_idx on contact (tenant_id, owner, id);
create index contact_team_idx on contact (tenant_id, team, id);
create index contact_display_name_idx on contact (tenant_id, display_name, id);
create index contact_surname_idx on contact (tenant_id, surname, id);
create index contact_create_time_idx on contact (tenant_id, create_time, id);
create index contact_update_time_idx on contact (tenant_id, update_time, id);
create index contact_country_code_idx on contact (tenant_id, country_code, id);
create index contact_email_address_idx on contact (tenant_id, email_address, id) where email_address is not null;
create index contact_phone_number_idx on contact (tenant_id, phone_number, id) where phone_number is not null;

alter table contact
  add constraint contact_team_fkey foreign key (tenant_id, team) references team (tenant_id, id);

create table contact_account (
  tenant_id uuid not null,
  account uuid not null,
  contact uuid not null,
  constraint contact_account_pkey primary key (tenant_id, account, contact),
  constraint contact_account_account_fkey foreign key (tenant_id, account) references account (tenant_id, id),
  constraint contact_account_contact_fkey foreign key (tenant_id, contact) references contact (tenant_id, id)
);
comment on table contact_account is 'The links of contacts that are current, to find the contacts of an account.';
select platform.adopt('contact_account', 'select, insert, delete');
