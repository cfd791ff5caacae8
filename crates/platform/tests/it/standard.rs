//! The standard methods: what is written, what is refused, what is answered again, and what another tenant sees.

use sqlx::Row as _;
use tonic::Code;
use trato_contract::directory::v1::{
    BatchCreateTeamsRequest, BatchCreateTeamsResponse, BatchGetTeamsRequest, BatchGetTeamsResponse,
    CreateTeamRequest, DeleteTeamRequest, GetTeamRequest, ListTeamsRequest, ListTeamsResponse,
    Team as Message, UndeleteTeamRequest, UpdateTeamRequest, UpsertTeamRequest,
};
use trato_platform::{db::Database, standard::Store};
use trato_types::{Actor, Context, Scope};
use uuid::Uuid;

use crate::resource::{Team, call, caller, database};

struct Probe {
    database: Database,
    teams: Store<Team>,
    cx: Context,
}

async fn probe() -> Probe {
    let database = database().await;
    Probe { teams: Store::new(&database), database, cx: caller(Uuid::new_v4()) }
}

fn team(name: &str) -> Message {
    Message { display_name: name.to_owned(), ..Message::default() }
}

impl Probe {
    async fn create(&self, team: Message, request_id: &str) -> Result<Message, tonic::Status> {
        let request = CreateTeamRequest {
            team: Some(team),
            request_id: request_id.to_owned(),
            ..CreateTeamRequest::default()
        };
        self.teams.create(call(&self.cx, request)).await.map(tonic::Response::into_inner)
    }

    async fn get(&self, cx: &Context, name: &str) -> Result<Message, tonic::Status> {
        let request = GetTeamRequest { name: name.to_owned() };
        self.teams.get(call(cx, request)).await.map(tonic::Response::into_inner)
    }

    async fn list(&self, cx: &Context, request: ListTeamsRequest) -> ListTeamsResponse {
        self.teams.list(call(cx, request)).await.expect("a page").into_inner()
    }

    /// Type, subject and revision of every event of the tenant, in order.
    async fn events(&self) -> Vec<(String, String, i64)> {
        let mut tx =
            trato_platform::db::Tx::begin(&self.database.pool, &self.cx).await.expect("a transaction");
        sqlx::query("select type, subject, revision from platform.event order by seq")
            .fetch_all(tx.connection())
            .await
            .expect("the log is readable")
            .iter()
            .map(|row| (row.get(0), row.get(1), row.get(2)))
            .collect()
    }
}

#[tokio::test]
async fn a_resource_is_written_with_its_event_and_read_back() {
    let probe = probe().await;

    let made = probe.create(Message { region: "West".to_owned(), ..team("Alpha") }, "").await.expect("made");

    assert_eq!(made.etag, "1");
    assert_eq!(made.creator, "members/ana");
    assert_eq!(probe.get(&probe.cx, &made.name).await.expect("found"), made);
    assert_eq!(probe.events().await, [("trato.directory.v1.team.created".to_owned(), made.name, 1)]);
}

#[tokio::test]
async fn another_tenant_sees_nothing_even_when_the_table_is_tiny_and_analysed() {
    let probe = probe().await;
    let made = probe.create(team("Alpha"), "").await.expect("made");
    let foreign = caller(Uuid::new_v4());

    for _ in 0..2 {
        let refused = probe.get(&foreign, &made.name).await.expect_err("hidden");
        assert_eq!(refused.code(), Code::NotFound);
        assert!(probe.list(&foreign, ListTeamsRequest::default()).await.teams.is_empty());
        let update = UpdateTeamRequest {
            team: Some(Message { name: made.name.clone(), ..team("Taken over") }),
            ..UpdateTeamRequest::default()
        };
        assert_eq!(
            probe.teams.update(call(&foreign, update)).await.expect_err("hidden").code(),
            Code::NotFound
        );
        assert_eq!(probe.get(&probe.cx, &made.name).await.expect("found"), made);
        // Statistics change the plans; the answers must not.
        sqlx::query("analyze team").execute(&probe.database.pool).await.expect("analysed");
    }
}

#[tokio::test]
async fn the_same_request_id_is_done_once_and_answered_the_same() {
    let probe = probe().await;
    let id = Uuid::new_v4().to_string();

    let first = probe.create(team("Alpha"), &id).await.expect("made");
    let second = probe.create(team("Alpha"), &id).await.expect("answered again");
    let other = probe.create(team("Beta"), &id).await.expect_err("another body");

    assert_eq!(first, second);
    assert_eq!(other.code(), Code::InvalidArgument);
    assert_eq!(probe.events().await.len(), 1);
}

