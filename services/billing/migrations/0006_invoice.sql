-- Invoices, each with its lines in the same row; and the end of the chain of a series.
alter table series_counter add column last_hash bytea;
alter table series_counter add column previous_hash bytea;
alter table series_counter add column last_issue_date date not null;
alter table series_counter add constraint series_counter_last_hash_check check (
  length(last_hash) = 32 and length(previous_hash) = 32
);
comment on column series_counter.last_hash is 'Hash of the last document of a gap-free series; null until it is known.';
comment on column series_counter.previous_hash is 'Hash of the one before it.';
comment on column series_counter.last_issue_date is 'Day of issue of the last document; the next one is not of an earlier day.';

-- A counter goes on by one number at a time, its days never go back, and a hash is set once, after its number was taken.
create function series_counter_guard() returns trigger language plpgsql as $$
begin
  if tg_op = 'UPDATE' and (new.tenant_id, new.series, new.period) = (old.tenant_id, old.series, old.period)
    and new.last_issue_date >= old.last_issue_date
  then
    if new.last_ordinal = old.last_ordinal + 1 and new.last_hash is null
      and new.previous_hash is not distinct from old.last_hash
    then
      return new;
    end if;
    if new.last_ordinal = old.last_ordinal and old.last_hash is null
      and new.previous_hash is not distinct from old.previous_hash
    then
      return new;
    end if;
  end if;
  raise exception using errcode = '23514', constraint = 'series_counter_immutable',
    message = 'a counter only goes on';
end $$;
create trigger series_counter_guard before update or delete on series_counter
  for each row execute function series_counter_guard();

-- What no trigger of a row sees.
create function refuse_truncate() returns trigger language plpgsql as $$
begin
  raise exception using errcode = '23514', constraint = tg_table_name || '_immutable',
    message = format('%s is not emptied', tg_table_name);
end $$;
create trigger series_counter_truncate before truncate on series_counter
  for each statement execute function refuse_truncate();

create table invoice (
  like platform.resource including defaults including constraints,
  account uuid not null,
  legal_entity uuid not null,
  currency_code text collate "C" not null,
  bill_to jsonb not null,
  seller jsonb,
  payment_term uuid,
  supply_date date not null,
  tax_inclusive boolean not null,
  tax_rounding text collate "C" not null,
  lines jsonb not null,
  discounts jsonb not null,
  amounts jsonb not null,
  gross bigint not null,
  due bigint not null,
  note text not null,
  source_document text collate "C" not null,
  state text collate "C" not null,
  number_series uuid,
  period text collate "C",
  ordinal bigint,
  number text collate "C",
  issue_date date,
  due_date date,
  previous_hash bytea,
  hash bytea,
  send_time timestamptz,
  void_time timestamptz,
  void_reason text not null,
  constraint invoice_legal_entity_fkey foreign key (tenant_id, legal_entity) references legal_entity (tenant_id, id),
  constraint invoice_payment_term_fkey foreign key (tenant_id, payment_term) references payment_term (tenant_id, id),
  constraint invoice_number_series_fkey foreign key (tenant_id, number_series) references number_series (tenant_id, id),
  constraint invoice_lines_check check (jsonb_typeof(lines) = 'array' and jsonb_array_length(lines) between 1 and 1000),
  constraint invoice_amounts_check check (jsonb_typeof(amounts) = 'object'),
  constraint invoice_gross_check check (gross >= 0),
  constraint invoice_state_check check (state in ('DRAFT', 'ISSUED', 'SENT', 'VOID')),
  constraint invoice_number_check check (
    (state = 'DRAFT') = (number is null) and (number is null) = (number_series is null)
    and (number is null) = (period is null) and (number is null) = (ordinal is null)
    and (number is null) = (issue_date is null) and (number is null) = (due_date is null)
    and (number is null) = (seller is null)
  ),
  constraint invoice_delete_time_check check (delete_time is null or state = 'DRAFT'),
  constraint invoice_due_date_check check (due_date >= issue_date),
  constraint invoice_hash_check check (
    (hash is null) = (previous_hash is null) and (hash is null or state <> 'DRAFT')
    and length(hash) = 32 and length(previous_hash) = 32
  ),
  constraint invoice_send_time_check check ((state = 'SENT') = (send_time is not null)),
  constraint invoice_void_time_check check ((state = 'VOID') = (void_time is not null))
);
comment on table invoice is 'What customers owe. Once issued, nothing but the state changes.';
comment on column invoice.account is 'In customers.';
comment on column invoice.seller is 'What the legal entity was on the day of issue: {legal_name, tax_ids, address}.';
comment on column invoice.supply_date is 'Day whose tax rates hold.';
comment on column invoice.lines is 'What is invoiced, with the taxes of the day of supply.';
comment on column invoice.amounts is 'What trato-pricing made of it: lines, groups and totals, in minor units of the currency.';
comment on column invoice.gross is 'Total with tax, in the minor unit of the currency.';
comment on column invoice.due is 'What is due, in the minor unit of the currency.';
comment on column invoice.ordinal is 'Place in the period of the series, from 1.';
comment on column invoice.previous_hash is 'Hash of the invoice before it in the period; zeros for the first.';
comment on column invoice.hash is 'SHA-256 over previous_hash and the content; only of gap-free series.';
select platform.adopt_resource('invoice');

-- No number is given twice, neither by one series nor by two.
create unique index invoice_ordinal_key on invoice (tenant_id, number_series, period, ordinal)
  where number is not null and delete_time is null;
create unique index invoice_number_key on invoice (tenant_id, legal_entity, number)
  where number is not null and delete_time is null;
create index invoice_account_idx on invoice (tenant_id, account, id);
create index invoice_create_time_idx on invoice (tenant_id, create_time, id);
create index invoice_update_time_idx on invoice (tenant_id, update_time, id);
create index invoice_state_idx on invoice (tenant_id, state, id);
create index invoice_issue_date_idx on invoice (tenant_id, issue_date, id) where issue_date is not null;
create index invoice_due_date_idx on invoice (tenant_id, due_date, id) where due_date is not null;
create index invoice_gross_idx on invoice (tenant_id, gross, id);

-- What was issued stays as it is, whoever writes: only the state goes on, and with it the times and the reason that belong
-- to it. The revision counts on, as a restore may lift it.
create function invoice_guard() returns trigger language plpgsql as $$
declare
  movable constant text[] := array['revision', 'update_time', 'state', 'send_time', 'void_time', 'void_reason'];
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
  then
    raise exception using errcode = '23514', constraint = 'invoice_immutable',
      message = 'an issued invoice does not change';
  end if;
  return new;
end $$;
create trigger invoice_guard before update or delete on invoice for each row execute function invoice_guard();
create trigger invoice_truncate before truncate on invoice for each statement execute function refuse_truncate();
