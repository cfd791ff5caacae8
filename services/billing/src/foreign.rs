//! Kinds of resources that live in other services, so that references to them are typed. That they exist is not checked:
//! an invoice has its own copy of all it says of them.

use trato_types::id::Collection;

/// A company or department we deal with; in customers.
#[derive(Clone, Copy, Debug)]
pub struct Account;

/// A good or service; in sales.
#[derive(Clone, Copy, Debug)]
pub struct Product;

impl Collection for Account {
    const COLLECTION: &'static str = "accounts";
}

impl Collection for Product {
    const COLLECTION: &'static str = "products";
}
