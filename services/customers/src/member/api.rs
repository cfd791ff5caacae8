//! `MemberService`, and members on the wire.

use std::sync::Arc;

use tonic::Request;
use trato_platform::{
    App,
    access::{
        roles::{Grant, Roles},
        wire_grant,
    },
    db::{Constraint, Record, Resource},
    directory::Directory,
    rpc::Caller,
    standard::{Reply, Store, answer},
};
use trato_proto::{
    directory::v1::{self as pb, member_service_server::MemberService},
    wire,
};
use trato_query::Field;
use trato_types::{Context, Error, MemberRef, Ref, Result, Violations};
use uuid::Uuid;

use super::{
    model::{self, Absence, Absences, MAX_ITEMS, Member, Skills, Teams},
    store,
};

/// Serves members, and tells callers who they are.
pub struct Api {
    members: Store<Member>,
    directory: Arc<Directory>,
    roles: Arc<Roles>,
}

impl Api {
    /// The service over the app's database, directory and roles.
    pub fn new(app: &App) -> Self {
        Self {
            members: Store::new(&app.database),
            directory: app.directory.clone(),
            roles: app.roles.clone(),
        }
    }
}

#[tonic::async_trait]
impl MemberService for Api {
    async fn get_member(&self, request: Request<pb::GetMemberRequest>) -> Reply<pb::Member> {
        self.members.get(request).await
    }
    async fn list_members(&self, request: Request<pb::ListMembersRequest>) -> Reply<pb::ListMembersResponse> {
        self.members.list(request).await
    }
    async fn create_member(&self, request: Request<pb::CreateMemberRequest>) -> Reply<pb::Member> {
        self.members.create(request).await
    }
    async fn update_member(&self, request: Request<pb::UpdateMemberRequest>) -> Reply<pb::Member> {
        self.members.update(request).await
    }
    async fn delete_member(&self, request: Request<pb::DeleteMemberRequest>) -> Reply<pb::Member> {
        self.members.delete(request).await
    }
    async fn undelete_member(&self, request: Request<pb::UndeleteMemberRequest>) -> Reply<pb::Member> {
        self.members.undelete(request).await
    }
    async fn batch_get_members(
        &self,
        request: Request<pb::BatchGetMembersRequest>,
    ) -> Reply<pb::BatchGetMembersResponse> {
        self.members.batch_get(request).await
    }
    async fn batch_create_members(
        &self,
        request: Request<pb::BatchCreateMembersRequest>,
    ) -> Reply<pb::BatchCreateMembersResponse> {
        self.members.batch_create(request).await
    }
    async fn upsert_member(&self, request: Request<pb::UpsertMemberRequest>) -> Reply<pb::Member> {
        self.members.upsert(request).await
    }

    async fn get_caller(&self, request: Request<pb::GetCallerRequest>) -> Reply<pb::Caller> {
        let caller = Caller::of(&request);
        answer(request, async |cx, _| {
            let identity = &caller?.identity;
            let teams = self.directory.teams(cx.tenant, &identity.subject).await?;
            Ok(pb::Caller {
                member: cx.actor.to_string(),
                tenant: cx.tenant.to_string(),
                issuer: identity.issuer.to_string(),
                roles: identity.roles.to_vec(),
                teams: teams.iter().map(|team| format!("teams/{team}")).collect(),
                grants: widest(self.roles.grants(&identity.roles)).into_iter().map(wire_grant).collect(),
                expire_time: Some(wire::timestamp(identity.expires)),
            })
        })
        .await
    }
}

impl Resource for Member {
    type Message = pb::Member;
    const TABLE: &'static str = "member";
    const COLLECTION: &'static str = "members";
    const EVENT: &'static str = "trato.directory.v1.member";
    const FIELDS: &'static [Field] = store::FIELDS;
    const CONSTRAINTS: &'static [Constraint] = store::CONSTRAINTS;
    const OWNABLE: bool = false;

    fn parse(message: &pb::Member, _: &Context) -> Result<Self> {
        let mut violations = Violations::new();
        let check = &mut violations;
        let subject = check.keep("subject", MemberRef::from_subject(&message.subject));
        let display_name = check.keep("display_name", message.display_name.parse());
        let email_address =
            check.keep("email_address", wire::parse_optional(&message.email_address)).flatten();
        let manager = parse_other("manager", &message.manager, subject.as_ref(), check);
        let teams = parse_teams(&message.teams, check);
        let skills = parse_skills(&message.skills, check);
        let absences = parse_absences(&message.absences, subject.as_ref(), check);
        #[rustfmt::skip]
        let member = subject.zip(display_name).map(|(subject, display_name)| Self {
            subject, display_name, email_address, manager, teams, skills, absences,
        });
        violations.into_result(member)
    }

