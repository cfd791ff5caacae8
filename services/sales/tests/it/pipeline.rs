//! Pipelines: their stages, and what may become of a stage that is in use.

use tonic::{Code, Response, Status};
use trato_proto::sales::v1::{
    CreatePipelineRequest, DeleteOpportunityRequest, DeletePipelineRequest, LoseOpportunityRequest,
    Opportunity, Pipeline, ReopenOpportunityRequest, UndeleteOpportunityRequest, UpdatePipelineRequest,
    opportunity::LostReason,
};

use crate::harness::{Sales, field, paths, refusal, stage, violations};

impl Sales {
    async fn set_stages(&self, name: &str, stages: &[(&str, i32)]) -> Result<Pipeline, Status> {
        let stages = stages.iter().map(|(key, chance)| stage(key, *chance)).collect();
        let pipeline = Pipeline { name: name.into(), stages, ..Default::default() };
        let update_mask = Some(paths(&["stages"]));
        let request = UpdatePipelineRequest { pipeline: Some(pipeline), update_mask, ..Default::default() };
        self.pipelines().update_pipeline(self.admin.request(request)).await.map(Response::into_inner)
    }

    async fn delete_pipeline(&self, name: &str) -> Result<Pipeline, Status> {
        let request = DeletePipelineRequest { name: name.into(), ..Default::default() };
        self.pipelines().delete_pipeline(self.admin.request(request)).await.map(Response::into_inner)
    }
}

/// SFA-06: each market segment has a sales process of its own.
#[tokio::test]
async fn each_segment_sells_by_a_pipeline_of_its_own() {
    let sales = Sales::start().await;
    let first = sales.pipeline("Standard", &[("prospecting", 10), ("engaging", 40)]).await;
    let complex = sales.pipeline("Complex B2B", &[("qualify", 5), ("pilot", 30), ("tender", 50)]).await;

    let by_default = Opportunity { display_name: "Ten presses".into(), ..Default::default() };
    let by_default = sales.create(by_default).await.expect("an opportunity");
    let by_name = Opportunity {
        display_name: "A factory".into(),
        pipeline: complex.name.clone(),
        stage: "pilot".into(),
        ..Default::default()
    };
    let by_name = sales.create(by_name).await.expect("an opportunity");

    assert_eq!((by_default.pipeline, by_default.stage), (first.name, "prospecting".to_owned()));
    assert_eq!(by_default.probability_percent, 10, "the chance is the stage's");
    assert_eq!(
        (by_name.pipeline, by_name.stage, by_name.probability_percent),
        (complex.name, "pilot".to_owned(), 30)
    );
}

#[tokio::test]
async fn all_that_is_wrong_with_a_pipeline_is_said_at_once() {
    let sales = Sales::start().await;
    let create = async |stages| {
        let pipeline = Pipeline { display_name: "Standard".into(), stages, ..Default::default() };
        let request = CreatePipelineRequest { pipeline: Some(pipeline), ..Default::default() };
        sales.pipelines().create_pipeline(sales.admin.request(request)).await
    };

    let malformed = create(vec![stage("Bad Key", 101), stage("ok", -1)]).await;
    let doubled = create(vec![stage("a", 1), stage("b", 2), stage("a", 3)]).await;
    let none = create(vec![]).await;
    let many = create((0..51).map(|number| stage(&format!("s{number}"), 1)).collect()).await;

    let expected = [
        field("pipeline.stages[0].key", "INVALID_STAGE_KEY"),
        field("pipeline.stages[0].probability_percent", "OUT_OF_RANGE"),
        field("pipeline.stages[1].probability_percent", "OUT_OF_RANGE"),
    ];
    assert_eq!(violations(malformed), expected);
    assert_eq!(violations(doubled), [field("pipeline.stages[2].key", "DUPLICATE_KEY")]);
    assert_eq!(violations(none), [field("pipeline.stages", "REQUIRED")]);
    assert_eq!(violations(many), [field("pipeline.stages", "TOO_MANY")]);
}

#[tokio::test]
async fn two_pipelines_do_not_share_a_name() {
    let sales = Sales::start().await;
    sales.pipeline("Standard", &[("a", 1)]).await;

    let pipeline =
        Pipeline { display_name: "Standard".into(), stages: vec![stage("a", 1)], ..Default::default() };
    let request = CreatePipelineRequest { pipeline: Some(pipeline), ..Default::default() };
    let answer = sales.pipelines().create_pipeline(sales.admin.request(request)).await;

    assert_eq!(refusal(answer), (Code::AlreadyExists, "PIPELINE_NAME_TAKEN".to_owned()));
}

/// SFA-07: where a sale stands is always a step of its process.
#[tokio::test]
async fn a_stage_that_an_open_opportunity_is_at_cannot_be_taken_away() {
    let sales = Sales::start().await;
    let pipeline = sales.pipeline("Standard", &[("prospecting", 10), ("engaging", 40)]).await;
    sales.opportunity("Ten presses", 10).await;

    let taken = sales.set_stages(&pipeline.name, &[("engaging", 40)]).await;
    let unused = sales.set_stages(&pipeline.name, &[("prospecting", 10), ("closing", 80)]).await;

    assert_eq!(refusal(taken), (Code::FailedPrecondition, "STAGE_IN_USE".to_owned()));
    assert!(unused.is_ok(), "nothing is at engaging");
}

