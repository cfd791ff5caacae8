//! Kinds of resources that live in other services, so that references to them are typed. Nothing of them is stored here
//! but the reference itself, for accounts whether they exist (`account/`), and how tax codes tax (`tax_code/`).

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

/// When what is invoiced is due, by billing.
#[derive(Clone, Copy, Debug)]
pub struct PaymentTerm;

/// How something is taxed, by billing.
#[derive(Clone, Copy, Debug)]
pub struct TaxCode;

impl Collection for Account {
    const COLLECTION: &'static str = "accounts";
}

impl Collection for Contact {
    const COLLECTION: &'static str = "contacts";
}

impl Collection for Team {
    const COLLECTION: &'static str = "teams";
}

impl Collection for PaymentTerm {
    const COLLECTION: &'static str = "paymentTerms";
}

impl Collection for TaxCode {
    const COLLECTION: &'static str = "taxCodes";
}
