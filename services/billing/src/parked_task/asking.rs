//! What a caller asked for and could not have, for a reason that somebody has to mend: the request is parked in a transaction of
//! its own, for that of the call was rolled back; it is tried again in the name of who tries it, and remembered in that of who asked,
//! so that what a caller was told a task of is done once, whoever repeats it.

use std::{marker::PhantomData, sync::Arc};

use trato_platform::{
    App,
    access::roles::Roles,
    db::{RequestKey, Tx, from_sqlx},
    rpc::Caller,
};
use trato_types::{Actor, Context, Error, Kind, Result, Timestamp, error::chain};
use uuid::Uuid;

use super::{
    asked::{Ask, Once, is_made_already, must_be_mended},
    model::{Asked, ParkedTask, State},
    park::{Failure, Parking},
};

/// How an actor that is a member is written.
const MEMBERS: &str = "members/";

/// What a request that failed is to the task of its document.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Place {
    /// It is what is to be parked from now on.
    Own,
    /// It is the request that is parked, once more.
    Repeated,
    /// It wants the same as what is parked, and is another request: somebody may want it twice.
    Alike,
    /// Something else is parked, which must not be lost.
    Taken,
}

/// Parks requests of one kind, and says what is parked.
#[derive(Clone, Debug)]
pub struct Asking<R> {
    pub(super) parking: Parking,
    roles: Arc<Roles>,
    requests: PhantomData<fn() -> R>,
}

impl<R: Ask> Asking<R> {
    /// Over the app's database.
    pub fn new(app: &App) -> Self {
        Self {
            parking: Parking::new(&app.database, R::KIND),
            roles: Arc::clone(&app.roles),
            requests: PhantomData,
        }
    }

    /// The answer of a call. What failed for a reason that somebody has to mend is parked, and its task named in the error, where
    /// it is this request that is kept.
    pub async fn or_park<M>(&self, cx: &Context, request: &R, made: Result<M>) -> Result<M> {
        let error = match made {
            Err(error) if !request.validate_only() => error,
            made => return made,
        };
        let (kind, tenant) = (R::KIND, cx.tenant);
        if is_made_already(&error) {
            if let Err(unnoted) = self.end(cx, request, &error).await {
                tracing::error!(kind, %tenant, error = %chain(&unnoted), "what {kind} is for is done, and could not be noted; its task may stay parked");
            }
        } else if must_be_mended(&error, request) {
            match self.park(cx, request, &error).await {
                Ok(Some(task)) => return Err(error.with("parked_task", task)),
                Ok(None) => {}
                Err(unparked) => {
                    tracing::error!(kind, %tenant, error = %chain(&unparked), "what {kind} could not do could not be parked either; the caller knows of it");
                }
            }
        }
        Err(error)
    }

    /// Parks what failed, and answers the name of its task. None where no task keeps this very request: it was answered meanwhile,
    /// or something was made of the document since the call began; somebody gave it up; or another request is parked already that
    /// it would not do as well, and a document has one task.
    async fn park(&self, cx: &Context, request: &R, error: &Error) -> Result<Option<String>> {
        let (wanted, key) = keyed(request)?;
        let content = wanted.encode_to_vec();
        let asked = Asked { content, ..identity(cx, &key) };
        let subject = request.subject();
        let mut tx = self.parking.begin(cx, subject).await?;
        // Whoever makes it has the turn until it is written, so that it is seen here, or sees the task.
        if tx.is_answered(&key).await? || is_made::<R>(&mut tx, subject).await? {
            tx.roll_back().await?;
            return Ok(None);
        }
        let latest = self.parking.latest(&mut tx, vec![subject]).await?;
        let place = match latest.get(subject).filter(|task| task.value.state == State::Parked) {
            None => Place::Own,
            Some(task) => place(&task.value, &wanted, &asked)?,
        };
        if place == Place::Taken {
            tx.roll_back().await?;
            return Ok(None);
        }
        self.parking.report(cx, subject, error);
        let asked = (place == Place::Own).then_some(asked);
        let failure = Failure { subject, error, bank_entry: None, asked };
        let mut names = self.parking.note_failed(&mut tx, latest, vec![failure]).await?;
        tx.commit().await?;
        // Who is told of a task is promised that it is done once, which the request id that is kept sees to.
        Ok(names.remove(subject).filter(|_| place != Place::Alike))
    }

    /// What is parked, with its identifier, and in whose name that is remembered. PERMISSION_DENIED where who tries it could not ask
    /// for it: trying again gives nobody a right.
    pub fn asked(&self, (cx, caller): (&Context, &Caller), task: &ParkedTask) -> Result<(R, Once)> {
        let permission = R::PERMISSION;
        if self.roles.permission_scope(&caller.identity.roles, permission).is_none() {
            let message = format!("the caller's roles do not grant {permission}");
            return Err(
                Error::new(Kind::Forbidden, "PERMISSION_MISSING", message).with("permission", permission)
            );
        }
        let request: R = content(task)?;
        let asked = task.asked.as_ref().ok_or_else(no_request)?;
        let subject = asked.asker.strip_prefix(MEMBERS);
        let subject = subject.ok_or_else(|| Error::internal("nobody but members asks by calls"))?;
        let asker = Context { actor: Actor::Member(subject.into()), method: R::METHOD.into(), ..cx.clone() };
        let key = RequestKey::parse(&asked.request_id, &request)?.ok_or_else(no_request)?;
        Ok((request, Once { asker, key }))
    }
}

