//! What billing listens to, beside the directory: one function per consumer.

use trato_platform::{events::Subscription, foreign};

use crate::foreign::{Account, Product};

/// Accounts of customers, so that invoices can refer to them.
pub fn project_accounts() -> Subscription {
    foreign::projection::<Account>("project-accounts", &["trato.customers.v1.account.*"], &["account"])
}

/// Products of sales, so that invoices can refer to them.
pub fn project_products() -> Subscription {
    foreign::projection::<Product>("project-products", &["trato.sales.v1.product.*"], &["product"])
}
