//! Figures of the funnel, as a client asks for them.

use tonic::{Code, Response, Status};
use trato_proto::{
    google::value::Money,
    sales::v1::{
        Opportunity, QueryFunnelRequest, QueryFunnelResponse,
        import_opportunities_request::Item,
        opportunity::{LostReason, State},
        query_funnel_request::Dimension,
    },
};

use crate::{
    count::require_equal,
    harness::{Sales, date, field, refusal, timestamp, usd, violations},
    import::{imported, old, step},
    world::populate,
};

impl Sales {
    async fn query(&self, request: QueryFunnelRequest) -> Result<QueryFunnelResponse, Status> {
        self.funnel().query_funnel(self.admin.request(request)).await.map(Response::into_inner)
    }
}

/// SFA-05, SFA-06, SFA-13: whatever happened to the sales, the funnel counts them exactly.
#[tokio::test]
async fn the_funnel_is_what_a_count_by_hand_gives() {
    let sales = Sales::start().await;
    let world = populate(&sales, 240).await;
    let pipeline = world.pipelines[1].name.clone();
    let questions = [
        QueryFunnelRequest::default(),
        QueryFunnelRequest { pipeline, ..Default::default() },
        QueryFunnelRequest {
            start_date: date(2017, 2, 10),
            end_date: date(2017, 8, 5),
            ..Default::default()
        },
        QueryFunnelRequest { end_date: date(2017, 5, 1), ..Default::default() },
        QueryFunnelRequest {
            filter: "owner = \"members/ana\" AND (state = OPEN OR amount > 50000)".into(),
            ..Default::default()
        },
        QueryFunnelRequest { filter: "amount > 99999999999".into(), ..Default::default() },
    ];

    for question in questions {
        for dimension in 0..=6 {
            let request = QueryFunnelRequest { group_by: dimension, ..question.clone() };
            let counted = sales.query(request.clone()).await.expect("figures");
            require_equal(&counted, &world, &request);
        }
    }
}

#[tokio::test]
async fn a_group_has_the_name_people_use() {
    let sales = Sales::start_selling().await;
    let team = sales.hear_team("Team West", "West").await;
    sales.hear_member("ana", "Ana Pérez", &[&team]).await;
    let product = sales.product("GTX Pro").await.name;
    let opportunity = Opportunity {
        display_name: "Ten presses".into(),
        owner: "members/ana".into(),
        team: team.clone(),
        product: product.clone(),
        close_date: date(2017, 3, 31),
        ..Default::default()
    };
    sales.create(opportunity).await.expect("an opportunity");

    let cases = [
        (Dimension::Owner, "members/ana", "Ana Pérez"),
        (Dimension::Team, team.as_str(), "Team West"),
        (Dimension::Region, "West", "West"),
        (Dimension::Product, product.as_str(), "GTX Pro"),
        (Dimension::CloseMonth, "2017-03", "2017-03"),
        (Dimension::CloseQuarter, "2017-Q1", "2017-Q1"),
    ];
    for (dimension, key, display_name) in cases {
        let request = QueryFunnelRequest { group_by: dimension.into(), ..Default::default() };
        let groups = sales.query(request).await.expect("figures").groups;
        assert_eq!((groups[0].key.as_str(), groups[0].display_name.as_str()), (key, display_name));
    }
}

#[tokio::test]
async fn an_empty_funnel_shows_the_stages_of_the_pipeline_asked_for() {
    let sales = Sales::start().await;
    let pipeline = sales.pipeline("Standard", &[("prospecting", 10), ("closing", 80)]).await;

    let request = QueryFunnelRequest { pipeline: pipeline.name.clone(), ..Default::default() };
    let answer = sales.query(request).await.expect("figures");

    let [group] = answer.groups.as_slice() else { panic!("one group: {:?}", answer.groups) };
    let stages: Vec<_> =
        group.stages.iter().map(|stage| (stage.stage.as_str(), stage.display_name.as_str())).collect();
    assert_eq!(stages, [("prospecting", "PROSPECTING"), ("closing", "CLOSING")]);
    assert_eq!((group.win_rate, group.average_cycle_days), (0.0, 0.0));
    assert_eq!(answer.total.as_ref(), Some(group));
}

/// SFA-05: going back to an earlier stage is no progress, and a stage left behind by a detour is not advanced from.
#[tokio::test]
async fn only_a_later_stage_or_a_win_counts_as_progress() {
    let sales = Sales::start_selling().await;
    let mut lost = Opportunity { stage: "prospecting".into(), state: State::Lost.into(), ..old("back") };
    lost.lost_reason = LostReason::Price.into();
    lost.close_date = date(2017, 3, 1);
    let stage_changes = vec![
        step("closing", State::Open, Some(timestamp(2017, 1, 1))),
        step("prospecting", State::Open, Some(timestamp(2017, 2, 1))),
        step("prospecting", State::Lost, Some(timestamp(2017, 3, 1))),
    ];
    imported(&sales.import(vec![Item { opportunity: Some(lost), stage_changes }]).await[0]);

    let stages =
        sales.query(QueryFunnelRequest::default()).await.expect("figures").total.expect("a total").stages;

    let figures: Vec<_> = stages.iter().map(|stage| (stage.entered_count, stage.advanced_count)).collect();
    assert_eq!(figures, [(1, 0), (0, 0), (1, 0)]);
    assert!((stages[0].average_days - 28.0).abs() < 1e-9);
}

#[tokio::test]
async fn amounts_of_two_currencies_are_never_added() {
    let sales = Sales::start_selling().await;
    let worth = |amount| Opportunity { display_name: "Sale".into(), amount, ..Default::default() };
    let yen = Money { currency_code: "JPY".into(), units: 101, nanos: 0 };
    for amount in [usd(10), usd(11), Some(yen.clone()), None] {
        sales.create(worth(amount)).await.expect("an opportunity");
    }

    let total = sales.query(QueryFunnelRequest::default()).await.expect("figures").total.expect("a total");

    let figure = total.open.expect("a figure");
    assert_eq!(figure.count, 4);
    assert_eq!(figure.amounts, [yen.clone(), usd(21).expect("dollars")]);
    let half = Money { currency_code: "USD".into(), units: 10, nanos: 500_000_000 };
    assert_eq!(figure.average_amounts, [yen, half]);
}

#[tokio::test]
async fn all_that_is_wrong_with_a_question_is_said_at_once() {
    let sales = Sales::start().await;
    let request = QueryFunnelRequest {
        pipeline: "pipelines/1".into(),
        group_by: 99,
        start_date: date(2017, 2, 1),
        end_date: date(2017, 1, 1),
        filter: "colour = red".into(),
    };

    let expected = [
        field("end_date", "END_BEFORE_START"),
        field("filter", "UNKNOWN_FIELD"),
        field("group_by", "UNKNOWN_VALUE"),
        field("pipeline", "INVALID_RESOURCE_NAME"),
    ];
    assert_eq!(violations(sales.query(request).await), expected);
    let pipeline = format!("pipelines/{}", uuid::Uuid::now_v7());
    let unknown = sales.query(QueryFunnelRequest { pipeline, ..Default::default() }).await;
    assert_eq!(refusal(unknown), (Code::NotFound, "RESOURCE_NOT_FOUND".to_owned()));
}
