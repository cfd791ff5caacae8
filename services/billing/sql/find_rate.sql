-- What was a unit of $2 worth in $3 on day $4, or within the days before it since $5, by the account of $6 or of anybody?
select exchange_rate.rate
from exchange_rate
where exchange_rate.tenant_id = $1 and exchange_rate.from_currency_code = $2 and exchange_rate.to_currency_code = $3
  and exchange_rate.date between $5 and $4 and exchange_rate.delete_time is null
  and ($6 = '' or exchange_rate.origin = $6)
order by exchange_rate.date desc, exchange_rate.origin
limit 1
