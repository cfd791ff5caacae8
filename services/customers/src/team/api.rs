//! `TeamService`, and teams on the wire.

use tonic::Request;
use trato_platform::{
    App,
    db::{Constraint, Record, Resource},
    standard::{Reply, Store},
};
use trato_proto::{
    directory::v1::{self as pb, team_service_server::TeamService},
    wire,
};
use trato_query::Field;
use trato_types::{Context, MemberRef, Result, Violations, text::line};

use super::{model::Team, store};

/// Serves teams.
pub struct Api {
    teams: Store<Team>,
}

impl Api {
    /// The service over the app's database.
    pub fn new(app: &App) -> Self {
        Self { teams: Store::new(&app.database) }
    }
}

#[tonic::async_trait]
impl TeamService for Api {
    async fn get_team(&self, request: Request<pb::GetTeamRequest>) -> Reply<pb::Team> {
        self.teams.get(request).await
    }
    async fn list_teams(&self, request: Request<pb::ListTeamsRequest>) -> Reply<pb::ListTeamsResponse> {
        self.teams.list(request).await
    }
    async fn create_team(&self, request: Request<pb::CreateTeamRequest>) -> Reply<pb::Team> {
        self.teams.create(request).await
    }
    async fn update_team(&self, request: Request<pb::UpdateTeamRequest>) -> Reply<pb::Team> {
        self.teams.update(request).await
    }
    async fn delete_team(&self, request: Request<pb::DeleteTeamRequest>) -> Reply<pb::Team> {
        self.teams.delete(request).await
    }
    async fn undelete_team(&self, request: Request<pb::UndeleteTeamRequest>) -> Reply<pb::Team> {
        self.teams.undelete(request).await
    }
    async fn batch_get_teams(
        &self,
        request: Request<pb::BatchGetTeamsRequest>,
    ) -> Reply<pb::BatchGetTeamsResponse> {
        self.teams.batch_get(request).await
    }
    async fn batch_create_teams(
        &self,
        request: Request<pb::BatchCreateTeamsRequest>,
    ) -> Reply<pb::BatchCreateTeamsResponse> {
        self.teams.batch_create(request).await
    }
    async fn upsert_team(&self, request: Request<pb::UpsertTeamRequest>) -> Reply<pb::Team> {
        self.teams.upsert(request).await
    }
}

impl Resource for Team {
    type Message = pb::Team;
    const TABLE: &'static str = "team";
    const COLLECTION: &'static str = "teams";
    const EVENT: &'static str = "trato.directory.v1.team";
    const FIELDS: &'static [Field] = store::FIELDS;
    const CONSTRAINTS: &'static [Constraint] = store::CONSTRAINTS;
    const OWNABLE: bool = false;

    fn parse(message: &pb::Team, _: &Context) -> Result<Self> {
        let mut violations = Violations::new();
        let display_name = violations.keep("display_name", message.display_name.parse());
        let region = violations.keep("region", line(&message.region, 100)).unwrap_or_default();
        let lead = violations.keep("lead", MemberRef::parse_optional(&message.lead)).flatten();
        let team = display_name.map(|display_name| Self { display_name, region, lead });
        violations.into_result(team)
    }

    fn render(record: &Record<Self>) -> pb::Team {
        let team = &record.value;
        let (source, external_id) = record.external_fields();
        pb::Team {
            name: record.name(),
            create_time: Some(wire::timestamp(record.create_time)),
            update_time: Some(wire::timestamp(record.update_time)),
            delete_time: record.delete_time.map(wire::timestamp),
            creator: record.creator.clone(),
            etag: record.etag(),
            source,
            external_id,
            display_name: team.display_name.to_string(),
            region: team.region.clone(),
            lead: team.lead.as_ref().map(MemberRef::name).unwrap_or_default(),
        }
    }
}
