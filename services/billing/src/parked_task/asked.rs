//! What a caller asked for and could not have, for a reason that somebody has to mend: the request is parked in a transaction of
//! its own, for that of the call was rolled back; it is tried again in the name of who tries it, and remembered in that of who asked,
//! so that it is done once whoever repeats it.

use std::{marker::PhantomData, sync::Arc};

use trato_platform::{
    App,
    access::roles::Roles,
    db::{RequestKey, Tx},
    rpc::Caller,
};
use trato_types::{Actor, Context, Error, Kind, Result, error::chain};
use uuid::Uuid;

use super::{
    model::{Asked, ParkedTask},
    park::Parking,
};

/// What a call answers when nothing is wrong that somebody could mend: the document is not there, not ready, or has nothing left,
/// or the caller meant another one.
const ANSWERS: &[&str] = &[
    "SOURCE_NOT_FOUND",
    "SOURCE_NOT_READY",
    "ORDER_ON_HOLD",
    "LEGAL_ENTITY_DIFFERS",
    "BASIS_EXCEEDED",
    "NOTHING_TO_INVOICE",
    "NOTHING_TO_CREDIT",
    "SERIES_NOT_FOUND",
    "SERIES_UNSUITED",
];
/// What a call answers when it is done already, by whatever way.
const DONE: &[&str] = &["ALREADY_INVOICED", "RETURN_CREDITED"];
/// How an actor that is a member is written.
const MEMBERS: &str = "members/";

/// A request whose failures are parked.
pub trait Ask: prost::Message + Default + Clone {
    /// Kind of the tasks.
    const KIND: &'static str;
    /// Full name of the method.
    const METHOD: &'static str;
    /// What it takes to call it.
    const PERMISSION: &'static str;

    /// Name of the document that it is about.
    fn subject(&self) -> &str;
    /// What makes repeating it safe; it is left empty.
    fn take_request_id(&mut self) -> String;
    /// Nothing is to be written.
    fn validate_only(&self) -> bool;
    /// Nothing is left of another request of the same document when this one is done.
    fn covers(&self, other: &Self) -> bool;
}

/// A request id, and in whose name it is remembered.
#[derive(Debug)]
pub struct Once {
    /// Who asked first, by the method that was called.
    pub asker: Context,
    /// The identifier.
    pub key: RequestKey,
}

impl Once {
    /// Remembers the answer in the name of who asked first.
    pub async fn remember(&self, tx: &mut Tx, answer: Vec<u8>) -> Result<()> {
        let by = self.put_in_place(tx);
        let remembered = tx.remember(&self.key, answer).await;
        tx.set_cx(by);
        remembered
    }

    /// The same of an answer that an event has.
    pub async fn remember_event(&self, tx: &mut Tx, event: Uuid) -> Result<()> {
        let by = self.put_in_place(tx);
        let remembered = tx.remember_event(&self.key, event).await;
        tx.set_cx(by);
        remembered
    }

    fn put_in_place(&self, tx: &mut Tx) -> Context {
        let by = tx.cx().clone();
        tx.set_cx(self.asker.clone());
        by
    }
}

/// Parks requests of one kind, and says what is parked.
#[derive(Clone, Debug)]
pub struct Asking<R> {
    parking: Parking,
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

    /// The answer of a call. What failed for a reason that somebody has to mend is parked, and its task named in the error.
    pub async fn or_park<M>(&self, cx: &Context, request: &R, made: Result<M>) -> Result<M> {
        let error = match made {
            Err(error) if !request.validate_only() => error,
            made => return made,
        };
        if is_done(&error) {
            // Somebody has made it by another way.
            self.parking.finish(cx, request.subject()).await?;
        }
        if !must_be_mended(&error) {
            return Err(error);
        }
        let mut content = request.clone();
        let request_id = content.take_request_id();
        let asked = Asked { asker: cx.actor.to_string(), request_id, content: content.encode_to_vec() };
        match self.parking.park_asked(cx, request.subject(), &error, asked).await {
            Ok(Some(task)) => Err(error.with("parked_task", task)),
            Ok(None) => Err(error),
            Err(unparked) => {
                let (kind, tenant) = (R::KIND, cx.tenant);
                tracing::error!(kind, %tenant, error = %chain(&unparked), "what {kind} could not do could not be parked either; the caller knows of it");
                Err(error)
            }
        }
    }

    /// Ends the task of the document, if one is parked that this request has done, in its transaction.
    pub async fn note_made(&self, tx: &mut Tx, request: &R) -> Result<()> {
        let latest = self.parking.latest(tx, vec![request.subject()]).await?;
        let mut done = Vec::new();
        for task in latest.into_values() {
            if request.covers(&content(&task.value)?) {
                done.push(task);
            }
        }
        self.parking.note_done(tx, done).await
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

/// What came of trying a task again: that nothing is left to be done is as good as that it was done.
pub fn tried<M>(made: Result<M>) -> Result<()> {
    match made {
        Err(error) if is_done(&error) || error.reason() == "NOTHING_TO_CREDIT" => Ok(()),
        made => made.map(drop),
    }
}

/// True for a failure that the caller cannot help by asking in another way.
fn must_be_mended(error: &Error) -> bool {
    match error.kind() {
        Kind::Precondition => !ANSWERS.contains(&error.reason()),
        Kind::Internal => true,
        _ => false,
    }
}

fn is_done(error: &Error) -> bool {
    DONE.contains(&error.reason())
}

fn content<R: Ask>(task: &ParkedTask) -> Result<R> {
    let asked = task.asked.as_ref().ok_or_else(no_request)?;
    R::decode(asked.content.as_slice()).map_err(Error::internal)
}

fn no_request() -> Error {
    Error::internal("a task without its request")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// XTR-05: what somebody has to mend is parked, and what is the answer to the question is not; nor is what passes by itself.
    #[test]
    fn what_somebody_has_to_mend_is_parked() {
        let error = |kind, reason| Error::new(kind, reason, "it cannot be");
        for reason in ["TAX_RATE_NOT_FOUND", "TAX_CODE_NOT_FOUND", "PERIOD_CLOSED", "EXCHANGE_RATE_NOT_FOUND"]
        {
            assert!(must_be_mended(&error(Kind::Precondition, reason)), "{reason}");
        }
        assert!(must_be_mended(&Error::internal("no luck")));
        for reason in ANSWERS.iter().copied() {
            assert!(!must_be_mended(&error(Kind::Precondition, reason)), "{reason}");
        }
        for kind in [Kind::Invalid, Kind::AlreadyExists, Kind::Forbidden, Kind::Unavailable, Kind::Stale] {
            assert!(!must_be_mended(&error(kind, "INTERNAL")), "{kind:?}");
        }
    }

    /// XTR-05: of what was tried again, that nothing is left to be done is an end of the task.
    #[test]
    fn what_is_there_already_is_done() {
        let error = |kind, reason| Err::<(), _>(Error::new(kind, reason, "it cannot be"));
        assert!(tried(error(Kind::AlreadyExists, "ALREADY_INVOICED")).is_ok());
        assert!(tried(error(Kind::Precondition, "NOTHING_TO_CREDIT")).is_ok());
        let still = tried(error(Kind::Precondition, "PERIOD_CLOSED")).expect_err("it is still closed");
        assert_eq!(still.reason(), "PERIOD_CLOSED");
    }
}
