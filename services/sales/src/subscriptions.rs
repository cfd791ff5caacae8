//! What sales listens to, beside the directory: one function per consumer.

use std::sync::Arc;

use futures::FutureExt as _;
use trato_platform::{
    db::Tx,
    events::{Event, Subscription},
};
use trato_proto::{customers::v1::Account as AccountMessage, wire};
use trato_types::{Error, Ref, Result};

use crate::{
    account::store::{Known, remember},
    tax_code,
};

/// Accounts of customers, so that opportunities can refer to them.
pub fn project_accounts() -> Subscription {
    Subscription::new(
        "project-accounts",
        &["trato.customers.v1.account.*"],
        Arc::new(|tx, event| project_account(tx, event).boxed()),
    )
    .projecting(&["account"])
}

async fn project_account(tx: &mut Tx, event: &Event) -> Result<()> {
    let account: AccountMessage = event.resource()?;
    let delete_time = account.delete_time.as_ref().map(wire::parse_timestamp).transpose();
    let known = Known {
        account: Ref::parse(&account.name).map_err(Error::internal)?,
        revision: event.revision,
        delete_time: delete_time.map_err(Error::internal)?,
    };
    let tenant = tx.cx().tenant;
    remember(tx.connection(), tenant, &[known]).await
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
