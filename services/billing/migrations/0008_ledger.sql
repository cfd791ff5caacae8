-- Ledgers, and what is posted in the books of a legal entity: by double entry, append-only, never in a closed period.
create table ledger (
  like platform.resource including defaults including constraints,
  legal_entity uuid not null,
  accounts jsonb not null,
  rate_origin text collate "C",
  closed_through date,
  reopen_reason text not null,
  constraint ledger_legal_entity_fkey foreign key (tenant_id, legal_entity) references legal_entity (tenant_id, id),
  constraint ledger_accounts_check check (jsonb_typeof(accounts) = 'object'),
  -- Deleting it would open what is closed.
  constraint ledger_delete_time_check check (delete_time is null or closed_through is null)
);
comment on table ledger is 'How the books of legal entities are kept.';
comment on column ledger.accounts is 'What is posted to, where it differs from the defaults.';
comment on column ledger.rate_origin is 'Whose exchange rates hold; null for anybody''s.';
comment on column ledger.closed_through is 'Nothing is posted on this day or before it.';
select platform.adopt_resource('ledger');

create unique index ledger_legal_entity_key on ledger (tenant_id, legal_entity) where delete_time is null;
create index ledger_create_time_idx on ledger (tenant_id, create_time, id);
create index ledger_update_time_idx on ledger (tenant_id, update_time, id);

create table posting (
  tenant_id uuid not null,
  id uuid not null,
  legal_entity uuid not null,
  date date not null,
  kind text collate "C" not null,
  document text collate "C" not null,
  description text not null,
  account uuid not null,
  currency_code text collate "C" not null,
  base_currency_code text collate "C" not null,
  rate numeric(30, 12) not null,
  create_time timestamptz not null,
  creator text not null,
  constraint posting_pkey primary key (tenant_id, id),
  constraint posting_legal_entity_fkey foreign key (tenant_id, legal_entity) references legal_entity (tenant_id, id),
  constraint posting_kind_check check (
    kind in (
      'INVOICE', 'INVOICE_VOID', 'CREDIT_NOTE', 'PAYMENT', 'ALLOCATION', 'REFUND', 'CHARGE_BACK', 'WRITE_OFF', 'OPENING'
    )
  ),
  constraint posting_rate_check check (rate > 0 and (currency_code <> base_currency_code or rate = 1))
);
comment on table posting is 'What was posted for a document; never changes.';
comment on column posting.document is 'Name of the resource it was posted for.';
comment on column posting.account is 'The customer it is about.';
comment on column posting.rate is 'Units of the currency of the books for one of the document.';
select platform.adopt('posting', 'select, insert');

create index posting_date_idx on posting (tenant_id, legal_entity, date, id);
create index posting_account_idx on posting (tenant_id, account, date, id);
create index posting_document_idx on posting (tenant_id, document);

create table ledger_entry (
  tenant_id uuid not null,
  posting uuid not null,
  line integer not null,
  role text collate "C" not null,
  account_code text collate "C" not null,
  tax text collate "C" not null,
  invoice uuid,
  debit bigint not null,
  credit bigint not null,
  base_debit bigint not null,
  base_credit bigint not null,
  constraint ledger_entry_pkey primary key (tenant_id, posting, line),
  constraint ledger_entry_posting_fkey foreign key (tenant_id, posting) references posting (tenant_id, id),
  constraint ledger_entry_invoice_fkey foreign key (tenant_id, invoice) references invoice (tenant_id, id),
  constraint ledger_entry_role_check check (
    role in (
      'BANK', 'RECEIVABLE', 'WITHHELD', 'UNALLOCATED', 'TAX', 'REVENUE', 'FEES', 'LOSS', 'EXCHANGE_DIFFERENCE', 'EQUITY'
    )
  ),
  constraint ledger_entry_invoice_check check (invoice is null or role = 'RECEIVABLE'),
  constraint ledger_entry_debit_check check (
    debit >= 0 and credit >= 0 and base_debit >= 0 and base_credit >= 0
    and (debit = 0 or credit = 0) and (base_debit = 0 or base_credit = 0) and debit + credit + base_debit + base_credit > 0
  )
);
comment on table ledger_entry is 'The lines of postings: debits and credits in minor units, also of the currency of the books.';
comment on column ledger_entry.role is 'What the account is for; its code may differ by legal entity.';
comment on column ledger_entry.invoice is 'Invoice whose claim it moves.';
select platform.adopt('ledger_entry', 'select, insert');

