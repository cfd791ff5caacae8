//! `FunnelService`, and figures on the wire.

use std::collections::HashMap;

use tonic::Request;
use trato_platform::{
    App,
    db::Database,
    standard::{Reply, answer},
};
use trato_proto::{
    google::value::Money,
    sales::v1::{
        self as pb,
        funnel_service_server::FunnelService,
        query_funnel_request::Dimension as WireDimension,
        query_funnel_response::{Figure, Group, StageFigure},
    },
    wire::{self, UnknownName},
};
use trato_types::{Currency, Error, Id, Kind, Result, Violations};
use uuid::Uuid;

use super::{
    model::{Dimension, GroupTally, Route, StageTally, Tally, mean},
    store::{self, Found, MAX_GROUPS, Question},
};
use crate::pipeline::Pipeline;

/// Serves the funnel.
pub struct Api {
    database: Database,
}

impl Api {
    /// The service over the app's database.
    pub fn new(app: &App) -> Self {
        Self { database: app.database.clone() }
    }
}

#[tonic::async_trait]
impl FunnelService for Api {
    async fn query_funnel(&self, request: Request<pb::QueryFunnelRequest>) -> Reply<pb::QueryFunnelResponse> {
        answer(request, async |cx, body| {
            let question = parse(&body)?;
            let found = store::query(&self.database, cx, &question).await?;
            render(&question, &found)
        })
        .await
    }
}

fn parse(request: &pb::QueryFunnelRequest) -> Result<Question> {
    let mut violations = Violations::new();
    let pipeline = violations.keep("pipeline", Id::parse_optional(&request.pipeline));
    let dimension = violations.keep("group_by", parse_dimension(request.group_by));
    let start_date = request.start_date.as_ref();
    let start_date = start_date.and_then(|date| violations.keep("start_date", wire::parse_date(date)));
    let end_date = request.end_date.as_ref();
    let end_date = end_date.and_then(|date| violations.keep("end_date", wire::parse_date(date)));
    if start_date.zip(end_date).is_some_and(|(start, end)| end < start) {
        violations.add("end_date", "END_BEFORE_START", "must not be before start_date");
    }
    let filter = violations.absorb("", Question::parse_filter(&request.filter))?;
    let ((pipeline, dimension), filter) = violations.into_result(pipeline.zip(dimension).zip(filter))?;
    Ok(Question { pipeline, dimension, start_date, end_date, filter })
}

fn parse_dimension(dimension: i32) -> Result<Dimension, UnknownName> {
    Ok(match WireDimension::try_from(dimension).map_err(|_| UnknownName)? {
        WireDimension::Unspecified => Dimension::Whole,
        WireDimension::Owner => Dimension::Owner,
        WireDimension::Team => Dimension::Team,
        WireDimension::Region => Dimension::Region,
        WireDimension::Product => Dimension::Product,
        WireDimension::CloseMonth => Dimension::CloseMonth,
        WireDimension::CloseQuarter => Dimension::CloseQuarter,
    })
}

fn render(question: &Question, found: &Found) -> Result<pb::QueryFunnelResponse> {
    if let Some(pipeline) = question.pipeline
        && !found.counted.routes.iter().any(|route| route.pipeline == pipeline.uuid())
    {
        return Err(Error::not_found(pipeline.name()));
    }
    if found.groups > MAX_GROUPS {
        let message = format!("the figures fall into more than {MAX_GROUPS} groups; narrow them down");
        return Err(Error::new(Kind::Precondition, "TOO_MANY_GROUPS", message).with("max_groups", MAX_GROUPS));
    }
    let mut tallies = found.counted.tallies();
    if question.dimension == Dimension::Whole {
        // What is not split has its one group, also when it is empty.
        tallies.groups.entry(String::new()).or_default();
    }
    let names: HashMap<&str, &str> =
        found.counted.labels.iter().map(|label| (label.key.as_str(), label.display_name.as_str())).collect();
    let mut routes: Vec<&Route> = found.counted.routes.iter().collect();
    routes.sort_by_key(|route| route.pipeline);
    let asked = question.pipeline.map(Id::uuid);
    let groups = tallies.ranked().into_iter().map(|(key, group)| {
        // Of what has no name here, the key says what can be said.
        let name = names.get(key).copied().unwrap_or(key);
        render_group(key, name, group, &routes, asked)
    });
    Ok(pb::QueryFunnelResponse {
        groups: groups.collect::<Result<_>>()?,
        total: Some(render_group("", "", &tallies.total, &routes, asked)?),
        read_time: Some(wire::timestamp(found.read_time)),
    })
}

fn render_group(
    key: &str,
    display_name: &str,
    group: &GroupTally,
    routes: &[&Route],
    asked: Option<Uuid>,
) -> Result<Group> {
    let walked = |route: &&&Route| group.pipelines.contains(&route.pipeline) || asked == Some(route.pipeline);
    let mut stages = Vec::new();
    for route in routes.iter().filter(walked) {
        for stage in route.stages.iter() {
            let tally = group.stages.get(&(route.pipeline, stage.key.clone())).cloned().unwrap_or_default();
            stages.push(StageFigure {
                pipeline: Id::<Pipeline>::from_uuid(route.pipeline).name(),
                stage: stage.key.to_string(),
                display_name: stage.display_name.clone(),
                ..render_stage(&tally)?
            });
        }
    }
    Ok(Group {
        key: key.to_owned(),
        display_name: display_name.to_owned(),
        total: Some(render_tally(&group.total)?),
        open: Some(render_tally(&group.open)?),
        won: Some(render_tally(&group.won)?),
        lost: Some(render_tally(&group.lost)?),
        win_rate: group.win_rate(),
        average_cycle_days: group.cycles.mean_days(),
        stages,
    })
}

fn render_stage(tally: &StageTally) -> Result<StageFigure> {
    Ok(StageFigure {
        open: Some(render_tally(&tally.open)?),
        entered_count: tally.entered,
        advanced_count: tally.advanced,
        conversion_rate: tally.conversion_rate(),
        average_days: tally.stays.mean_days(),
        ..StageFigure::default()
    })
}

fn render_tally(tally: &Tally) -> Result<Figure> {
    let mut figure = Figure { count: tally.count, ..Figure::default() };
    for (code, (sum, known)) in &tally.worth {
        let currency = Currency::parse(code).map_err(Error::internal)?;
        figure.amounts.push(render_money(*sum, currency)?);
        if let Some(mean) = mean(*sum, *known) {
            figure.average_amounts.push(render_money(mean, currency)?);
        }
    }
    Ok(figure)
}

/// A sum may have more minor units than one amount; only when its whole units are too many does it not fit.
fn render_money(minor: i128, currency: Currency) -> Result<Money> {
    let factor = 10_i128.pow(currency.exponent());
    let units = i64::try_from(minor / factor).map_err(|_| {
        Error::new(
            Kind::Precondition,
            "SUM_TOO_LARGE",
            format!("the sum of amounts in {} does not fit", currency.code()),
        )
        .with("currency", currency.code())
    })?;
    // Below one unit, so below 10^9 billionths.
    let nanos = i32::try_from(minor % factor * (1_000_000_000 / factor)).unwrap_or_default();
    Ok(Money { currency_code: currency.code().to_owned(), units, nanos })
}
