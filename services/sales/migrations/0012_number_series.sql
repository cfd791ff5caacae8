-- Number series of sales, and how far each has come.
create table number_series (
  like platform.resource including defaults including constraints,
  display_name text collate "C" not null,
  document_kind text collate "C" not null,
  prefix text collate "C" not null,
  period text collate "C" not null,
  padding integer not null,
  is_default boolean not null,
  constraint number_series_document_kind_check check (document_kind in ('QUOTE', 'ORDER', 'DELIVERY_NOTE', 'RETURN')),
  constraint number_series_period_check check (period in ('NONE', 'YEAR')),
  constraint number_series_padding_check check (padding between 0 and 12)
);
comment on table number_series is 'The numbers of documents of one kind.';
comment on column number_series.period is 'When the numbers begin again.';
comment on column number_series.padding is 'Digits a number has at least.';
comment on column number_series.is_default is 'It numbers what names no series.';
select platform.adopt_resource('number_series');

create unique index number_series_prefix_key on number_series (tenant_id, prefix) where delete_time is null;
create unique index number_series_is_default_key on number_series (tenant_id, document_kind)
  where is_default and delete_time is null;
create index number_series_display_name_idx on number_series (tenant_id, display_name, id);
create index number_series_create_time_idx on number_series (tenant_id, create_time, id);
create index number_series_update_time_idx on number_series (tenant_id, update_time, id);

create table series_counter (
  tenant_id uuid not null,
  series uuid not null,
  period text collate "C" not null,
  last_ordinal bigint not null,
  constraint series_counter_pkey primary key (tenant_id, series, period),
  constraint series_counter_series_fkey foreign key (tenant_id, series) references number_series (tenant_id, id),
  constraint series_counter_last_ordinal_check check (last_ordinal > 0)
);
comment on table series_counter is 'How far a series has come in a period; locked by whoever takes a number.';
comment on column series_counter.period is 'As it stands in numbers; empty for a series without periods.';
select platform.adopt('series_counter');

-- A series that has given numbers stays, and no two come to give the same one.
-- Every change is an upsert, so the insert side also speaks for rows that turn out to be there.
create function number_series_guard() returns trigger language plpgsql as $$
begin
  if tg_op = 'UPDATE' then
    if new.delete_time is not null and exists (
      select from series_counter
      where series_counter.tenant_id = new.tenant_id and series_counter.series = new.id
    ) then
      raise exception using errcode = '23514', constraint = 'number_series_in_use',
        message = 'the series has given numbers';
    end if;
  elsif new.delete_time is null then
    -- The series of a tenant come one after the other, so that each sees the prefixes of the others.
    perform pg_advisory_xact_lock(hashtextextended('number_series/' || new.tenant_id, 0));
    -- `Q` gives 11 and `Q1` gives 1, or `Q` gives 2026-1 and `Q2026-` gives 1. A number with a year has a dash after it, so that
    -- only a longer prefix without periods can hide in another's numbers.
    perform from number_series other
    cross join lateral (
      values (new.prefix, new.period, other.prefix, other.period), (other.prefix, other.period, new.prefix, new.period)
    ) pair (short, short_period, long, long_period)
    where other.tenant_id = new.tenant_id and other.id <> new.id and other.delete_time is null
      and pair.long_period = 'NONE' and pair.long <> pair.short and starts_with(pair.long, pair.short)
      and substr(pair.long, length(pair.short) + 1)
        ~ case pair.short_period when 'NONE' then '^[0-9]+$' else '^[0-9]{4,}-[0-9]*$' end;
    if found then
      raise exception using errcode = '23505', constraint = 'number_series_prefix_ambiguous',
        message = 'another series comes to give the same number';
    end if;
  end if;
  return new;
end $$;
create trigger number_series_guard before insert or update on number_series
  for each row execute function number_series_guard();

-- A counter goes on by one number at a time. A series that gives its first number lives: the lock makes its deletion wait for
-- us, or us for it; later ones are seen by the deletion itself.
create function series_counter_guard() returns trigger language plpgsql as $$
begin
  if tg_op = 'UPDATE' then
    if (new.tenant_id, new.series, new.period, new.last_ordinal)
      is distinct from (old.tenant_id, old.series, old.period, old.last_ordinal + 1)
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
create trigger series_counter_guard before insert or update on series_counter
  for each row execute function series_counter_guard();
