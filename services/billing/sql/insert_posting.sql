-- Posts a document: the posting and its lines in one statement, so that their check sees all of them.
with posted as (
  insert into posting (
    tenant_id, id, legal_entity, date, kind, document, description, account, currency_code, base_currency_code, rate,
    create_time, creator
  )
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
  returning tenant_id, id
)
insert into ledger_entry (
  tenant_id, posting, line, role, account_code, tax, invoice, debit, credit, base_debit, base_credit
)
select posted.tenant_id, posted.id, given.line::integer, given.role, given.account_code, given.tax, given.invoice,
  greatest(given.amount, 0), greatest(-given.amount, 0), greatest(given.base, 0), greatest(-given.base, 0)
from posted
cross join unnest($14::text[], $15::text[], $16::text[], $17::uuid[], $18::bigint[], $19::bigint[]) with ordinality
  as given (role, account_code, tax, invoice, amount, base, line)
