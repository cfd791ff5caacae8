-- Pipelines: the stages a kind of sale goes through.
create table pipeline (
  like platform.resource including defaults including constraints,
  display_name text collate "C" not null,
  segment text collate "C" not null,
  stages jsonb not null,
  constraint pipeline_stages_check check (
    jsonb_typeof(stages) = 'array' and jsonb_array_length(stages) between 1 and 50
  )
);
comment on table pipeline is 'The stages a kind of sale goes through, one row per market segment.';
comment on column pipeline.stages is
  'In the order they are walked: [{key, display_name, probability_percent, max_days}]; keys are unique.';
select platform.adopt_resource('pipeline');

create unique index pipeline_display_name_key on pipeline (tenant_id, display_name) where delete_time is null;
create index pipeline_display_name_idx on pipeline (tenant_id, display_name, id);
create index pipeline_create_time_idx on pipeline (tenant_id, create_time, id);
create index pipeline_update_time_idx on pipeline (tenant_id, update_time, id);