create index ledger_entry_invoice_idx on ledger_entry (tenant_id, invoice) where invoice is not null;

-- Nothing is posted in a closed period. The lock makes who closes it wait for us, or us for them.
create function posting_period() returns trigger language plpgsql as $$
declare
  through date;
begin
  select ledger.closed_through into through
  from ledger
  where ledger.tenant_id = new.tenant_id and ledger.legal_entity = new.legal_entity and ledger.delete_time is null
  for share;
  if new.date <= through then
    raise exception using errcode = '23514', constraint = 'posting_period_open', message = 'the period is closed';
  end if;
  return new;
end $$;
create trigger posting_period before insert on posting for each row execute function posting_period();

-- The lines of a posting add up to zero, in its own currency and in that of the books, and are posted with it at once.
create function ledger_entry_balance() returns trigger language plpgsql as $$
begin
  perform from inserted
  join ledger_entry entry on entry.tenant_id = inserted.tenant_id and entry.posting = inserted.posting
    and inserted.line = (
      select min(other.line) from inserted other
      where other.tenant_id = inserted.tenant_id and other.posting = inserted.posting
    )
  group by entry.tenant_id, entry.posting
  having sum(entry.debit) <> sum(entry.credit) or sum(entry.base_debit) <> sum(entry.base_credit);
  if found then
    raise exception using errcode = '23514', constraint = 'ledger_entry_balanced',
      message = 'the lines of a posting add up to zero';
  end if;
  perform from inserted
  join posting on posting.tenant_id = inserted.tenant_id and posting.id = inserted.posting
  where posting.xmin <> pg_current_xact_id()::xid;
  if found then
    raise exception using errcode = '23514', constraint = 'ledger_entry_whole',
      message = 'a posting is posted whole';
  end if;
  return null;
end $$;
create trigger ledger_entry_balance after insert on ledger_entry
  referencing new table as inserted for each statement execute function ledger_entry_balance();

create function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception using errcode = '23514', constraint = tg_table_name || '_immutable',
    message = format('%s only grows', tg_table_name);
end $$;
create trigger posting_guard before update or delete on posting for each row execute function refuse_change();
create trigger posting_truncate before truncate on posting for each statement execute function refuse_truncate();
create trigger ledger_entry_guard before update or delete on ledger_entry
  for each row execute function refuse_change();
create trigger ledger_entry_truncate before truncate on ledger_entry
  for each statement execute function refuse_truncate();

-- What the books know of an invoice.
alter table invoice add column credited_due bigint not null default 0;
alter table invoice add column books jsonb not null default 'null';
alter table invoice add constraint invoice_credited_due_check check (credited_due >= 0);
comment on column invoice.credited_due is 'How much of due is credited.';
comment on column invoice.books is
  'Its claim in the currency of the books: {currency, rate, open, balance}; null before it is posted.';

create or replace function invoice_guard() returns trigger language plpgsql as $$
declare
  movable constant text[] := array[
    'revision', 'update_time', 'state', 'send_time', 'void_time', 'void_reason', 'credited', 'balance', 'credited_due',
    'books'
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
    or new.credited < old.credited or new.credited_due < old.credited_due
    or (new.credited > old.credited) <> (new.balance <> old.balance)
  then
    raise exception using errcode = '23514', constraint = 'invoice_immutable',
      message = 'an issued invoice does not change';
  end if;
  return new;
end $$;
