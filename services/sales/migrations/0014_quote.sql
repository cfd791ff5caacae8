-- Quotes, each version a row of its own with its document in it.
create table quote (
  like platform.resource including defaults including constraints,
  owner text collate "C",
  team uuid,
  account uuid not null,
  contact uuid,
  opportunity uuid,
  document jsonb not null,
  currency_code text collate "C" not null,
  net bigint not null,
  gross bigint not null,
  valid_until date,
  root uuid not null,
  version bigint not null,
  previous_version uuid,
  state text collate "C" not null,
  number_series uuid,
  number text collate "C",
  submitter text collate "C",
  submit_time timestamptz,
  approvals jsonb not null,
  reject_reason text not null,
  send_time timestamptz,
  view_time timestamptz,
  view_count bigint not null,
  decision_time timestamptz,
  accepter text not null,
  signature text not null,
  decline_reason text collate "C",
  decline_note text not null,
  cancel_reason text not null,
  constraint quote_opportunity_fkey foreign key (tenant_id, opportunity) references opportunity (tenant_id, id),
  constraint quote_number_series_fkey foreign key (tenant_id, number_series) references number_series (tenant_id, id),
  constraint quote_document_check check (
    jsonb_typeof(document) = 'object' and jsonb_typeof(document -> 'priced') = 'object'
    and jsonb_array_length(document -> 'lines') between 1 and 1000
  ),
  constraint quote_approvals_check check (jsonb_typeof(approvals) = 'array'),
  constraint quote_version_check check (
    version >= 1 and (version = 1) = (root = id) and (version = 1) = (previous_version is null)
  ),
  constraint quote_state_check check (
    state in (
      'DRAFT', 'IN_APPROVAL', 'APPROVED', 'REJECTED', 'SENT', 'ACCEPTED', 'DECLINED', 'EXPIRED', 'SUPERSEDED', 'CANCELLED'
    )
  ),
  constraint quote_number_check check ((number is null) = (number_series is null)),
  constraint quote_send_time_check check (
    (state not in ('SENT', 'ACCEPTED', 'DECLINED', 'EXPIRED') or (send_time is not null and number is not null))
    and (state not in ('DRAFT', 'IN_APPROVAL', 'APPROVED', 'REJECTED') or send_time is null)
  ),
  constraint quote_view_time_check check (
    view_count >= 0 and (view_time is null) = (view_count = 0) and (view_time is null or send_time is not null)
  ),
  constraint quote_decision_time_check check (
    (decision_time is not null) = (state in ('ACCEPTED', 'DECLINED', 'EXPIRED', 'SUPERSEDED', 'CANCELLED'))
    and decision_time >= send_time
  ),
  constraint quote_decline_reason_check check ((state = 'DECLINED') = (decline_reason is not null)),
  constraint quote_delete_time_check check (delete_time is null or state in ('DRAFT', 'REJECTED'))
);
comment on table quote is 'What is offered to whom, and what becomes of it.';
comment on column quote.account is 'In customers; checked before the write, by the projection or by a call.';
comment on column quote.document is 'Lines, discounts, charges and terms, with what they cost when it was written last.';
comment on column quote.net is 'Total without tax, in the minor unit of the currency.';
comment on column quote.gross is 'Total with tax, in the minor unit of the currency.';
comment on column quote.valid_until is 'Last day on which it is valid, in UTC.';
comment on column quote.root is 'Its first version.';
comment on column quote.approvals is 'The rules that matched when it was submitted, and who has approved.';
comment on column quote.decision_time is 'When it came to its outcome.';
select platform.adopt_resource('quote');
alter table quote add constraint quote_previous_version_fkey
  foreign key (tenant_id, previous_version) references quote (tenant_id, id);
select platform.admit_system('quote', 'select');

-- One version at most is open or accepted, and no two have one number and version.
create unique index quote_live_version_key on quote (tenant_id, root)
  where state in ('DRAFT', 'IN_APPROVAL', 'APPROVED', 'REJECTED', 'SENT', 'ACCEPTED') and delete_time is null;
create unique index quote_version_key on quote (tenant_id, root, version) where delete_time is null;
create unique index quote_number_key on quote (tenant_id, number, version)
  where number is not null and delete_time is null;
create index quote_owner_idx on quote (tenant_id, owner, id);
create index quote_team_idx on quote (tenant_id, team, id);
create index quote_account_idx on quote (tenant_id, account, id);
create index quote_contact_idx on quote (tenant_id, contact, id) where contact is not null;
create index quote_opportunity_idx on quote (tenant_id, opportunity, id) where opportunity is not null;
create index quote_create_time_idx on quote (tenant_id, create_time, id);
create index quote_update_time_idx on quote (tenant_id, update_time, id);
create index quote_state_idx on quote (tenant_id, state, id);
create index quote_gross_idx on quote (tenant_id, gross, id);
create index quote_send_time_idx on quote (tenant_id, send_time, id);
create index quote_decision_time_idx on quote (tenant_id, decision_time, id);
create index quote_valid_until_idx on quote (tenant_id, valid_until, id);
-- Those that are about to expire.
create index quote_expiry_idx on quote (valid_until, tenant_id, id) where state = 'SENT' and valid_until is not null;

-- What was submitted stays as it is, whoever writes: only where it is goes on, and with it what belongs to that. The revision
-- counts on, as a restore may lift it.
create function quote_guard() returns trigger language plpgsql as $$
declare
  movable constant text[] := array[
    'revision', 'update_time', 'state', 'number_series', 'number', 'approvals', 'reject_reason', 'send_time', 'view_time',
    'view_count', 'decision_time', 'accepter', 'signature', 'decline_reason', 'decline_note', 'cancel_reason'
  ];
  given constant text[] := array['number_series', 'number', 'send_time', 'view_time', 'decision_time', 'accepter', 'signature'];
begin
  if tg_op = 'UPDATE' and old.state in ('DRAFT', 'REJECTED')
    and new.state in ('DRAFT', 'REJECTED', 'IN_APPROVAL', 'APPROVED', 'SUPERSEDED', 'CANCELLED')
  then
    return new;
  end if;
  if tg_op = 'DELETE'
    or to_jsonb(new) - movable is distinct from to_jsonb(old) - movable
    or (old.state <> new.state and (old.state, new.state) not in (
      ('IN_APPROVAL', 'APPROVED'), ('IN_APPROVAL', 'REJECTED'), ('IN_APPROVAL', 'SUPERSEDED'), ('IN_APPROVAL', 'CANCELLED'),
      ('APPROVED', 'SENT'), ('APPROVED', 'SUPERSEDED'), ('APPROVED', 'CANCELLED'),
      ('SENT', 'ACCEPTED'), ('SENT', 'DECLINED'), ('SENT', 'EXPIRED'), ('SENT', 'SUPERSEDED'), ('SENT', 'CANCELLED')
    ))
    or exists (
      select from unnest(given) as field
      where coalesce(to_jsonb(old) ->> field, '') <> '' and to_jsonb(new) -> field is distinct from to_jsonb(old) -> field
    )
  then
    raise exception using errcode = '23514', constraint = 'quote_immutable',
      message = 'a submitted quote does not change';
  end if;
  return new;
end $$;
create trigger quote_guard before update or delete on quote for each row execute function quote_guard();
