-- Takes the next number of series $2 in period $3, on day $4 or the last day of issue, whichever is later. The row stays locked
-- until the transaction ends. A program of before notes no day.
insert into series_counter (tenant_id, series, period, last_ordinal, last_issue_date)
values ($1, $2, $3, 1, $4)
on conflict (tenant_id, series, period) do update set
  last_ordinal = series_counter.last_ordinal + 1,
  last_issue_date = greatest(series_counter.last_issue_date, excluded.last_issue_date)
returning last_ordinal, last_issue_date