#[tokio::test]
async fn an_update_changes_the_masked_fields_and_a_stale_etag_is_refused() {
    let probe = probe().await;
    let made = probe.create(Message { region: "West".to_owned(), ..team("Alpha") }, "").await.expect("made");
    let update = |etag: &str, region: &str, paths: &[&str]| UpdateTeamRequest {
        team: Some(Message {
            name: made.name.clone(),
            etag: etag.to_owned(),
            region: region.to_owned(),
            ..Message::default()
        }),
        update_mask: Some(prost_types::FieldMask {
            paths: paths.iter().map(|path| (*path).to_owned()).collect(),
        }),
        ..UpdateTeamRequest::default()
    };

    let changed = probe
        .teams
        .update(call(&probe.cx, update("1", "East", &["region"])))
        .await
        .expect("changed")
        .into_inner();
    let stale =
        probe.teams.update(call(&probe.cx, update("1", "North", &["region"]))).await.expect_err("stale");
    let unknown =
        probe.teams.update(call(&probe.cx, update("", "", &["colour"]))).await.expect_err("unknown");
    let cleared =
        probe.teams.update(call(&probe.cx, update("", "", &["region"]))).await.expect("cleared").into_inner();

    assert_eq!(
        (changed.region.as_str(), changed.display_name.as_str(), changed.etag.as_str()),
        ("East", "Alpha", "2")
    );
    assert_eq!(stale.code(), Code::Aborted);
    assert_eq!(unknown.code(), Code::InvalidArgument);
    assert_eq!((cleared.region.as_str(), cleared.etag.as_str()), ("", "3"));
}

#[tokio::test]
async fn a_deleted_resource_can_be_undeleted_and_its_repeat_is_answered() {
    let probe = probe().await;
    let made = probe.create(team("Alpha"), "").await.expect("made");
    let id = Uuid::new_v4().to_string();
    let delete = || DeleteTeamRequest {
        name: made.name.clone(),
        request_id: id.clone(),
        ..DeleteTeamRequest::default()
    };

    let deleted = probe.teams.delete(call(&probe.cx, delete())).await.expect("deleted").into_inner();
    let again = probe.teams.delete(call(&probe.cx, delete())).await.expect("answered again").into_inner();
    let anew = DeleteTeamRequest { name: made.name.clone(), ..DeleteTeamRequest::default() };
    let refused = probe.teams.delete(call(&probe.cx, anew)).await.expect_err("deleted already");
    assert!(probe.list(&probe.cx, ListTeamsRequest::default()).await.teams.is_empty());
    let undelete = UndeleteTeamRequest { name: made.name.clone(), ..UndeleteTeamRequest::default() };
    let back = probe.teams.undelete(call(&probe.cx, undelete)).await.expect("back").into_inner();

    assert!(deleted.delete_time.is_some());
    assert_eq!(deleted, again);
    assert_eq!(refused.code(), Code::FailedPrecondition);
    assert!(back.delete_time.is_none());
}

#[tokio::test]
async fn a_unique_name_is_free_again_once_its_holder_is_deleted() {
    let probe = probe().await;
    let made = probe.create(team("Alpha"), "").await.expect("made");

    assert_eq!(probe.create(team("Alpha"), "").await.expect_err("taken").code(), Code::AlreadyExists);
    let delete = DeleteTeamRequest { name: made.name, ..DeleteTeamRequest::default() };
    probe.teams.delete(call(&probe.cx, delete)).await.expect("deleted");
    probe.create(team("Alpha"), "").await.expect("free again");
}

#[tokio::test]
async fn an_upsert_can_be_repeated_without_making_a_second_one() {
    let probe = probe().await;
    let upsert = |region: &str| UpsertTeamRequest {
        team: Some(Message {
            source: "erp".to_owned(),
            external_id: "7".to_owned(),
            region: region.to_owned(),
            ..team("Alpha")
        }),
        ..UpsertTeamRequest::default()
    };

    let made = probe.teams.upsert(call(&probe.cx, upsert("West"))).await.expect("made").into_inner();
    let same = probe.teams.upsert(call(&probe.cx, upsert("West"))).await.expect("same").into_inner();
    let changed = probe.teams.upsert(call(&probe.cx, upsert("East"))).await.expect("changed").into_inner();

    assert_eq!(made, same);
    assert_eq!((changed.name, changed.etag.as_str()), (made.name, "2"));
    assert_eq!(probe.events().await.len(), 2);
}

