-- How far has series $2 come in period $3?
with c as materialized (select set_config('trato.tenant_id', $1, true) as tenant)
select found.last_ordinal
from c, lateral (
  select series_counter.last_ordinal
  from series_counter
  where series_counter.tenant_id = c.tenant::uuid and series_counter.series = $2 and series_counter.period = $3
  offset 0
) found
