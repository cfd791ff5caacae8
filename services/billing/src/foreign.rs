//! Resources of other services that invoices refer to: they exist, or existed. All else that an invoice says of them is a
//! copy of its own.

use std::collections::HashMap;

use trato_platform::{
    db::Tx,
    foreign::{self, Existence, Neighbour, Refusal},
};
use trato_proto::{
    customers::v1::{self as customers, account_service_client::AccountServiceClient},
    sales::v1::{self as sales, product_service_client::ProductServiceClient},
};
use trato_types::{Ref, Result, id::Collection};

/// A company or department we deal with; in customers.
#[derive(Clone, Copy, Debug)]
pub struct Account;

/// A good or service; in sales.
#[derive(Clone, Copy, Debug)]
pub struct Product;

/// FAILED_PRECONDITION `ACCOUNT_NOT_FOUND` unless an account is or was there. Money is of an account also when we deal with it no
/// more.
pub fn require_known(
    found: &HashMap<Ref<Account>, Existence>,
    account: Ref<Account>,
    field: &str,
) -> Result<()> {
    if found.contains_key(&account) { Ok(()) } else { Err(Refusal::NotFound.of::<Account>(account, field)) }
}

/// For each of these accounts what `require_known` says.
pub async fn check_known(tx: &mut Tx, accounts: Vec<Ref<Account>>, field: &str) -> Result<Vec<Result<()>>> {
    let found = foreign::find(tx, accounts.iter().copied()).await?;
    Ok(accounts.into_iter().map(|account| require_known(&found, account, field)).collect())
}

/// Asks customers for accounts that nobody here has heard of.
pub type Accounts = Neighbour<Account>;

/// Asks sales for products that nobody here has heard of.
pub type Products = Neighbour<Product>;

impl Collection for Account {
    const COLLECTION: &'static str = "accounts";
}

impl Collection for Product {
    const COLLECTION: &'static str = "products";
}

trato_platform::foreign! {
    Account: "account" of "trato.customers", as customers::Account,
    asked by AccountServiceClient::get_account(name => customers::GetAccountRequest { name }),
    "ACCOUNT_NOT_FOUND", "ACCOUNT_DELETED", "ACCOUNT_NOT_VISIBLE", "ACCOUNT_UNVERIFIED",
}

trato_platform::foreign! {
    Product: "product" of "trato.sales", as sales::Product,
    asked by ProductServiceClient::get_product(name => sales::GetProductRequest { name }),
    "PRODUCT_NOT_FOUND", "PRODUCT_DELETED", "PRODUCT_NOT_VISIBLE", "PRODUCT_UNVERIFIED",
}
