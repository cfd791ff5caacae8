//! Kinds of resources that live in other services, so that references to them are typed. Nothing of them is stored here
//! but the reference itself, for accounts whether they exist (`account.rs`), how tax codes tax (`tax_code/`), and what of
//! accounts and legal entities is printed (`parties/`).

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

/// A company in whose name documents are made out, by billing.
#[derive(Clone, Copy, Debug)]
pub struct LegalEntity;

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

impl Collection for LegalEntity {
    const COLLECTION: &'static str = "legalEntities";
}

impl Collection for TaxCode {
    const COLLECTION: &'static str = "taxCodes";
}
