-- Payments, and what they pay; and on each invoice what has become of the claim.
create table payment (
  like platform.resource including defaults including constraints,
  account uuid not null,
  legal_entity uuid not null,
  currency_code text collate "C" not null,
  amount bigint not null,
  method text collate "C" not null,
  direction text collate "C" not null,
  external_key text collate "C" not null,
  reference text not null,
  date date,
  state text collate "C" not null,
  state_reason text not null,
  allocated bigint not null,
  refunded bigint not null,
  allocations jsonb not null,
  books jsonb not null,
  constraint payment_legal_entity_fkey foreign key (tenant_id, legal_entity) references legal_entity (tenant_id, id),
  constraint payment_amount_check check (amount > 0),
  constraint payment_method_check check (
    method in ('BANK_TRANSFER', 'CARD', 'DIRECT_DEBIT', 'CASH', 'CHEQUE', 'OTHER')
  ),
  constraint payment_direction_check check (direction in ('IN', 'OUT')),
  constraint payment_state_check check (
    state in (
      'INITIATED', 'PENDING', 'UNKNOWN', 'SUCCEEDED', 'FAILED', 'PARTLY_REFUNDED', 'REFUNDED', 'CHARGED_BACK'
    )
  ),
  constraint payment_date_check check (
    date is not null or state not in ('SUCCEEDED', 'PARTLY_REFUNDED', 'REFUNDED', 'CHARGED_BACK')
  ),
  constraint payment_allocated_check check (allocated >= 0 and refunded >= 0 and allocated + refunded <= amount),
  constraint payment_moved_check check (
    (allocated = 0 and refunded = 0) or (direction = 'IN' and state in ('SUCCEEDED', 'PARTLY_REFUNDED', 'REFUNDED'))
    or (allocated = 0 and state = 'CHARGED_BACK')
  ),
  constraint payment_delete_time_check check (delete_time is null or state = 'INITIATED')
);
comment on table payment is 'Money that came from accounts or went to them.';
comment on column payment.amount is 'In the minor unit of the currency.';
comment on column payment.external_key is 'What whoever makes payments calls it; may be empty.';
comment on column payment.allocations is 'What it pays of each invoice: [{invoice, amount, receivable, unallocated}].';
comment on column payment.books is
  'What is left of it in the currency of the books: {currency, rate, open, balance}; null before it is posted.';
select platform.adopt_resource('payment');

create unique index payment_external_key_key on payment (tenant_id, external_key)
  where external_key <> '' and delete_time is null;
create index payment_account_idx on payment (tenant_id, account, id);
create index payment_date_idx on payment (tenant_id, date, id) where date is not null;
create index payment_amount_idx on payment (tenant_id, amount, id);
create index payment_state_idx on payment (tenant_id, state, id);
create index payment_create_time_idx on payment (tenant_id, create_time, id);
create index payment_update_time_idx on payment (tenant_id, update_time, id);

-- What is under way is never meant to be made again, and what was made never becomes something else.
create function payment_guard() returns trigger language plpgsql as $$
declare
  movable constant text[] := array[
    'revision', 'update_time', 'state', 'state_reason', 'date', 'allocated', 'refunded', 'allocations', 'books'
  ];
begin
  if old.state = 'INITIATED' then
    if tg_op = 'DELETE' then
      return old;
    end if;
    return new;
  end if;
  if tg_op = 'DELETE'
    or to_jsonb(new) - movable is distinct from to_jsonb(old) - movable
    or (old.date <> new.date and old.state not in ('PENDING', 'UNKNOWN'))
    or (old.state <> new.state and (old.state, new.state) not in (
      ('PENDING', 'SUCCEEDED'), ('PENDING', 'FAILED'), ('PENDING', 'UNKNOWN'), ('UNKNOWN', 'SUCCEEDED'),
      ('UNKNOWN', 'FAILED'), ('SUCCEEDED', 'PARTLY_REFUNDED'), ('SUCCEEDED', 'REFUNDED'), ('SUCCEEDED', 'CHARGED_BACK'),
      ('PARTLY_REFUNDED', 'REFUNDED'), ('PARTLY_REFUNDED', 'CHARGED_BACK')
    ))
    or new.refunded < old.refunded
  then
    raise exception using errcode = '23514', constraint = 'payment_immutable',
      message = 'a payment that is under way does not change';
  end if;
  return new;
end $$;
create trigger payment_guard before update or delete on payment for each row execute function payment_guard();
create trigger payment_truncate before truncate on payment for each statement execute function refuse_truncate();

