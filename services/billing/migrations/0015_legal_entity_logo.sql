-- What stands on documents beside name and address: the account to pay to, the foot, and the logo. Logos are kept by their
-- content for ever, so that a document is printed again as it was.
create table legal_entity_logo (
  tenant_id uuid not null,
  hash bytea not null,
  content bytea not null,
  constraint legal_entity_logo_pkey primary key (tenant_id, hash),
  constraint legal_entity_logo_hash_check check (hash = sha256(content)),
  constraint legal_entity_logo_content_check check (length(content) between 1 and 262144)
);
comment on table legal_entity_logo is 'Logos of legal entities and of the documents that were issued with them.';
comment on column legal_entity_logo.hash is 'SHA-256 of the content.';
comment on column legal_entity_logo.content is 'The image, PNG or JPEG.';
select platform.adopt('legal_entity_logo', 'select, insert');

create function legal_entity_logo_guard() returns trigger language plpgsql as $$
begin
  raise exception using errcode = '23514', constraint = 'legal_entity_logo_immutable',
    message = 'documents are printed with the logo';
end $$;
create trigger legal_entity_logo_guard before update or delete on legal_entity_logo
  for each row execute function legal_entity_logo_guard();
create trigger legal_entity_logo_truncate before truncate on legal_entity_logo
  for each statement execute function refuse_truncate();

alter table legal_entity add column iban text not null default '';
alter table legal_entity add column bic text not null default '';
alter table legal_entity add column document_footer text not null default '';
alter table legal_entity add column logo bytea;
alter table legal_entity add constraint legal_entity_logo_fkey foreign key (tenant_id, logo)
  references legal_entity_logo (tenant_id, hash);
comment on column legal_entity.iban is 'Account to pay to; may be empty.';
comment on column legal_entity.logo is 'Hash of the logo; null without one.';
