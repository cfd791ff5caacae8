//! `PipelineService`, and a pipeline on the wire.

use tonic::Request;
use trato_platform::{
    App,
    db::{Constraint, Record, Resource},
    standard::{Reply, Store},
};
use trato_proto::{
    sales::v1::{self as pb, pipeline_service_server::PipelineService},
    wire,
};
use trato_query::Field;
use trato_types::{Context, DisplayName, Result, Violations, text::line};

use super::{
    model::{self, Pipeline, Stage, Stages},
    store,
};

/// Serves pipelines.
pub struct Api {
    pipelines: Store<Pipeline>,
}

impl Api {
    /// The service over the app's database.
    pub fn new(app: &App) -> Self {
        Self { pipelines: Store::new(&app.database) }
    }
}

#[tonic::async_trait]
impl PipelineService for Api {
    async fn get_pipeline(&self, request: Request<pb::GetPipelineRequest>) -> Reply<pb::Pipeline> {
        self.pipelines.get(request).await
    }
    async fn list_pipelines(
        &self,
        request: Request<pb::ListPipelinesRequest>,
    ) -> Reply<pb::ListPipelinesResponse> {
        self.pipelines.list(request).await
    }
    async fn create_pipeline(&self, request: Request<pb::CreatePipelineRequest>) -> Reply<pb::Pipeline> {
        self.pipelines.create(request).await
    }
    async fn update_pipeline(&self, request: Request<pb::UpdatePipelineRequest>) -> Reply<pb::Pipeline> {
        self.pipelines.update(request).await
    }
    async fn delete_pipeline(&self, request: Request<pb::DeletePipelineRequest>) -> Reply<pb::Pipeline> {
        self.pipelines.delete(request).await
    }
    async fn undelete_pipeline(&self, request: Request<pb::UndeletePipelineRequest>) -> Reply<pb::Pipeline> {
        self.pipelines.undelete(request).await
    }
    async fn batch_get_pipelines(
        &self,
        request: Request<pb::BatchGetPipelinesRequest>,
    ) -> Reply<pb::BatchGetPipelinesResponse> {
        self.pipelines.batch_get(request).await
    }
    async fn batch_create_pipelines(
        &self,
        request: Request<pb::BatchCreatePipelinesRequest>,
    ) -> Reply<pb::BatchCreatePipelinesResponse> {
        self.pipelines.batch_create(request).await
    }
    async fn upsert_pipeline(&self, request: Request<pb::UpsertPipelineRequest>) -> Reply<pb::Pipeline> {
        self.pipelines.upsert(request).await
    }
}

impl Resource for Pipeline {
    type Message = pb::Pipeline;
    const TABLE: &'static str = "pipeline";
    const COLLECTION: &'static str = "pipelines";
    const EVENT: &'static str = "trato.sales.v1.pipeline";
    const FIELDS: &'static [Field] = store::FIELDS;
    const CONSTRAINTS: &'static [Constraint] = store::CONSTRAINTS;
    const OWNABLE: bool = false;

    fn parse(message: &pb::Pipeline, _: &Context) -> Result<Self> {
        let mut violations = Violations::new();
        let display_name = violations.keep("display_name", message.display_name.parse());
        let segment = violations.keep("segment", line(&message.segment, 100)).unwrap_or_default();
        let given =
            violations.keep("stages", wire::at_most(&message.stages, Stages::MAX)).unwrap_or_default();
        let mut stages = Vec::with_capacity(given.len());
        for (index, stage) in given.iter().enumerate() {
            stages.extend(violations.absorb(&format!("stages[{index}]."), parse_stage(stage))?);
        }
        // What holds for all of them together can only be said when each is valid.
        let stages = if violations.is_empty() { violations.absorb("", Stages::new(stages))? } else { None };
        let pipeline =
            display_name.zip(stages).map(|(display_name, stages)| Self { display_name, segment, stages });
        violations.into_result(pipeline)
    }

    fn render(record: &Record<Self>) -> pb::Pipeline {
        let pipeline = &record.value;
        let (source, external_id) = record.external_fields();
        pb::Pipeline {
            name: record.name(),
            create_time: Some(wire::timestamp(record.create_time)),
            update_time: Some(wire::timestamp(record.update_time)),
            delete_time: record.delete_time.map(wire::timestamp),
            creator: record.creator.clone(),
            etag: record.etag(),
            source,
            external_id,
            display_name: pipeline.display_name.to_string(),
            segment: pipeline.segment.clone(),
            stages: pipeline.stages.iter().map(render_stage).collect(),
        }
    }
}

fn parse_stage(message: &pb::pipeline::Stage) -> Result<Stage> {
    let mut violations = Violations::new();
    let check = &mut violations;
    let key = check.keep("key", message.key.parse());
    // A name has the rules of every name people use, but is shorter.
    let display_name = line(&message.display_name, 100).and_then(|name| name.parse::<DisplayName>());
    let display_name = check.keep("display_name", display_name);
    let probability_percent = check.keep("probability_percent", model::percent(message.probability_percent));
    let max_days = check.keep("max_days", model::days(message.max_days));
    let (probability_percent, max_days) =
        (probability_percent.unwrap_or_default(), max_days.unwrap_or_default());
    let stage = key.zip(display_name).map(|(key, display_name)| {
        let display_name = display_name.to_string();
        Stage { key, display_name, probability_percent, max_days }
    });
    violations.into_result(stage)
}

fn render_stage(stage: &Stage) -> pb::pipeline::Stage {
    pb::pipeline::Stage {
        key: stage.key.to_string(),
        display_name: stage.display_name.clone(),
        probability_percent: stage.probability_percent,
        max_days: stage.max_days,
    }
}
