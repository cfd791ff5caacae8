//! Drafts of invoices: priced in the transaction that writes them; and the preview, which writes nothing.

use futures::{FutureExt as _, future::BoxFuture};
use trato_platform::{
    db::{Database, Tx},
    rpc::Caller,
    standard::{Draft, new_record},
};
use trato_proto::billing::v1 as pb;
use trato_types::{Context, Currency, Id, Result};

use super::{model::Invoice, references::References, render};
use crate::{issuing::Issuable, legal_entity::LegalEntity, number_series::DocumentKind};

impl Draft for Invoice {
    type References = References;

    fn require_draft(&self) -> Result<()> {
        Ok(Self::require_draft(self)?)
    }

    fn prepare<'a>(
        references: &'a References,
        cx: &'a Context,
        caller: &'a Caller,
        messages: Vec<&'a mut pb::Invoice>,
        _: bool,
    ) -> BoxFuture<'a, Result<()>> {
        async move { references.learn(cx, caller, messages.iter().map(|message| &**message)).await }.boxed()
    }

    fn complete<'a>(
        references: &'a References,
        tx: &'a mut Tx,
        drafts: Vec<&'a mut Self>,
    ) -> BoxFuture<'a, Result<Vec<Result<()>>>> {
        async move {
            let invoices: Vec<&Self> = drafts.iter().map(|draft| &**draft).collect();
            let found = references.find(tx, &invoices).await?;
            Ok(drafts.into_iter().map(|draft| found.price(tx.cx(), draft).map(drop)).collect())
        }
        .boxed()
    }
}

impl Issuable for Invoice {
    const KIND: DocumentKind = DocumentKind::Invoice;

    fn legal_entity(&self) -> Option<Id<LegalEntity>> {
        Some(self.legal_entity)
    }

    fn converted(&self) -> Option<Currency> {
        Some(self.currency_code)
    }

    fn comes_to_the_same(&self, again: &Self) -> bool {
        render::same_price(self, again)
    }
}

/// Computes an invoice and records nothing.
pub async fn preview(
    database: &Database,
    references: &References,
    (cx, caller): (&Context, &Caller),
    body: pb::PreviewInvoiceRequest,
) -> Result<pb::PreviewInvoiceResponse> {
    references.learn(cx, caller, body.invoice.iter()).await?;
    let mut record = new_record::<Invoice>(cx, body.invoice, "invoice")?;
    let mut tx = Tx::of(database, cx).await?;
    let trace = references.price(&mut tx, &mut record.value).await?;
    tx.roll_back().await?;
    Ok(render::preview(&record.value, &trace))
}
