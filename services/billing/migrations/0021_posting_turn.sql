-- Whoever posts in the books of a legal entity holds their turn together with others, and who closes them has it alone: also where
-- there is no ledger yet whose row could be locked, and without being overtaken for as long as others keep posting.
create function posting_turn(tenant uuid, legal_entity uuid) returns bigint language sql immutable as $$
  select hashtextextended('books ' || tenant::text || legal_entity::text, 0)
$$;

create or replace function posting_period() returns trigger language plpgsql as $$
declare
  through date;
begin
  perform pg_advisory_xact_lock_shared(posting_turn(new.tenant_id, new.legal_entity));
  select ledger.closed_through into through
  from ledger
  where ledger.tenant_id = new.tenant_id and ledger.legal_entity = new.legal_entity and ledger.delete_time is null
  for share;
  if new.date <= through then
    raise exception using errcode = '23514', constraint = 'posting_period_open', message = 'the period is closed';
  end if;
  return new;
end $$;
