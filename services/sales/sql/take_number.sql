-- Takes the next number of series $2 in period $3. The row stays locked until the transaction ends.
insert into series_counter (tenant_id, series, period, last_ordinal)
values ($1, $2, $3, 1)
on conflict (tenant_id, series, period) do update set last_ordinal = series_counter.last_ordinal + 1
returning last_ordinal
