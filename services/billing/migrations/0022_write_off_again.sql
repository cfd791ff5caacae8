-- What was given up stays given up; what is opened again after that, by a payment that is taken back, can be given up as well.
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
    or new.written_off < old.written_off
    or (old.written_off > 0 and new.written_off = old.written_off
      and new.write_off_reason is distinct from old.write_off_reason)
  then
    raise exception using errcode = '23514', constraint = 'invoice_immutable',
      message = 'an issued invoice does not change';
  end if;
  return new;
end $$;
