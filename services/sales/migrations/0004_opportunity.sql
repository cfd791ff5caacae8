-- Opportunities, each with its history in the same row.
create table opportunity (
  like platform.resource including defaults including constraints,
  owner text collate "C",
  team uuid,
  display_name text collate "C" not null,
  account uuid,
  contact uuid,
  pipeline uuid not null,
  stage text collate "C" not null,
  stage_time timestamptz,
  state text collate "C" not null,
  product uuid,
  amount bigint,
  currency text collate "C",
  close_date date,
  probability_percent bigint not null,
  next_step text not null,
  next_step_date date,
  lost_reason text collate "C",
  lost_note text not null,
  close_time timestamptz,
  description text not null,
  history jsonb,
  constraint opportunity_pipeline_fkey foreign key (tenant_id, pipeline) references pipeline (tenant_id, id),
  constraint opportunity_product_fkey foreign key (tenant_id, product) references product (tenant_id, id),
  constraint opportunity_state_check check (state in ('OPEN', 'WON', 'LOST')),
  constraint opportunity_amount_check check ((amount is null) = (currency is null) and amount >= 0),
  constraint opportunity_probability_percent_check check (probability_percent between 0 and 100),
  constraint opportunity_close_time_check check ((state = 'OPEN') = (close_time is null)),
  constraint opportunity_close_date_check check (state = 'OPEN' or close_date is not null),
  constraint opportunity_lost_reason_check check ((state = 'LOST') = (lost_reason is not null)),
  constraint opportunity_won_check check (
    state <> 'WON' or (account is not null and amount is not null and amount > 0)
  ),
  constraint opportunity_history_check check (
    jsonb_typeof(history) = 'array' and jsonb_array_length(history) between 1 and 1000
  )
);
comment on table opportunity is 'Sales under way, won and lost.';
comment on column opportunity.account is 'In customers; checked before the write, by the projection or by a call.';
comment on column opportunity.stage is 'Key of a stage of the pipeline; where it is, or was when it was closed.';
comment on column opportunity.stage_time is 'When it entered the stage; null when an import did not know.';
comment on column opportunity.amount is 'In the minor unit of currency.';
comment on column opportunity.close_date is 'Day it is expected to close; once closed, the day it did.';
comment on column opportunity.close_time is 'When it was won or lost in the business.';
comment on column opportunity.history is
  'Every step, oldest first; grows only. A write of null keeps what is there, so that updates need not carry it.';
select platform.adopt_resource('opportunity');

create index opportunity_owner_idx on opportunity (tenant_id, owner, id);
create index opportunity_team_idx on opportunity (tenant_id, team, id);
create index opportunity_display_name_idx on opportunity (tenant_id, display_name, id);
create index opportunity_create_time_idx on opportunity (tenant_id, create_time, id);
create index opportunity_update_time_idx on opportunity (tenant_id, update_time, id);
create index opportunity_close_date_idx on opportunity (tenant_id, close_date, id);
create index opportunity_state_idx on opportunity (tenant_id, state, id);
create index opportunity_account_idx on opportunity (tenant_id, account, id) where account is not null;
create index opportunity_contact_idx on opportunity (tenant_id, contact, id) where contact is not null;
create index opportunity_product_idx on opportunity (tenant_id, product, id) where product is not null;
create index opportunity_amount_idx on opportunity (tenant_id, amount, id) where amount is not null;
create index opportunity_next_step_date_idx on opportunity (tenant_id, next_step_date, id)
  where next_step_date is not null;
-- Also tells which stages are in use.
create index opportunity_pipeline_stage_idx on opportunity (tenant_id, pipeline, stage, state, id);

-- Keeps what one row cannot say by itself: the history only grows, and an open
-- opportunity is at a stage of its pipeline, which is deleted only together with it.
-- Every change is an upsert, so the insert side also speaks for rows that turn out to be there.
create function opportunity_guard() returns trigger language plpgsql as $$
declare
  walked record;
begin
  if tg_op = 'UPDATE' then
    new.history := coalesce(new.history, old.history);
    if jsonb_array_length(new.history) < jsonb_array_length(old.history) then
      raise exception using errcode = '23514', constraint = 'opportunity_history_grows',
        message = 'the history of an opportunity only grows';
    end if;
  elsif new.state = 'OPEN' then
    -- The lock makes a change of the pipeline's stages wait for us, or us for it.
    select delete_time is null as is_living into walked from pipeline
    where tenant_id = new.tenant_id and id = new.pipeline
      and stages @> jsonb_build_array(jsonb_build_object('key', new.stage))
    for share;
    if not found then
      raise exception using errcode = '23514', constraint = 'opportunity_stage_known',
        message = 'the pipeline has no such stage';
    elsif new.delete_time is null and not walked.is_living then
      raise exception using errcode = '23514', constraint = 'opportunity_pipeline_living',
        message = 'the pipeline is deleted';
    end if;
  end if;
  return new;
end $$;
create trigger opportunity_guard before insert or update on opportunity
  for each row execute function opportunity_guard();

-- The other side of it: a stage that an open opportunity is at stays, and so does a pipeline that open ones walk.
create function pipeline_guard() returns trigger language plpgsql as $$
begin
  -- A deleted opportunity may be undeleted, so it counts as well.
  if exists (
    select from jsonb_array_elements(old.stages) as gone (stage)
    where not new.stages @> jsonb_build_array(jsonb_build_object('key', gone.stage ->> 'key'))
      and exists (
        select from opportunity
        where opportunity.tenant_id = new.tenant_id and opportunity.pipeline = new.id
          and opportunity.stage = gone.stage ->> 'key' and opportunity.state = 'OPEN'
      )
  ) then
    raise exception using errcode = '23514', constraint = 'pipeline_stages_in_use',
      message = 'a stage is in use by an open opportunity';
  end if;
  if new.delete_time is not null and old.delete_time is null and exists (
    select from opportunity
    where opportunity.tenant_id = new.tenant_id and opportunity.pipeline = new.id
      and opportunity.state = 'OPEN' and opportunity.delete_time is null
  ) then
    raise exception using errcode = '23514', constraint = 'pipeline_in_use',
      message = 'open opportunities walk the pipeline';
  end if;
  return new;
end $$;
create trigger pipeline_guard before update on pipeline for each row execute function pipeline_guard();
