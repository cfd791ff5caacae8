-- What was free is credited as well: by its quantity, without an amount. And what was credited before credits left what can be paid is
-- put right by the next one.

-- True when of some lines less is left than before, and of none more. Both are arrays of {quantity, …} in the same order.
create function quantities_fall(old_lines jsonb, new_lines jsonb) returns boolean language sql immutable as $$
  select coalesce(bool_and(coalesce(line.kept <= line.was, false)) and bool_or(line.kept < line.was), false)
  from (
    select (pair.was ->> 'quantity')::numeric as was, (pair.kept ->> 'quantity')::numeric as kept
    from rows from (jsonb_array_elements(old_lines), jsonb_array_elements(new_lines)) as pair (was, kept)
  ) as line
$$;

-- As before, but for two things. What is left changes with what is credited, or else because quantities fall that were free. And how
-- much of what is due is credited falls where that leaves what can be paid, by less than the smallest payment: credits once left a
-- rounding for the last of them, and with it amounts that nobody can pay, or less than nothing.
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
    or new.credited < old.credited
    or (new.credited > old.credited and new.balance = old.balance)
    or (new.credited = old.credited and new.balance <> old.balance and not quantities_fall(
      case when old.balance = 'null' then old.lines else old.balance -> 'items' end, new.balance -> 'items'
    ))
    or (new.credited_due < old.credited_due and (
      new.balance = old.balance or new.smallest_payment is null
      or old.credited_due - new.credited_due >= new.smallest_payment
      or (new.due - new.credited_due) % new.smallest_payment <> 0
    ))
    or new.refunded < old.refunded
    or new.written_off < old.written_off
    or (old.written_off > 0 and new.written_off = old.written_off
      and new.write_off_reason is distinct from old.write_off_reason)
  then
    raise exception using errcode = '23514', constraint = 'invoice_immutable',
      message = 'an issued invoice does not change';
  end if;
  return new;
end $$;

-- An invoice of which something free is credited is no more voided than another one.
alter table invoice drop constraint invoice_void_credited_check;
alter table invoice add constraint invoice_void_credited_check check (
  state <> 'VOID' or (credited = 0 and balance = 'null')
) not valid;