-- On each invoice what was paid of it, given back, and given up. What is open follows from that.
alter table invoice add column paid bigint not null default 0;
alter table invoice add column refunded bigint not null default 0;
alter table invoice add column written_off bigint not null default 0;
alter table invoice add column write_off_reason text not null default '';
alter table invoice add column open bigint generated always as (
  case when state in ('DRAFT', 'VOID') then 0 else due - credited_due - paid - written_off end
) stored;
alter table invoice add column payment_state text collate "C" generated always as (
  case
    when state in ('DRAFT', 'VOID') then ''
    when written_off > 0 then 'WRITTEN_OFF'
    when refunded > 0 and paid = 0 and due = credited_due then 'REFUNDED'
    when due - credited_due - paid <= 0 then 'PAID'
    when paid > 0 then 'PARTLY_PAID'
    else 'UNPAID'
  end
) stored;
alter table invoice add constraint invoice_paid_check check (
  paid >= 0 and refunded >= 0 and written_off >= 0 and paid + written_off <= greatest(due, 0)
);
alter table invoice add constraint invoice_unpaid_check check (
  state not in ('DRAFT', 'VOID') or (paid = 0 and refunded = 0 and written_off = 0)
);
comment on column invoice.paid is 'How much payments have paid of it; the sum of its allocations.';
comment on column invoice.refunded is 'How much of what was paid is given back.';
comment on column invoice.written_off is 'How much is given up.';
comment on column invoice.open is 'What is due less what is credited, paid and given up.';

create index invoice_open_idx on invoice (tenant_id, account) where open <> 0;
create index invoice_source_document_idx on invoice (tenant_id, source_document) where source_document <> '';

create or replace function invoice_guard() returns trigger language plpgsql as $$
declare
  movable constant text[] := array[
    'revision', 'update_time', 'state', 'send_time', 'void_time', 'void_reason', 'credited', 'balance', 'credited_due',
    'books', 'paid', 'refunded', 'written_off', 'write_off_reason', 'open', 'payment_state'
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
    or new.refunded < old.refunded
    or (old.written_off > 0 and (new.written_off, new.write_off_reason)
      is distinct from (old.written_off, old.write_off_reason))
  then
    raise exception using errcode = '23514', constraint = 'invoice_immutable',
      message = 'an issued invoice does not change';
  end if;
  return new;
end $$;

create table allocation (
  tenant_id uuid not null,
  id uuid not null,
  payment uuid not null,
  invoice uuid not null,
  date date not null,
  kind text collate "C" not null,
  amount bigint not null,
  create_time timestamptz not null,
  constraint allocation_pkey primary key (tenant_id, id),
  constraint allocation_payment_fkey foreign key (tenant_id, payment) references payment (tenant_id, id),
  constraint allocation_invoice_fkey foreign key (tenant_id, invoice) references invoice (tenant_id, id),
  constraint allocation_kind_check check (kind in ('ALLOCATED', 'UNALLOCATED', 'REFUNDED', 'CHARGED_BACK')),
  constraint allocation_amount_check check (amount <> 0 and (amount > 0) = (kind = 'ALLOCATED'))
);
comment on table allocation is 'What payments pay of invoices, and what of it was taken back; only grows.';
comment on column allocation.amount is 'In the minor unit of the currency of both; below zero where it takes back.';
select platform.adopt('allocation', 'select, insert');

create index allocation_payment_idx on allocation (tenant_id, payment);
create index allocation_invoice_idx on allocation (tenant_id, invoice);

-- Allocations are what payments and invoices say they are, and never exceed either: the rows of both are written first, under
-- their locks, and their own checks hold the sums. Nothing is paid beyond what is open.
create function allocation_sum() returns trigger language plpgsql as $$
begin
  perform from (select distinct tenant_id, payment from inserted) touched
  join payment on payment.tenant_id = touched.tenant_id and payment.id = touched.payment
  where payment.allocated <> (
    select sum(allocation.amount) from allocation
    where allocation.tenant_id = payment.tenant_id and allocation.payment = payment.id
  );
  if found then
    raise exception using errcode = '23514', constraint = 'allocation_payment_sum',
      message = 'the allocations of a payment add up to what it says';
  end if;
  perform from (select tenant_id, invoice, max(amount) as most from inserted group by tenant_id, invoice) touched
  join invoice on invoice.tenant_id = touched.tenant_id and invoice.id = touched.invoice
  where (invoice.open < 0 and touched.most > 0) or invoice.paid <> (
    select sum(allocation.amount) from allocation
    where allocation.tenant_id = invoice.tenant_id and allocation.invoice = invoice.id
  );
  if found then
    raise exception using errcode = '23514', constraint = 'allocation_invoice_sum',
      message = 'the allocations of an invoice add up to what it says, and not beyond what is open';
  end if;
  perform from inserted
  join payment on payment.tenant_id = inserted.tenant_id and payment.id = inserted.payment
  join invoice on invoice.tenant_id = inserted.tenant_id and invoice.id = inserted.invoice
  where (payment.account, payment.legal_entity, payment.currency_code)
    <> (invoice.account, invoice.legal_entity, invoice.currency_code);
  if found then
    raise exception using errcode = '23514', constraint = 'allocation_suits',
      message = 'payment and invoice are of one account, legal entity and currency';
  end if;
  return null;
end $$;
create trigger allocation_sum after insert on allocation
  referencing new table as inserted for each statement execute function allocation_sum();
create trigger allocation_guard before update or delete on allocation for each row execute function refuse_change();
create trigger allocation_truncate before truncate on allocation for each statement execute function refuse_truncate();
