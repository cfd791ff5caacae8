-- What quotes and delivery notes are printed with: projections of trato.billing.v1.legal_entity.* and of
-- trato.customers.v1.account.*, and, with each document, what was printed on it when it was sent or issued.
create table legal_entity (
  tenant_id uuid not null,
  id uuid not null,
  revision bigint not null,
  delete_time timestamptz,
  issuer jsonb not null,
  constraint legal_entity_pkey primary key (tenant_id, id)
);
comment on table legal_entity is 'Legal entities of billing. Holds nothing that billing could not tell again.';
comment on column legal_entity.revision is 'Revision of the legal entity this row speaks of; an older one never replaces it.';
comment on column legal_entity.issuer is 'What stands of it on documents: {legal_name, tax_ids, address, document_footer, logo}.';
select platform.adopt('legal_entity', 'select, insert, update, delete');

create table legal_entity_logo (
  tenant_id uuid not null,
  hash bytea not null,
  content bytea not null,
  constraint legal_entity_logo_pkey primary key (tenant_id, hash),
  constraint legal_entity_logo_hash_check check (hash = sha256(content)),
  constraint legal_entity_logo_content_check check (length(content) between 1 and 262144)
);
comment on table legal_entity_logo is 'Logos by their content, for ever: documents are printed again with the one of then.';
comment on column legal_entity_logo.hash is 'SHA-256 of the content.';
comment on column legal_entity_logo.content is 'The image, PNG or JPEG.';
select platform.adopt('legal_entity_logo', 'select, insert');

create table recipient (
  tenant_id uuid not null,
  id uuid not null,
  revision bigint not null,
  recipient jsonb not null,
  constraint recipient_pkey primary key (tenant_id, id)
);
comment on table recipient is 'Names and addresses of accounts. Holds nothing that customers could not tell again.';
comment on column recipient.id is 'The account, in customers.';
comment on column recipient.revision is 'Revision of the account this row speaks of; an older one never replaces it.';
comment on column recipient.recipient is 'What stands of it on documents: {name, tax_id, address}.';
select platform.adopt('recipient', 'select, insert, update, delete');

alter table quote add column legal_entity uuid;
alter table quote add column parties jsonb;
comment on column quote.legal_entity is 'In billing; in whose name it is made out. Looked up when it is sent.';
comment on column quote.parties is 'Who makes it out and who gets it, as it was when it was sent: {issuer, recipient}.';

alter table delivery_note add column legal_entity uuid;
alter table delivery_note add column parties jsonb;
comment on column delivery_note.legal_entity is 'In billing; in whose name it is made out. Looked up when it is issued.';
comment on column delivery_note.parties is 'Who makes it out and who gets it, as it was when it was issued: {issuer, recipient}.';

-- As it was, and the parties: given once, when the quote is sent.
create or replace function quote_guard() returns trigger language plpgsql as $$
declare
  movable constant text[] := array[
    'revision', 'update_time', 'state', 'number_series', 'number', 'approvals', 'reject_reason', 'send_time', 'view_time',
    'view_count', 'decision_time', 'accepter', 'signature', 'decline_reason', 'decline_note', 'cancel_reason', 'parties'
  ];
  given constant text[] := array[
    'number_series', 'number', 'send_time', 'view_time', 'decision_time', 'accepter', 'signature', 'parties'
  ];
begin
  if tg_op = 'UPDATE' and old.state in ('DRAFT', 'REJECTED')
    and new.state in ('DRAFT', 'REJECTED', 'IN_APPROVAL', 'APPROVED', 'SUPERSEDED', 'CANCELLED')
  then
    return new;
  end if;
  if tg_op = 'DELETE'
    or to_jsonb(new) - movable is distinct from to_jsonb(old) - movable
    or (old.state <> new.state and (old.state, new.state) not in (
      ('IN_APPROVAL', 'APPROVED'), ('IN_APPROVAL', 'REJECTED'), ('IN_APPROVAL', 'SUPERSEDED'), ('IN_APPROVAL', 'CANCELLED'),
      ('APPROVED', 'SENT'), ('APPROVED', 'SUPERSEDED'), ('APPROVED', 'CANCELLED'),
      ('SENT', 'ACCEPTED'), ('SENT', 'DECLINED'), ('SENT', 'EXPIRED'), ('SENT', 'SUPERSEDED'), ('SENT', 'CANCELLED')
    ))
    or (old.state <> 'APPROVED' and new.parties is distinct from old.parties)
    or exists (
      select from unnest(given) as field
      where coalesce(to_jsonb(old) ->> field, '') <> '' and to_jsonb(new) -> field is distinct from to_jsonb(old) -> field
    )
  then
    raise exception using errcode = '23514', constraint = 'quote_immutable',
      message = 'a submitted quote does not change';
  end if;
  return new;
end $$;
