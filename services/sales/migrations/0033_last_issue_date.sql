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
