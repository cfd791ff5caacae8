//! What sales listens to, beside the directory: one function per consumer.

use std::sync::Arc;

use futures::FutureExt as _;
use trato_platform::{
    db::Tx,
    events::{Event, Subscription},
    foreign,
};
use trato_types::Result;

use crate::{foreign::Account, tax_code};

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
