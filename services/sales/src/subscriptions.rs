//! What sales listens to, beside the directory: one function per consumer.

use std::sync::Arc;

use futures::FutureExt as _;
use trato_platform::{
    db::Tx,
    events::{Event, Subscription},
    foreign,
};
use trato_proto::billing::v1::LegalEntityLogoSet;
use trato_types::Result;

use crate::{
    foreign::Account,
    parties::{self, store},
    tax_code,
};

/// Accounts of customers, so that opportunities and documents can refer to them.
pub fn project_accounts() -> Subscription {
    foreign::projection::<Account>("project-accounts", &["trato.customers.v1.account.*"], &["account"])
}

/// Tax codes of billing, so that documents can be priced.
pub fn project_tax_codes() -> Subscription {
    Subscription::new(
        "project-tax-codes",
        &["trato.billing.v1.tax_code.*"],
        Arc::new(|tx, event| project_tax_code(tx, event).boxed()),
    )
    .projecting(&["tax_code"])
}

async fn project_tax_code(tx: &mut Tx, event: &Event) -> Result<()> {
    let known = tax_code::read(event)?;
    let tenant = tx.cx().tenant;
    tax_code::store::remember(tx.connection(), tenant, &known).await
}

/// Legal entities of billing, so that documents can be printed in their names. A logo rides on the event that sets it; it is
/// kept beside the projection, for documents are printed with it for ever.
pub fn project_legal_entities() -> Subscription {
    Subscription::new(
        "project-legal-entities",
        &["trato.billing.v1.legal_entity.*"],
        Arc::new(|tx, event| project_legal_entity(tx, event).boxed()),
    )
    .projecting(&["legal_entity"])
}

async fn project_legal_entity(tx: &mut Tx, event: &Event) -> Result<()> {
    let known = parties::read_legal_entity(event)?;
    let tenant = tx.cx().tenant;
    if let Some(logo) = event.fact::<LegalEntityLogoSet>()? {
        store::keep_logo(tx.connection(), tenant, &logo.content).await?;
    }
    store::remember_legal_entity(tx.connection(), tenant, &known).await
}

/// Names and addresses of accounts, so that documents can be printed for them.
pub fn project_recipients() -> Subscription {
    Subscription::new(
        "project-recipients",
        &["trato.customers.v1.account.*"],
        Arc::new(|tx, event| project_recipient(tx, event).boxed()),
    )
    .projecting(&["recipient"])
}

async fn project_recipient(tx: &mut Tx, event: &Event) -> Result<()> {
    let known = parties::read_recipient(event)?;
    let tenant = tx.cx().tenant;
    store::remember_recipient(tx.connection(), tenant, &known).await
}
