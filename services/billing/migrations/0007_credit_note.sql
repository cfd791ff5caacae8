-- Credit notes; and on each invoice how much of it is credited, and what is left.
alter table invoice add column credited bigint not null default 0;
alter table invoice add column balance jsonb not null default 'null';
alter table invoice add constraint invoice_credited_check check (credited between 0 and gross);
alter table invoice add constraint invoice_void_credited_check check (state <> 'VOID' or credited = 0);
comment on column invoice.credited is 'How much of gross is credited; all credit notes together never exceed it.';
comment on column invoice.balance is 'What is left after the credits, line by line; null before the first.';

-- As before, but that credits grow.
create or replace function invoice_guard() returns trigger language plpgsql as $$
declare
  movable constant text[] := array[
    'revision', 'update_time', 'state', 'send_time', 'void_time', 'void_reason', 'credited', 'balance'
  ];
begin
  if old.state = 'DRAFT' then
    if tg_op = 'DELETE' then
      return old;
    elsif new.state in ('DRAFT', 'ISSUED') then
      return new;
    end if;
  end if;
  if tg_op = 'DELETE'
    or to_jsonb(new) - movable is distinct from to_jsonb(old) - movable
    or (old.state <> new.state and (old.state, new.state) not in (('ISSUED', 'SENT'), ('ISSUED', 'VOID')))
    or (old.state = new.state and (new.send_time, new.void_time, new.void_reason)
      is distinct from (old.send_time, old.void_time, old.void_reason))
    or new.credited < old.credited
    or (new.credited > old.credited) <> (new.balance <> old.balance)
  then
    raise exception using errcode = '23514', constraint = 'invoice_immutable',
      message = 'an issued invoice does not change';
  end if;
  return new;
end $$;

create table credit_note (
  like platform.resource including defaults including constraints,
  invoice uuid not null,
  reason text not null,
  wishes jsonb not null,
  account uuid not null,
  legal_entity uuid not null,
  currency_code text collate "C" not null,
  bill_to jsonb not null,
  seller jsonb,
  credit jsonb not null,
  reasons jsonb not null,
  gross bigint not null,
  due bigint not null,
  state text collate "C" not null,
  number_series uuid,
  period text collate "C",
  ordinal bigint,
  number text collate "C",
  issue_date date,
  previous_hash bytea,
  hash bytea,
  constraint credit_note_invoice_fkey foreign key (tenant_id, invoice) references invoice (tenant_id, id),
  constraint credit_note_legal_entity_fkey foreign key (tenant_id, legal_entity) references legal_entity (tenant_id, id),
  constraint credit_note_number_series_fkey foreign key (tenant_id, number_series)
    references number_series (tenant_id, id),
  constraint credit_note_gross_check check (gross >= 0),
  constraint credit_note_state_check check (state in ('DRAFT', 'ISSUED')),
  constraint credit_note_number_check check (
    (state = 'DRAFT') = (number is null) and (number is null) = (number_series is null)
    and (number is null) = (period is null) and (number is null) = (ordinal is null)
    and (number is null) = (issue_date is null) and (number is null) = (seller is null)
  ),
  constraint credit_note_delete_time_check check (delete_time is null or state = 'DRAFT'),
  constraint credit_note_hash_check check (
    (hash is null) = (previous_hash is null) and (hash is null or state <> 'DRAFT')
    and length(hash) = 32 and length(previous_hash) = 32
  )
);
comment on table credit_note is 'What is taken back of invoices. Once issued, nothing changes.';
comment on column credit_note.wishes is 'What is asked for: {currency, lines: [{key, portion}]}; without lines all that is left.';
comment on column credit_note.credit is 'What trato-pricing made of it, in minor units of the currency.';
comment on column credit_note.bill_to is 'Who was invoiced, as it stands on the invoice.';
comment on column credit_note.seller is 'What the legal entity was on the day of issue: {legal_name, tax_ids, address}.';
comment on column credit_note.reasons is 'Of each tax group of the credit why no tax is due, as it stands on the invoice.';
comment on column credit_note.gross is 'Total with tax, in the minor unit of the currency.';
comment on column credit_note.due is 'What is given back, in the minor unit of the currency.';
select platform.adopt_resource('credit_note');

create unique index credit_note_ordinal_key on credit_note (tenant_id, number_series, period, ordinal)
  where number is not null and delete_time is null;
create unique index credit_note_number_key on credit_note (tenant_id, legal_entity, number)
  where number is not null and delete_time is null;
create index credit_note_invoice_idx on credit_note (tenant_id, invoice, id);
create index credit_note_account_idx on credit_note (tenant_id, account, id);
create index credit_note_create_time_idx on credit_note (tenant_id, create_time, id);
create index credit_note_update_time_idx on credit_note (tenant_id, update_time, id);
create index credit_note_issue_date_idx on credit_note (tenant_id, issue_date, id) where issue_date is not null;

create function credit_note_guard() returns trigger language plpgsql as $$
begin
  if old.state = 'DRAFT' then
    if tg_op = 'DELETE' then
      return old;
    end if;
    return new;
  end if;
  if tg_op = 'DELETE'
    or to_jsonb(new) - array['revision', 'update_time'] is distinct from to_jsonb(old) - array['revision', 'update_time']
  then
    raise exception using errcode = '23514', constraint = 'credit_note_immutable',
      message = 'an issued credit note does not change';
  end if;
  return new;
end $$;
create trigger credit_note_guard before update or delete on credit_note
  for each row execute function credit_note_guard();
create trigger credit_note_truncate before truncate on credit_note
  for each statement execute function refuse_truncate();