/// The place of a request beside one that is parked. It takes that one's where it does both; the same parts twice may be meant twice,
/// all that is left is not.
fn place<R: Ask>(parked: &ParkedTask, wanted: &R, asked: &Asked) -> Result<Place> {
    let first = parked.asked.as_ref().ok_or_else(no_request)?;
    Ok(if first.content == asked.content {
        if first.is_repeated_by(asked) { Place::Repeated } else { Place::Alike }
    } else if wanted.takes_all() && wanted.covers(&content(parked)?) {
        Place::Own
    } else {
        Place::Taken
    })
}

/// A request without its identifier, and that.
pub(super) fn keyed<R: Ask>(request: &R) -> Result<(R, RequestKey)> {
    let mut content = request.clone();
    let key = RequestKey::parse(&content.take_request_id(), &content)?.ok_or_else(no_request)?;
    Ok((content, key))
}

/// By what a request is told from another one: who asked, and its identifier.
pub(super) fn identity(asker: &Context, key: &RequestKey) -> Asked {
    Asked { asker: asker.actor.to_string(), request_id: key.id.to_string(), content: Vec::new() }
}

/// True where something was made of the document since the call began. Ids tell, since the creation of what a long call makes counts
/// from the beginning of that call.
async fn is_made<R: Ask>(tx: &mut Tx, subject: &str) -> Result<bool> {
    let (tenant, since) = (tx.cx().tenant, first_id(tx.cx().now));
    sqlx::query_scalar(R::IS_MADE)
        .bind(tenant)
        .bind(subject)
        .bind(since)
        .fetch_one(tx.connection())
        .await
        .map_err(from_sqlx)
}

/// The lowest id that is given at a time.
pub fn first_id(time: Timestamp) -> Uuid {
    let millis = u64::try_from(time.timestamp_millis()).unwrap_or_default();
    uuid::Builder::from_unix_timestamp_millis(millis, &[0; 10]).into_uuid()
}

/// What a task keeps of what was asked for.
pub(super) fn content<R: Ask>(task: &ParkedTask) -> Result<R> {
    let asked = task.asked.as_ref().ok_or_else(no_request)?;
    R::decode(asked.content.as_slice()).map_err(Error::internal)
}

fn no_request() -> Error {
    Error::internal("a task without its request")
}

#[cfg(test)]
mod tests {
    use prost::Message as _;
    use trato_proto::billing::v1::{
        CreateInvoiceFromSourceRequest, create_invoice_from_source_request::Line,
    };

    use super::*;

    fn of(quantities: &[&str], issue: bool) -> CreateInvoiceFromSourceRequest {
        let line = |quantity: &&str| Line { source_line: "1".into(), quantity: (*quantity).into() };
        let lines = quantities.iter().map(line).collect();
        CreateInvoiceFromSourceRequest { lines, issue, ..Default::default() }
    }

    fn asked(request_id: &str, request: &CreateInvoiceFromSourceRequest) -> Asked {
        let asker = "members/ana".to_owned();
        Asked { asker, request_id: request_id.to_owned(), content: request.encode_to_vec() }
    }

    /// XTR-05: what is parked gives its place to nothing but what does both; and only who repeats it is told of its task.
    #[test]
    fn what_is_parked_is_not_lost_to_another_request() {
        let closed = Error::new(Kind::Precondition, "PERIOD_CLOSED", "the books are closed");
        let now = "2026-11-30T12:00:00Z".parse().expect("an instant");
        let parked = |request| {
            let task = ParkedTask::new("create-invoice-from-source", "orders/1", &closed, now);
            ParkedTask { asked: Some(asked("1", request)), ..task }
        };
        let (all, draft, one, two) = (of(&[], true), of(&[], false), of(&["1"], true), of(&["2"], true));
        let noted = CreateInvoiceFromSourceRequest { note: "The first".into(), ..one.clone() };

        let cases = [
            (&one, "1", &one, Place::Repeated),
            (&one, "2", &one, Place::Alike),
            (&one, "2", &two, Place::Taken),
            (&one, "2", &noted, Place::Taken),
            (&one, "2", &all, Place::Own),
            (&one, "2", &draft, Place::Taken),
            (&all, "2", &one, Place::Taken),
            (&draft, "2", &all, Place::Own),
        ];
        for (first, request_id, wanted, expected) in cases {
            let found = place(&parked(first), wanted, &asked(request_id, wanted)).expect("it has one");
            assert_eq!(found, expected, "{wanted:?} under {request_id} beside {first:?}");
        }
    }

    /// XTR-05: ids tell what was made before a call began from what was made since.
    #[test]
    fn ids_are_told_by_when_they_were_given() {
        let before = Uuid::now_v7();
        let now = chrono::Utc::now();

        assert!(first_id(now) <= Uuid::now_v7());
        assert!(before < first_id(now + chrono::Duration::milliseconds(1)));
    }
}
