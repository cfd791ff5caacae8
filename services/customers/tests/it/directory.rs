//! The directory: members and teams, and what a caller learns of itself.

use tonic::{Code, Response, Status};
use trato_proto::{
    directory::v1::{
        BatchCreateMembersRequest, Caller, CreateMemberRequest, CreateTeamRequest, DeleteMemberRequest,
        DeleteTeamRequest, GetCallerRequest, GetMemberRequest, Member, Team, UndeleteTeamRequest,
        UpdateMemberRequest, batch_create_members_response::result::Outcome, member::Absence,
    },
    google::value::Date,
};
use uuid::Uuid;

use crate::harness::{Customers, field, refusal, violations};

fn day(day: i32) -> Option<Date> {
    Some(Date { year: 2026, month: 8, day })
}

fn named(subject: &str) -> Member {
    Member { subject: subject.into(), display_name: subject.into(), ..Default::default() }
}

impl Customers {
    async fn create_member(&self, member: Member) -> Result<Member, Status> {
        let request = CreateMemberRequest { member: Some(member), ..Default::default() };
        self.members().create_member(self.admin.request(request)).await.map(Response::into_inner)
    }

    async fn create_team(&self, display_name: &str) -> Result<Team, Status> {
        let team = Team { display_name: display_name.into(), ..Default::default() };
        let request = CreateTeamRequest { team: Some(team), ..Default::default() };
        self.teams().create_team(self.admin.request(request)).await.map(Response::into_inner)
    }

    async fn caller_as_seen(&self, subject: &str, roles: &[&str]) -> Caller {
        let request = self.caller(subject, roles).request(GetCallerRequest {});
        self.members().get_caller(request).await.expect("anybody may ask").into_inner()
    }
}

/// COL-27: a member is named by the subject of its tokens, and keeps teams, skills and absences.
#[tokio::test]
async fn a_member_is_named_by_its_subject() {
    let customers = Customers::start().await;
    let team = customers.team("West").await.name;
    let absence = Absence { start_date: day(1), end_date: day(31), deputy: "members/eva".into() };

    let created = customers
        .create_member(Member {
            email_address: "Ana@Example.com".into(),
            manager: "members/boss".into(),
            teams: vec![team.clone(), team.clone()],
            skills: vec!["german".into(), "refunds".into(), "german".into()],
            absences: vec![absence.clone()],
            ..named("ana@sales")
        })
        .await
        .expect("a member");

    assert_eq!(created.name, "members/ana@sales");
    assert_eq!(created.email_address, "ana@example.com");
    assert_eq!((created.teams.as_slice(), created.absences.as_slice()), (&[team][..], &[absence][..]));
    assert_eq!(created.skills, ["german", "refunds"]);
    let request = GetMemberRequest { name: "members/ana@sales".into() };
    let read = customers.members().get_member(customers.admin.request(request)).await.expect("it is there");
    assert_eq!(read.into_inner(), created);
    let twice = refusal(customers.create_member(named("ana@sales")).await);
    assert_eq!(twice, (Code::AlreadyExists, "MEMBER_EXISTS".to_owned()));
}

/// COL-27: everything that is wrong with a member is said at once.
#[tokio::test]
async fn all_that_is_wrong_with_a_member_is_said_at_once() {
    let customers = Customers::start().await;

    let answer = customers
        .create_member(Member {
            manager: "members/ana".into(),
            teams: vec!["west".into()],
            skills: vec![" ".into()],
            absences: vec![
                Absence { start_date: day(2), end_date: day(1), deputy: "members/ana".into() },
                Absence { start_date: day(40), ..Default::default() },
            ],
            ..named("ana")
        })
        .await;

    let expected = [
        field("member.absences[0].deputy", "SAME_MEMBER"),
        field("member.absences[0].end_date", "END_BEFORE_START"),
        field("member.absences[1].end_date", "REQUIRED"),
        field("member.absences[1].start_date", "INVALID_DATE"),
        field("member.manager", "SAME_MEMBER"),
        field("member.skills[0]", "EMPTY"),
        field("member.teams[0]", "INVALID_RESOURCE_NAME"),
    ];
    assert_eq!(violations(answer), expected);
    let many = Member { teams: vec!["west".into(); 51], ..named("ana") };
    assert_eq!(violations(customers.create_member(many).await), [field("member.teams", "TOO_MANY")]);
}

/// COL-27: a member joins teams that are there; in a batch only the one that does not is refused.
#[tokio::test]
async fn the_teams_of_a_member_must_exist() {
    let customers = Customers::start().await;
    let missing = (Code::FailedPrecondition, "TEAM_NOT_FOUND".to_owned());
    let nowhere = format!("teams/{}", Uuid::now_v7());
    let west = customers.team("West").await.name;

    let lost = Member { teams: vec![west.clone(), nowhere], ..named("ana") };
    assert_eq!(refusal(customers.create_member(lost.clone()).await), missing);
    let in_west = Member { teams: vec![west.clone()], ..named("eva") };
    let requests =
        [lost, in_west].map(|member| CreateMemberRequest { member: Some(member), ..Default::default() });
    let request = BatchCreateMembersRequest { requests: requests.into(), ..Default::default() };
    let answer = customers.members().batch_create_members(customers.admin.request(request)).await;
    let results = answer.expect("an answer").into_inner().results;
    assert!(matches!(results[0].outcome, Some(Outcome::Error(_))), "{results:?}");
    assert!(results[1].created, "{results:?}");

    let eva = Member {
        name: "members/eva".into(),
        teams: vec![format!("teams/{}", Uuid::now_v7())],
        ..named("eva")
    };
    let request = UpdateMemberRequest { member: Some(eva), ..Default::default() };
    assert_eq!(refusal(customers.members().update_member(customers.admin.request(request)).await), missing);

    let request = DeleteTeamRequest { name: west.clone(), ..Default::default() };
    customers.teams().delete_team(customers.admin.request(request)).await.expect("a team may be deleted");
    let joining = Member { teams: vec![west.clone()], ..named("leo") };
    assert_eq!(refusal(customers.create_member(joining).await), missing);
    let eva = Member { name: "members/eva".into(), display_name: "Eva".into(), ..Default::default() };
    let request = UpdateMemberRequest { member: Some(eva), ..Default::default() };
    let kept =
        customers.members().update_member(customers.admin.request(request)).await.expect("still a member");
    assert_eq!(kept.get_ref().teams, [west]);
}

