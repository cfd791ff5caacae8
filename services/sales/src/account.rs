//! Accounts, as sales knows them. They belong to customers; sales only has to know that one exists before it sells to it.

use trato_platform::foreign::Neighbour;
use trato_proto::customers::v1::{self as pb, account_service_client::AccountServiceClient};

use crate::foreign::Account;

/// Asks customers for accounts that nobody here has heard of.
pub type Accounts = Neighbour<Account>;

trato_platform::foreign! {
    Account: "account" of "trato.customers", as pb::Account,
    asked by AccountServiceClient::get_account(name => pb::GetAccountRequest { name }),
    "ACCOUNT_NOT_FOUND", "ACCOUNT_DELETED", "ACCOUNT_NOT_VISIBLE", "ACCOUNT_UNVERIFIED",
}
