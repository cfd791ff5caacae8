//! Who is refused although the token is good: whose tenant is suspended, and whose token is revoked.
//!
//! It costs no statement per call: each process reads the few of them every two seconds and looks them up in memory. Until they
//! were read once calls wait, and nobody is let in; while the database is away later the last answer stands.

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
    auth::{
        Identity,
        marks::{Mark, Marks},
        unauthenticated,
    },
    db::{Pool, away, from_sqlx},
    telemetry::metrics::metrics,
};

/// Time between two looks at who is barred.
const LOOK: Duration = Duration::from_secs(2);

/// Time a call waits for the first look, which a process that has just started is about to take: as long as for a connection.
const PATIENCE: Duration = Duration::from_secs(1);

/// Who is barred, as last read; none before that was done once. Cheap to clone; all clones share it.
#[derive(Clone, Debug)]
pub struct Barred(Arc<watch::Sender<Option<Lists>>>);

/// Those who are barred.
#[derive(Debug, Default, Eq, PartialEq)]
pub(crate) struct Lists {
    pub suspended: HashSet<Uuid>,
    /// By their marks: whatever bears one, or what was issued up to a moment.
    pub revoked: HashMap<Mark, Option<Timestamp>>,
}

/// Why somebody is barred.
#[derive(Clone, Copy, Debug)]
enum Cause {
    Revoked,
    Suspended,
}

/// A suspended tenant, or a mark with the moment up to which it counts.
type Row = (Option<Uuid>, Option<Mark>, Option<Timestamp>);

impl Default for Barred {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(None)))
    }
}

impl Barred {
    /// UNAUTHENTICATED for a revoked token, PERMISSION_DENIED `TENANT_SUSPENDED` for one of a suspended tenant, and UNAVAILABLE
    /// where it is not known in a second who that is.
    pub async fn check(&self, identity: &Identity) -> Result<()> {
        let is_unknown = self.0.borrow().is_none();
        if is_unknown {
            let mut all = self.0.subscribe();
            // Who is barred, if that is known by then, is looked up below.
            let _ = timeout(PATIENCE, all.wait_for(Option::is_some)).await;
        }
        self.judge(identity)
    }

    fn judge(&self, identity: &Identity) -> Result<()> {
        let known = self.0.borrow();
        let lists = known.as_ref().ok_or_else(away)?;
        lists.cause(identity).map_or(Ok(()), |cause| Err(cause.refusal()))
    }

    /// Waits until a caller is barred: what is under way for it, such as a stream, ends then.
    pub(crate) fn until_barred(&self, identity: Arc<Identity>) -> impl Future<Output = Error> + Send + use<> {
        let mut all = self.0.subscribe();
        async move {
            let mut cause = None;
            let barred = all.wait_for(|lists| {
                cause = lists.as_ref().and_then(|lists| lists.cause(&identity));
                cause.is_some()
            });
            // It fails where nobody reads the lists any longer.
            let _ = barred.await;
            match cause {
                Some(cause) => cause.refusal(),
                None => std::future::pending().await,
            }
        }
    }

    /// Reads who is barred now.
    pub async fn read(&self, system: &Pool) -> Result<()> {
        let sql = "select tenant_id, null::bytea as key, null::timestamptz as issued_until
                   from platform.tenant where state = 'SUSPENDED'
                   union all
                   select null, key, issued_until
                   from platform.revocation where expire_time is null or expire_time > now()";
        let rows: Vec<Row> = sqlx::query_as(sql).fetch_all(system).await.map_err(from_sqlx)?;
        let mut lists = Lists::default();
        for (tenant, mark, until) in rows {
            lists.suspended.extend(tenant);
            lists.revoked.extend(mark.map(|mark| (mark, until)));
        }
        self.replace(lists);
        Ok(())
    }

    /// Puts what was read in the place of what was known.
    pub(crate) fn replace(&self, lists: Lists) {
        let now = Some(lists);
        self.0.send_if_modified(|known| {
            let differs = *known != now;
            *known = now;
            differs
        });
    }

    /// As it is before the lists were read once.
    #[cfg(test)]
    pub(crate) fn forget(&self) {
        self.0.send_replace(None);
    }

    /// True while a call waits for the lists, or a stream lasts.
    #[cfg(test)]
    pub(crate) fn is_awaited(&self) -> bool {
        self.0.receiver_count() > 0
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
                    "which tenants are suspended and which tokens revoked cannot be read; what was known stands"
                );
            }
            failed = outcome.is_err();
        }
    }
}

impl Lists {
    fn cause(&self, identity: &Identity) -> Option<Cause> {
        if self.revokes(&identity.marks) {
            return Some(Cause::Revoked);
        }
        self.suspended.contains(&identity.tenant).then_some(Cause::Suspended)
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

impl Cause {
    /// What is answered, and counted.
    fn refusal(self) -> Error {
        match self {
            Self::Revoked => {
                metrics().call_barred("token_revoked");
                let cause = "it is revoked";
                tracing::debug!(cause, "a bearer token was refused: {cause}");
                unauthenticated()
            }
            Self::Suspended => {
                metrics().call_barred("tenant_suspended");
                Error::new(Kind::Forbidden, "TENANT_SUSPENDED", "the tenant is suspended")
            }
        }
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

    /// A mark of a token that was issued in this second.
    fn mark(kind: u8, second: Option<i64>) -> Mark {
        let mut mark = [kind; 32];
        mark[..8].copy_from_slice(&second.unwrap_or(-1).to_be_bytes());
        mark
    }

    const TOKEN: u8 = 1;
    const ID: u8 = 2;

    /// Ana's token that was issued in this second.
    fn issued(second: Option<i64>) -> Identity {
        Identity {
            tenant: TENANT,
            subject: "ana".into(),
            roles: Arc::from([]),
            issuer: "https://id.example.com".into(),
            expires: moment(1_000),
            marks: Marks {
                token: mark(TOKEN, second),
                id: Some(mark(ID, second)),
                subject: marks::of_subject(TENANT, "ana"),
                issued: second.map(moment),
            },
        }
    }

    fn reason(barred: &Barred, identity: &Identity) -> Option<&'static str> {
        barred.judge(identity).err().map(|error| error.reason())
    }

    /// I4: a token is refused by what it is or by its id, and the others of its subject are not.
    #[test]
    fn a_single_token_is_revoked_by_either_mark() {
        for kind in [TOKEN, ID] {
            let barred = Barred::default();
            let revoked = HashMap::from([(mark(kind, Some(7)), None)]);
            barred.replace(Lists { revoked, ..Lists::default() });

            assert_eq!(reason(&barred, &issued(Some(7))), Some("INVALID_TOKEN"), "{kind}");
            assert_eq!(reason(&barred, &issued(Some(6))), None, "{kind}");
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
        let revoked = HashMap::from([(mark(TOKEN, Some(7)), None)]);
        barred.replace(Lists { suspended, revoked });

        assert_eq!(reason(&barred, &issued(Some(6))), Some("TENANT_SUSPENDED"));
        assert_eq!(reason(&barred, &issued(Some(7))), Some("INVALID_TOKEN"));
    }
}
