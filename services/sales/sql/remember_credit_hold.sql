-- Notes that credit profile $2 of account $3 says in revision $4 whether the account is held ($5) and why ($6), where that is news.
insert into credit_hold (tenant_id, credit_profile, account, revision, is_held, reason)
values ($1, $2, $3, $4, $5, $6)
on conflict (tenant_id, credit_profile) do update set
  account = excluded.account,
  revision = excluded.revision,
  is_held = excluded.is_held,
  reason = excluded.reason
where credit_hold.revision < excluded.revision
