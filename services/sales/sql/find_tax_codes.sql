-- The living tax codes of tenant $1 with codes $2; of two with one code, the one recorded later.
select distinct on (code) code, tax, category, rates, inclusive_allowed, legal_note
from tax_code
where tenant_id = $1 and code = any($2::text[]) and delete_time is null
order by code, id desc
