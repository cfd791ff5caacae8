//! Who is refused although the token is good: whose tenant is suspended, and whose token is revoked.
//!
//! It costs no statement per call: each process reads the few of them every two seconds and looks them up in memory. While
//! the database is away the last answer stands.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use tokio::{sync::watch, time::timeout};
use tokio_util::sync::CancellationToken;
use trato_types::{Error, Kind, Result, Timestamp, error::chain};
use uuid::Uuid;

use crate::{
    auth::{Identity, marks::Marks, unauthenticated},
    db::{Pool, from_sqlx},
};

/// Time between two looks at who is barred.
const LOOK: Duration = Duration::from_secs(2);

/// Who is barred, as last read. Cheap to clone; all clones share it.
#[derive(Clone, Debug)]
pub struct Barred(Arc<watch::Sender<Lists>>);

/// Those who are barred.
#[derive(Debug, Default, Eq, PartialEq)]
pub(crate) struct Lists {
    pub suspended: HashSet<Uuid>,
    /// By their marks: whatever bears one, or what was issued up to a moment.
    pub revoked: HashMap<String, Option<Timestamp>>,
}

impl Default for Barred {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(Lists::default())))
    }
}

impl Barred {
    /// UNAUTHENTICATED for a revoked token, PERMISSION_DENIED `TENANT_SUSPENDED` for one of a suspended tenant.
    pub fn check(&self, identity: &Identity) -> Result<()> {
        self.0.borrow().refusal(identity).map_or(Ok(()), Err)
    }

    /// Waits until a caller is barred: what is under way for it, such as a stream, ends then.
    pub(crate) fn until_barred(&self, identity: Arc<Identity>) -> impl Future<Output = Error> + Send + use<> {
        let mut all = self.0.subscribe();
        async move {
            let mut refusal = None;
            let barred = all.wait_for(|lists| {
                refusal = lists.refusal(&identity);
                refusal.is_some()
            });
            // It fails where nobody reads the lists any longer.
            let _ = barred.await;
            match refusal {
                Some(error) => error,
                None => std::future::pending().await,
            }
        }
    }

    /// Reads who is barred now.
    pub async fn read(&self, system: &Pool) -> Result<()> {
        let sql = "select tenant_id from platform.tenant where state = 'SUSPENDED'";
        let suspended: Vec<Uuid> = sqlx::query_scalar(sql).fetch_all(system).await.map_err(from_sqlx)?;
        let sql = "select key, issued_until from platform.revocation where expire_time > now()";
        let revoked: Vec<(String, Option<Timestamp>)> =
            sqlx::query_as(sql).fetch_all(system).await.map_err(from_sqlx)?;
        let (suspended, revoked) = (suspended.into_iter().collect(), revoked.into_iter().collect());
        self.replace(Lists { suspended, revoked });
        Ok(())
    }

    /// Puts what was read in the place of what was known.
    pub(crate) fn replace(&self, now: Lists) {
        self.0.send_if_modified(|all| {
            let differs = *all != now;
            *all = now;
            differs
        });
    }

    /// Reads again and again until `stop`.
    pub async fn keep_reading(self, system: Pool, stop: CancellationToken) {
        let mut failed = false;
        // Ends early at the stop.
        while timeout(LOOK, stop.cancelled()).await.is_err() {
            let outcome = self.read(&system).await;
            if let Err(error) = &outcome
                && !failed
            {
                tracing::warn!(
                    error = %chain(error),
                    "which tenants are suspended and which tokens revoked is not known; the last answer stands"
                );
            }
            failed = outcome.is_err();
        }
    }
}

impl Lists {
    fn refusal(&self, identity: &Identity) -> Option<Error> {
        if self.revokes(&identity.marks) {
            let cause = "it is revoked";
            tracing::debug!(cause, "a bearer token was refused: {cause}");
            return Some(unauthenticated());
        }
        let is_suspended = self.suspended.contains(&identity.tenant);
        is_suspended.then(|| Error::new(Kind::Forbidden, "TENANT_SUSPENDED", "the tenant is suspended"))
    }

    fn revokes(&self, marks: &Marks) -> bool {
        let borne = [Some(&marks.token), marks.id.as_ref(), Some(&marks.subject)];
        let mut found = borne.into_iter().flatten().filter_map(|mark| self.revoked.get(mark));
        // A token that does not say when it was issued is as old as any.
        found.any(|until| match (until, marks.issued) {
            (Some(until), Some(issued)) => issued <= *until,
            _ => true,
        })
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::auth::marks;

    const TENANT: Uuid = Uuid::from_u128(1);

    fn moment(second: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + TimeDelta::seconds(second)
    }

    /// Ana's token that was issued in this second.
    fn issued(second: Option<i64>) -> Identity {
        Identity {
            tenant: TENANT,
            subject: "ana".into(),
            roles: Arc::from([]),
            issuer: "https://id.example.com".into(),
            expires: moment(1_000),
            marks: Marks {
                token: format!("token of {second:?}"),
                id: Some(format!("id of {second:?}")),
                subject: marks::of_subject(TENANT, "ana"),
                issued: second.map(moment),
            },
        }
    }

    fn reason(barred: &Barred, identity: &Identity) -> Option<&'static str> {
        barred.check(identity).err().map(|error| error.reason())
    }

    /// I4: a token is refused by what it is or by its id, and the others of its subject are not.
    #[test]
    fn a_single_token_is_revoked_by_either_mark() {
        for mark in ["token of Some(7)", "id of Some(7)"] {
            let barred = Barred::default();
            barred.replace(Lists { revoked: HashMap::from([(mark.to_owned(), None)]), ..Lists::default() });

            assert_eq!(reason(&barred, &issued(Some(7))), Some("INVALID_TOKEN"), "{mark}");
            assert_eq!(reason(&barred, &issued(Some(6))), None, "{mark}");
        }
    }

    /// I4: of a subject's tokens those go that were issued up to the revocation, in its own second too, or that do not say when.
    #[test]
    fn a_subjects_tokens_are_revoked_up_to_a_moment() {
        let barred = Barred::default();
        let until = moment(7) + TimeDelta::milliseconds(300);
        let revoked = HashMap::from([(marks::of_subject(TENANT, "ana"), Some(until))]);
        barred.replace(Lists { revoked, ..Lists::default() });

        for old in [None, Some(0), Some(6), Some(7)] {
            assert_eq!(reason(&barred, &issued(old)), Some("INVALID_TOKEN"), "{old:?}");
        }
        assert_eq!(reason(&barred, &issued(Some(8))), None);
        let mut other = issued(Some(7));
        other.marks.subject = marks::of_subject(Uuid::from_u128(2), "ana");
        assert_eq!(reason(&barred, &other), None, "another tenant's ana is somebody else");
    }

    /// Who holds a revoked token is not told that its tenant is suspended.
    #[test]
    fn a_suspended_tenant_is_told_so_unless_the_token_is_revoked() {
        let barred = Barred::default();
        let suspended = HashSet::from([TENANT]);
        let revoked = HashMap::from([("token of Some(7)".to_owned(), None)]);
        barred.replace(Lists { suspended, revoked });

        assert_eq!(reason(&barred, &issued(Some(6))), Some("TENANT_SUSPENDED"));
        assert_eq!(reason(&barred, &issued(Some(7))), Some("INVALID_TOKEN"));
    }
}
