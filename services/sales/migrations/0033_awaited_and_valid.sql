-- Returns that nobody decides on, and those that do not come: an index that holds only them, as for everything that stands still.
create index if not exists sales_return_awaited_idx on sales_return (tenant_id, update_time, id)
  where state in ('REQUESTED', 'AUTHORISED') and delete_time is null;

-- A quote is valid until the end of its last day where the company is that makes it out: which instant that is, is told when it is
-- sent. Of those that were sent before, and of those that a program of before sends, the day is one of UTC.
alter table quote add column valid_before timestamptz;
comment on column quote.valid_before is
  'When a sent quote ceases to be valid. Null of one that is valid for ever, or was sent before this was kept: the end of its last
day in UTC then.';
comment on column quote.valid_until is 'Last day on which it is valid, where the legal entity is that makes it out.';
create or replace function quote_guard() returns trigger language plpgsql as $$
declare
  movable constant text[] := array[
    'revision', 'update_time', 'state', 'number_series', 'number', 'approvals', 'reject_reason', 'send_time', 'view_time',
    'view_count', 'decision_time', 'accepter', 'signature', 'decline_reason', 'decline_note', 'cancel_reason', 'parties', 'valid_before'
  ];
  given constant text[] := array[
    'number_series', 'number', 'send_time', 'view_time', 'decision_time', 'accepter', 'signature', 'parties',
    'valid_before'
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

-- A later number has no earlier day.
alter table series_counter add column last_issue_date date;
comment on column series_counter.last_issue_date is
  'Day of the document that got the last number; null where only a program of before has given any.';
create or replace function series_counter_guard() returns trigger language plpgsql as $$
begin
  if tg_op = 'UPDATE' then
    if (new.tenant_id, new.series, new.period, new.last_ordinal)
      is distinct from (old.tenant_id, old.series, old.period, old.last_ordinal + 1)
      or new.last_issue_date < old.last_issue_date
    then
      raise exception using errcode = '23514', constraint = 'series_counter_immutable',
        message = 'a counter only goes on';
    end if;
    return new;
  end if;
  perform from series_counter
  where series_counter.tenant_id = new.tenant_id and series_counter.series = new.series
    and series_counter.period = new.period;
  if found then
    return new;
  end if;
  perform from number_series
  where number_series.tenant_id = new.tenant_id and number_series.id = new.series and number_series.delete_time is null
  for share;
  if not found then
    raise exception using errcode = '23514', constraint = 'series_counter_series_living',
      message = 'there is no such number series';
  end if;
  return new;
end $$;
