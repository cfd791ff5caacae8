-- The living number series $2 of tenant $1, or the one by which documents of kind $3 are numbered that name none.
select id, display_name, document_kind, prefix, period, padding, is_default
from number_series
where tenant_id = $1 and delete_time is null
  and case when $2::uuid is null then is_default and document_kind = $3 else id = $2 end
