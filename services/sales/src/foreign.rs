//! Kinds of resources that live in customers, so that references to them are typed. Nothing of them is stored here but
//! the reference itself and, for accounts, whether they exist (`account/`).

use trato_types::id::Collection;

/// A company or department we deal with.
#[derive(Clone, Copy, Debug)]
pub struct Account;

/// A person we deal with. That a contact exists is not checked: nothing in sales depends on it.
#[derive(Clone, Copy, Debug)]
pub struct Contact;

/// A team of the directory.
#[derive(Clone, Copy, Debug)]
pub struct Team;

impl Collection for Account {
    const COLLECTION: &'static str = "accounts";
}

impl Collection for Contact {
    const COLLECTION: &'static str = "contacts";
}

impl Collection for Team {
    const COLLECTION: &'static str = "teams";
}
