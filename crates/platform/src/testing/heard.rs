//! Events of other services, as a test makes them up.

use prost::Name;
use prost_types::Any;
use trato_contract::events::v1::Change;
use uuid::Uuid;

use super::TestService;
use crate::events::Event;

impl TestService {
    /// Delivers an event of this type: a tenant's resource is so since this revision.
    pub async fn hear<M: Name>(&self, tenant: Uuid, kind: &str, subject: &str, revision: i64, resource: &M) {
        self.hear_with(tenant, kind, (subject, revision), resource, Vec::new()).await;
    }

    /// The same with facts riding on it, of a subject at a revision.
    pub async fn hear_with<M: Name>(
        &self,
        tenant: Uuid,
        kind: &str,
        (subject, revision): (&str, i64),
        resource: &M,
        facts: Vec<Any>,
    ) {
        let resource = Any { type_url: M::type_url(), value: resource.encode_to_vec() };
        let event = Event {
            id: Uuid::now_v7(),
            tenant,
            kind: kind.into(),
            subject: subject.into(),
            revision,
            position: 0,
            event_time: Default::default(),
            create_time: Default::default(),
            actor: "members/somebody".into(),
            cause: None,
            traceparent: None,
            owner: None,
            team: None,
            change: Change { resource: Some(resource), facts, ..Default::default() },
        };
        self.deliver(vec![event]).await;
    }
}