    fn render(record: &Record<Self>) -> pb::Member {
        let member = &record.value;
        let (source, external_id) = record.external_fields();
        pb::Member {
            name: record.name(),
            create_time: Some(wire::timestamp(record.create_time)),
            update_time: Some(wire::timestamp(record.update_time)),
            delete_time: record.delete_time.map(wire::timestamp),
            creator: record.creator.clone(),
            etag: record.etag(),
            source,
            external_id,
            subject: member.subject.subject().to_owned(),
            display_name: member.display_name.to_string(),
            email_address: wire::text(member.email_address.as_ref()),
            manager: member.manager.as_ref().map(MemberRef::name).unwrap_or_default(),
            teams: member.teams.0.iter().map(|team| team.name()).collect(),
            skills: member.skills.0.clone(),
            absences: member.absences.0.iter().map(render_absence).collect(),
        }
    }

    fn new_id(&self) -> Uuid {
        model::id_of(&self.subject)
    }

    fn parse_name(name: &str) -> Result<Uuid> {
        let subject = MemberRef::parse(name);
        let subject =
            subject.map_err(|error| Error::invalid("name", "INVALID_RESOURCE_NAME", error.to_string()))?;
        Ok(model::id_of(&subject))
    }

    fn name_of(&self, _: Uuid) -> String {
        self.subject.name()
    }
}

/// Of each permission the grant that reaches furthest. Grants of one permission stand together.
fn widest(grants: Vec<Grant>) -> Vec<Grant> {
    let mut widest: Vec<Grant> = Vec::new();
    for grant in grants {
        match widest.last_mut().filter(|last| last.permission == grant.permission) {
            Some(last) if last.scope >= grant.scope => {}
            Some(last) => *last = grant,
            None => widest.push(grant),
        }
    }
    widest
}

fn parse_other(
    field: &str,
    name: &str,
    subject: Option<&MemberRef>,
    violations: &mut Violations,
) -> Option<MemberRef> {
    let other = violations.keep(field, MemberRef::parse_optional(name))?;
    violations.keep(field, model::another(subject, other)).flatten()
}

fn parse_teams(teams: &[String], violations: &mut Violations) -> Teams {
    let teams =
        violations.keep("teams", wire::at_most(teams, MAX_ITEMS)).unwrap_or_default().iter().enumerate();
    teams.filter_map(|(index, team)| violations.keep(&format!("teams[{index}]"), Ref::parse(team))).collect()
}

fn parse_skills(skills: &[String], violations: &mut Violations) -> Skills {
    let skills =
        violations.keep("skills", wire::at_most(skills, MAX_ITEMS)).unwrap_or_default().iter().enumerate();
    skills
        .filter_map(|(index, skill)| violations.keep(&format!("skills[{index}]"), model::skill(skill)))
        .collect()
}

fn parse_absences(
    absences: &[pb::member::Absence],
    subject: Option<&MemberRef>,
    violations: &mut Violations,
) -> Absences {
    let absences = violations.keep("absences", wire::at_most(absences, MAX_ITEMS)).unwrap_or_default();
    let absences = absences.iter().enumerate();
    let absences = absences.filter_map(|(index, absence)| {
        parse_absence(absence, &format!("absences[{index}]"), subject, violations)
    });
    Absences(absences.collect())
}

fn parse_absence(
    absence: &pb::member::Absence,
    field: &str,
    subject: Option<&MemberRef>,
    violations: &mut Violations,
) -> Option<Absence> {
    let start_field = format!("{field}.start_date");
    let end_field = format!("{field}.end_date");
    let start_date = violations.keep(&start_field, wire::require_date(absence.start_date.as_ref()));
    let end_date = violations.keep(&end_field, wire::require_date(absence.end_date.as_ref()));
    let deputy = parse_other(&format!("{field}.deputy"), &absence.deputy, subject, violations);
    let (start_date, end_date) = start_date.zip(end_date)?;
    let end_date = violations.keep(&end_field, model::end_date(start_date, end_date))?;
    Some(Absence { start_date, end_date, deputy })
}

fn render_absence(absence: &Absence) -> pb::member::Absence {
    pb::member::Absence {
        start_date: Some(wire::date(absence.start_date)),
        end_date: Some(wire::date(absence.end_date)),
        deputy: absence.deputy.as_ref().map(MemberRef::name).unwrap_or_default(),
    }
}
