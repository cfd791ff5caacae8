//! Drafts of credit notes: computed from what is left of the invoice, in the transaction that writes them.

use std::collections::HashSet;

use futures::{FutureExt as _, future::BoxFuture};
use trato_platform::{
    db::{Tx, statement::Statements},
    standard::Draft,
};
use trato_types::{Currency, Id, Result};

use super::model::{CreditNote, CreditNoteError};
use crate::{
    invoice::Invoice, issuing::Issuable, legal_entity::LegalEntity, lookup::living,
    number_series::DocumentKind,
};

impl Draft for CreditNote {
    /// Of invoices.
    type References = Statements;

    fn require_draft(&self) -> Result<()> {
        Ok(Self::require_draft(self)?)
    }

    fn complete<'a>(
        references: &'a Statements,
        tx: &'a mut Tx,
        drafts: Vec<&'a mut Self>,
    ) -> BoxFuture<'a, Result<Vec<Result<()>>>> {
        async move {
            let ids: HashSet<_> = drafts.iter().map(|draft| draft.invoice.uuid()).collect();
            let invoices = living::<Invoice>(tx, references, ids).await?;
            let complete = |draft: &mut Self| {
                let invoice = invoices.get(&draft.invoice.uuid()).ok_or(CreditNoteError::InvoiceNotFound)?;
                draft.compute(invoice).map(drop)
            };
            Ok(drafts.into_iter().map(complete).collect())
        }
        .boxed()
    }
}

impl Issuable for CreditNote {
    const KIND: DocumentKind = DocumentKind::CreditNote;

    fn legal_entity(&self) -> Option<Id<LegalEntity>> {
        self.legal_entity
    }

    /// A credit is converted as its invoice was.
    fn converted(&self) -> Option<Currency> {
        None
    }

    /// Issuing takes what is left then; a draft is never too old.
    fn comes_to_the_same(&self, _: &Self) -> bool {
        true
    }
}