/// COL-27: a load of members can be repeated, whole or in part.
#[tokio::test]
async fn a_load_of_members_can_be_repeated() {
    let customers = Customers::start().await;
    let load = async |subjects: &[&str]| {
        let member =
            |subject: &&str| Member { source: "hr".into(), external_id: (*subject).into(), ..named(subject) };
        let requests = subjects.iter().map(member);
        let requests =
            requests.map(|member| CreateMemberRequest { member: Some(member), ..Default::default() });
        let request = BatchCreateMembersRequest { requests: requests.collect(), ..Default::default() };
        let answer = customers.members().batch_create_members(customers.admin.request(request)).await;
        answer.map(|answer| {
            let results = answer.into_inner().results.into_iter();
            results
                .map(|result| (result.created, matches!(result.outcome, Some(Outcome::Member(_)))))
                .collect::<Vec<_>>()
        })
    };

    assert_eq!(load(&["ana", "eva"]).await.expect("an answer"), [(true, true), (true, true)]);
    assert_eq!(load(&["eva", "leo"]).await.expect("an answer"), [(false, true), (true, true)]);
    let twice = load(&["max", "ana", "max"]).await.expect("an answer");
    assert_eq!(twice, [(true, true), (false, true), (false, false)], "the second of two twins is refused");
    assert_eq!(customers.service.events(customers.admin.tenant).await.len(), 4, "one event for each member");
}

/// COL-27: a subject is one member for ever; what was deleted is undeleted, not made again.
#[tokio::test]
async fn a_deleted_member_keeps_its_subject() {
    let customers = Customers::start().await;
    customers.create_member(named("ana")).await.expect("a member");
    let request = DeleteMemberRequest { name: "members/ana".into(), ..Default::default() };
    customers.members().delete_member(customers.admin.request(request)).await.expect("deleted");

    let again = refusal(customers.create_member(named("ana")).await);

    assert_eq!(again, (Code::AlreadyExists, "MEMBER_EXISTS".to_owned()));
}

/// COL-27: the name of a team is unique among the living ones of the tenant.
#[tokio::test]
async fn a_team_name_is_taken_while_its_team_lives() {
    let customers = Customers::start().await;
    let taken = (Code::AlreadyExists, "TEAM_NAME_TAKEN".to_owned());
    let first = customers.create_team("West").await.expect("a team");

    assert_eq!(refusal(customers.create_team("West").await), taken);
    let request = DeleteTeamRequest { name: first.name.clone(), ..Default::default() };
    customers.teams().delete_team(customers.admin.request(request)).await.expect("deleted");
    customers.create_team("West").await.expect("the name is free again");
    let request = UndeleteTeamRequest { name: first.name, ..Default::default() };
    assert_eq!(refusal(customers.teams().undelete_team(customers.admin.request(request)).await), taken);
}

/// COL-27: a caller learns who it is, its teams, and each permission once, as far as the widest grant reaches.
#[tokio::test]
async fn a_caller_learns_what_it_may_do() {
    let customers = Customers::start().await;
    let team = customers.team("West").await.name;
    customers.create_member(Member { teams: vec![team.clone()], ..named("ana") }).await.expect("a member");
    customers.service.deliver(customers.service.published(customers.admin.tenant).await).await;

    let ana = customers.caller_as_seen("ana", &["sales-representative", "auditor", "unheard-of"]).await;

    assert_eq!((ana.member.as_str(), ana.tenant), ("members/ana", customers.admin.tenant.to_string()));
    assert_eq!(ana.teams, [team]);
    assert_eq!(ana.roles, ["sales-representative", "auditor", "unheard-of"]);
    assert!(!ana.issuer.is_empty() && ana.expire_time.is_some());
    let of = |permission: &str| {
        let grants = ana.grants.iter().filter(|grant| grant.permission == permission);
        grants.map(|grant| (grant.role.as_str(), grant.scope().as_str_name())).collect::<Vec<_>>()
    };
    assert_eq!(of("customers.timelineEntries.list"), [("auditor", "SCOPE_ALL")]);
    assert_eq!(of("customers.accounts.update"), [("sales-representative", "SCOPE_OWN")]);
    assert_eq!(of("directory.members.create"), []);
    let nobody = customers.caller_as_seen("nobody", &[]).await;
    assert_eq!(nobody.grants.len(), 1);
    assert_eq!(nobody.teams, Vec::<String>::new());
}