#[tokio::test]
async fn a_closed_opportunity_is_not_reopened_at_a_stage_that_is_gone() {
    let sales = Sales::start().await;
    let pipeline = sales.pipeline("Standard", &[("prospecting", 10), ("engaging", 40)]).await;
    let name = sales.opportunity("Ten presses", 10).await.name;
    let lose =
        LoseOpportunityRequest { name: name.clone(), reason: LostReason::Price.into(), ..Default::default() };
    sales.opportunities().lose_opportunity(sales.admin.request(lose)).await.expect("lost");
    sales.set_stages(&pipeline.name, &[("engaging", 40)]).await.expect("a closed one holds no stage");

    let reopen = ReopenOpportunityRequest { name, ..Default::default() };
    let answer = sales.opportunities().reopen_opportunity(sales.admin.request(reopen)).await;

    assert_eq!(refusal(answer), (Code::FailedPrecondition, "UNKNOWN_STAGE".to_owned()));
}

#[tokio::test]
async fn a_pipeline_with_open_opportunities_is_not_deleted() {
    let sales = Sales::start().await;
    let pipeline = sales.pipeline("Standard", &[("prospecting", 10)]).await;
    let unused = sales.pipeline("Unused", &[("prospecting", 10)]).await;
    sales.opportunity("Ten presses", 10).await;

    let in_use = sales.delete_pipeline(&pipeline.name).await;
    let deleted = sales.delete_pipeline(&unused.name).await;

    assert_eq!(refusal(in_use), (Code::FailedPrecondition, "PIPELINE_IN_USE".to_owned()));
    assert!(deleted.is_ok());
    let of_deleted = Opportunity { display_name: "Late".into(), pipeline: unused.name, ..Default::default() };
    assert_eq!(
        refusal(sales.create(of_deleted).await),
        (Code::FailedPrecondition, "PIPELINE_DELETED".to_owned())
    );
}

/// SFA-07: no open sale walks a pipeline that is deleted, not by coming back either.
#[tokio::test]
async fn nothing_comes_back_into_a_deleted_pipeline() {
    let sales = Sales::start().await;
    let pipeline = sales.pipeline("Standard", &[("prospecting", 10)]).await;
    let lost = sales.opportunity("Ten presses", 10).await.name;
    let lose =
        LoseOpportunityRequest { name: lost.clone(), reason: LostReason::Price.into(), ..Default::default() };
    sales.opportunities().lose_opportunity(sales.admin.request(lose)).await.expect("lost");
    let gone = sales.opportunity("Twenty presses", 20).await.name;
    let delete = DeleteOpportunityRequest { name: gone.clone(), ..Default::default() };
    sales.opportunities().delete_opportunity(sales.admin.request(delete)).await.expect("deleted");
    sales.delete_pipeline(&pipeline.name).await.expect("no open opportunity walks it");

    let reopen = ReopenOpportunityRequest { name: lost, ..Default::default() };
    let reopened = sales.opportunities().reopen_opportunity(sales.admin.request(reopen)).await;
    let undelete = UndeleteOpportunityRequest { name: gone, ..Default::default() };
    let undeleted = sales.opportunities().undelete_opportunity(sales.admin.request(undelete)).await;

    for refused in [refusal(reopened), refusal(undeleted)] {
        assert_eq!(refused, (Code::FailedPrecondition, "PIPELINE_DELETED".to_owned()));
    }
}

/// SFA-07: however two callers race, no sale is left at a step that its process does not have.
#[tokio::test]
async fn a_stage_is_not_taken_away_at_the_moment_it_is_used() {
    let sales = Sales::start().await;
    let both = [("prospecting", 10), ("engaging", 40)];
    let pipeline = sales.pipeline("Standard", &both).await;

    for round in 0..20 {
        let late = Opportunity {
            display_name: format!("Sale {round}"),
            stage: "engaging".into(),
            ..Default::default()
        };
        let (created, changed) =
            tokio::join!(sales.create(late), sales.set_stages(&pipeline.name, &both[..1]));

        match (created, changed) {
            (Ok(created), Err(refused)) => {
                assert_eq!(
                    refusal::<()>(Err(refused)),
                    (Code::FailedPrecondition, "STAGE_IN_USE".to_owned())
                );
                let lose = LoseOpportunityRequest {
                    name: created.name,
                    reason: LostReason::Timing.into(),
                    ..Default::default()
                };
                sales.opportunities().lose_opportunity(sales.admin.request(lose)).await.expect("lost");
            }
            (Err(refused), Ok(_)) => {
                assert_eq!(
                    refusal::<()>(Err(refused)),
                    (Code::FailedPrecondition, "UNKNOWN_STAGE".to_owned())
                );
                sales.set_stages(&pipeline.name, &both).await.expect("the stage is put back");
            }
            (created, changed) => panic!("one of the two is refused: {created:?} {changed:?}"),
        }
    }
}
