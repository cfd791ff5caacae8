-- A sent quote says the day on which it was sent where the company is that makes it out, and says the same when it is printed again.
alter table quote add column send_date date;
comment on column quote.send_date is
  'Day on which it was sent, in the zone of its legal entity. Null of one that was sent before this was kept:
that of send_time in UTC then.';

-- As it was, and the day: given once, when the quote is sent.
create or replace function quote_guard() returns trigger language plpgsql as $$
declare
  movable constant text[] := array[
    'revision', 'update_time', 'state', 'number_series', 'number', 'approvals', 'reject_reason', 'send_time', 'view_time',
    'view_count', 'decision_time', 'accepter', 'signature', 'decline_reason', 'decline_note', 'cancel_reason', 'parties', 'valid_before',
    'send_date'
  ];
  given constant text[] := array[
    'number_series', 'number', 'send_time', 'view_time', 'decision_time', 'accepter', 'signature', 'parties',
    'valid_before', 'send_date'
  ];
  before jsonb;
  after jsonb;
begin
  if tg_op = 'UPDATE' and old.state in ('DRAFT', 'REJECTED')
    and new.state in ('DRAFT', 'REJECTED', 'IN_APPROVAL', 'APPROVED', 'SUPERSEDED', 'CANCELLED')
  then
    return new;
  end if;
  before := to_jsonb(old);
  after := to_jsonb(new);
  if tg_op = 'DELETE'
    or after - movable is distinct from before - movable
    or (old.state <> new.state and (old.state, new.state) not in (
      ('IN_APPROVAL', 'APPROVED'), ('IN_APPROVAL', 'REJECTED'), ('IN_APPROVAL', 'SUPERSEDED'), ('IN_APPROVAL', 'CANCELLED'),
      ('APPROVED', 'SENT'), ('APPROVED', 'SUPERSEDED'), ('APPROVED', 'CANCELLED'),
      ('SENT', 'ACCEPTED'), ('SENT', 'DECLINED'), ('SENT', 'EXPIRED'), ('SENT', 'SUPERSEDED'), ('SENT', 'CANCELLED')
    ))
    or (old.state <> 'APPROVED' and new.parties is distinct from old.parties)
    or exists (
      select from unnest(given) as field
      where coalesce(before ->> field, '') <> '' and after -> field is distinct from before -> field
    )
  then
    raise exception using errcode = '23514', constraint = 'quote_immutable',
      message = 'a submitted quote does not change';
  end if;
  return new;
end $$;