#[tokio::test]
async fn a_batch_answers_item_by_item() {
    use trato_contract::directory::v1::batch_create_teams_response::result::Outcome;
    let probe = probe().await;
    probe
        .create(Message { source: "erp".to_owned(), external_id: "1".to_owned(), ..team("Known") }, "")
        .await
        .expect("made");
    let item = |name: &str, external_id: &str| CreateTeamRequest {
        team: Some(Message { source: "erp".to_owned(), external_id: external_id.to_owned(), ..team(name) }),
        ..CreateTeamRequest::default()
    };
    let request = BatchCreateTeamsRequest {
        requests: vec![
            item("New", "2"),
            item("Known", "1"),
            item("", "3"),
            item("Forbidden", "4"),
            item("Twin", "2"),
            item("New", "5"),
        ],
        request_id: Uuid::new_v4().to_string(),
        validate_only: false,
    };

    let answer: BatchCreateTeamsResponse =
        probe.teams.batch_create(call(&probe.cx, request.clone())).await.expect("answered").into_inner();
    let again: BatchCreateTeamsResponse =
        probe.teams.batch_create(call(&probe.cx, request)).await.expect("answered again").into_inner();

    let summary: Vec<(bool, String)> = answer
        .results
        .iter()
        .map(|result| match result.outcome.as_ref().expect("an outcome") {
            Outcome::Team(team) => (result.created, team.display_name.clone()),
            Outcome::Error(status) => (result.created, status.code.to_string()),
        })
        .collect();
    let code = |code: Code| (code as i32).to_string();
    assert_eq!(
        summary,
        [
            (true, "New".to_owned()),
            (false, "Known".to_owned()),
            (false, code(Code::InvalidArgument)),
            (false, code(Code::Internal)),
            (false, "New".to_owned()),
            (false, code(Code::AlreadyExists)),
        ]
    );
    assert_eq!(answer, again);
    assert_eq!(probe.events().await.len(), 2);
}

#[tokio::test]
async fn validate_only_finds_the_same_faults_and_leaves_nothing() {
    let probe = probe().await;
    let request = |name: &str| CreateTeamRequest {
        team: Some(team(name)),
        validate_only: true,
        ..CreateTeamRequest::default()
    };

    probe.teams.create(call(&probe.cx, request("Alpha"))).await.expect("valid");
    assert!(probe.events().await.is_empty());
    probe.create(team("Alpha"), "").await.expect("made");
    let refused = probe.teams.create(call(&probe.cx, request("Alpha"))).await.expect_err("taken");

    assert_eq!(refused.code(), Code::AlreadyExists);
}

#[tokio::test]
async fn pages_show_every_row_once_and_batch_get_keeps_the_order() {
    let probe = probe().await;
    let mut names = Vec::new();
    for index in 0..7 {
        let region = if index % 2 == 0 { "East".to_owned() } else { String::new() };
        let made =
            probe.create(Message { region, ..team(&format!("Team {index}")) }, "").await.expect("made");
        names.push(made.name);
    }

    let mut seen = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = ListTeamsRequest {
            page_size: 3,
            page_token,
            order_by: "region desc, display_name".to_owned(),
            ..ListTeamsRequest::default()
        };
        let page = probe.list(&probe.cx, request).await;
        seen.extend(page.teams.into_iter().map(|team| team.display_name));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    names.reverse();
    let request = BatchGetTeamsRequest { names: names.clone() };
    let all: BatchGetTeamsResponse =
        probe.teams.batch_get(call(&probe.cx, request)).await.expect("all").into_inner();

    assert_eq!(seen, ["Team 0", "Team 2", "Team 4", "Team 6", "Team 1", "Team 3", "Team 5"]);
    assert_eq!(all.teams.into_iter().map(|team| team.name).collect::<Vec<_>>(), names);
}

#[tokio::test]
async fn the_scope_own_reaches_own_rows_only_and_none_can_be_given_away() {
    let probe = probe().await;
    let mine =
        probe.create(Message { lead: "members/ana".to_owned(), ..team("Mine") }, "").await.expect("made");
    let other =
        probe.create(Message { lead: "members/eva".to_owned(), ..team("Other") }, "").await.expect("made");
    let own = Context { scope: Scope::Own, actor: Actor::Member("ana".into()), ..probe.cx.clone() };

    let listed = probe.list(&own, ListTeamsRequest::default()).await.teams;
    let hidden = probe.get(&own, &other.name).await.expect_err("hidden");
    let give = UpdateTeamRequest {
        team: Some(Message { name: mine.name.clone(), lead: "members/eva".to_owned(), ..Message::default() }),
        ..UpdateTeamRequest::default()
    };
    let given = probe.teams.update(call(&own, give)).await.expect_err("refused");

    assert_eq!(listed.into_iter().map(|team| team.name).collect::<Vec<_>>(), [mine.name]);
    assert_eq!(hidden.code(), Code::NotFound);
    assert_eq!(given.code(), Code::PermissionDenied);
}
