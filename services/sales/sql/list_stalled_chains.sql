-- A page of at most $4 chains that stand still, the oldest first: with what each began with, what it comes to, and the trace of
-- what moved it last. chain/store.rs puts the parts of find_stalled_chains.sql in at the mark.
select
  found.id, found.document, found.waiting_for, found.since, found.owner, found.team, found.account,
  quote.id as quote, sales_order.id as order_id, quote.opportunity,
  coalesce(sales_order.gross, quote.gross) as gross,
  coalesce(sales_order.currency, quote.currency_code) as currency,
  (
    select event.traceparent
    from platform.event
    where event.tenant_id = found.tenant_id and event.subject = found.document
    order by event.revision desc
    limit 1
  ) as traceparent
from (/* parts */) found
left join sales_order on sales_order.tenant_id = found.tenant_id and sales_order.id = found.order_id
-- Not by coalesce: PostgreSQL takes it for leaky, and would not use the index below row-level security.
left join quote on quote.tenant_id = found.tenant_id
  and quote.id = case when found.quote is null then sales_order.quote else found.quote end
order by found.since, found.waiting_for collate "C", found.id
