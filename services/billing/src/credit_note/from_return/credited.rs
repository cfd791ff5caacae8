//! Whether a return is credited: its credit notes are made together, and are drafts, issued or deleted one by one.

use trato_platform::db::{Record, Tx, from_sqlx};
use trato_proto::billing::v1 as pb;
use trato_types::{Error, Id, Kind, Result};
use uuid::Uuid;

use crate::{
    credit_note::model::CreditNote,
    parked_task::{Asking, DELETED, DRAFT, naming},
};

/// Credit notes of a return.
#[derive(Clone, Copy, Debug)]
pub struct Credited {
    /// The first one that lives.
    credit_note: Option<Uuid>,
    /// The first one that is not issued yet.
    draft: Option<Uuid>,
    /// The first one that was made together with one that lives, and was deleted as a draft.
    deleted: Option<Uuid>,
}

impl Credited {
    /// Those of a return; a draft that is being issued counts as issued.
    pub async fn find(tx: &mut Tx, sales_return: &str, issued: Option<Uuid>) -> Result<Self> {
        let tenant = tx.cx().tenant;
        let (credit_note, draft, deleted): (Option<Uuid>, Option<Uuid>, Option<Uuid>) =
            sqlx::query_as(include_str!("../../../sql/find_credit_notes_of_return.sql"))
                .bind(tenant)
                .bind(sales_return)
                .bind(issued)
                .fetch_one(tx.connection())
                .await
                .map_err(from_sqlx)?;
        Ok(Self { credit_note, draft, deleted })
    }

    /// ALREADY_EXISTS `RETURN_CREDITED` when a living one is there; it names one that is a draft, and one that was deleted, as such: both
    /// also to who reads nothing but the sentence, such as that of a parked task.
    pub fn require_none(self, sales_return: &str) -> Result<()> {
        let Some(credited) = self.credit_note else { return Ok(()) };
        let name = |id| Id::<CreditNote>::from_uuid(id).name();
        let (draft, deleted) = (self.draft.map(name), self.deleted.map(name));
        let mut message = "the return is credited already".to_owned();
        if let Some(draft) = &draft {
            message += &format!("; of its credit notes {draft} is a draft that is not issued yet");
        }
        if let Some(deleted) = &deleted {
            message += &format!("; {deleted}, which credits a part of it, was deleted");
        }
        let error = Error::new(Kind::AlreadyExists, "RETURN_CREDITED", message)
            .with("sales_return", sales_return)
            .with("credit_note", name(credited));
        Err(naming(error, [(DRAFT, draft), (DELETED, deleted)]))
    }
}

/// Ends the task of the return of a draft, if one is parked and no other draft is left to be issued once this one is: in that
/// transaction, which has locked the draft and what it credits, and no books or numbers yet.
pub async fn note_issued(
    parked: &Asking<pb::CreateCreditNoteFromReturnRequest>,
    tx: &mut Tx,
    draft: &Record<CreditNote>,
) -> Result<()> {
    let sales_return = &draft.value.sales_return;
    if sales_return.is_empty() {
        return Ok(());
    }
    let Some((task, _)) = parked.take(tx, sales_return).await? else { return Ok(()) };
    let credited = Credited::find(tx, sales_return, Some(draft.id)).await?;
    if credited.draft.or(credited.deleted).is_some() {
        return Ok(());
    }
    parked.note_done(tx, task).await
}
