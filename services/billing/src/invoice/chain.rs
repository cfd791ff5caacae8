//! What of an invoice is hashed. Pure.

use serde::Serialize;
use trato_types::{Currency, Date, Id, Minor, Result};
use uuid::Uuid;

use super::{
    content::{Amounts, Discounts, Lines, Numbers, Party},
    model::Invoice,
};
use crate::{
    chain::{Chained, Hash},
    legal_entity::{Seller, TaxRounding},
};

/// What is hashed: an invoice as it was issued, as JSON in this order. What is added one day is left out where it is not
/// there, so that hashes of earlier invoices stay.
#[derive(Serialize)]
struct Content<'a> {
    form: &'static str,
    invoice: Uuid,
    number_series: Option<Uuid>,
    period: Option<&'a str>,
    ordinal: Option<i64>,
    number: Option<&'a str>,
    issue_date: Option<Date>,
    due_date: Option<Date>,
    supply_date: Option<Date>,
    account: Uuid,
    legal_entity: Uuid,
    currency_code: Currency,
    bill_to: &'a Party,
    seller: Option<&'a Seller>,
    payment_term: Option<Uuid>,
    tax_inclusive: bool,
    tax_rounding: &'static str,
    lines: &'a Lines,
    discounts: &'a Discounts,
    amounts: &'a Amounts,
    gross: Minor,
    due: Minor,
    note: &'a str,
    source_document: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    smallest_payment: Option<Minor>,
    #[serde(skip_serializing_if = "Option::is_none")]
    numbers: Option<&'a Numbers>,
}

impl Chained for Invoice {
    fn ordinal(&self) -> Option<i64> {
        self.ordinal
    }

    fn hashes(&self) -> Option<(Hash, Hash)> {
        self.previous_hash.zip(self.hash)
    }

    fn hash_after(&self, id: Uuid, previous: Hash) -> Result<Hash> {
        previous.followed_by(&Content {
            form: "trato-invoice-1",
            invoice: id,
            number_series: self.number_series.map(Id::uuid),
            period: self.period.as_deref(),
            ordinal: self.ordinal,
            number: self.number.as_deref(),
            issue_date: self.issue_date,
            due_date: self.due_date,
            supply_date: self.supply_date,
            account: self.account.uuid(),
            legal_entity: self.legal_entity.uuid(),
            currency_code: self.currency_code,
            bill_to: &self.bill_to,
            seller: self.seller.as_ref(),
            payment_term: self.payment_term.map(Id::uuid),
            tax_inclusive: self.tax_inclusive,
            tax_rounding: match self.tax_rounding {
                TaxRounding::Group => "GROUP",
                TaxRounding::Line => "LINE",
            },
            lines: &self.lines,
            discounts: &self.discounts,
            amounts: &self.amounts,
            gross: self.gross,
            due: self.due,
            note: &self.note,
            source_document: &self.source_document,
            smallest_payment: self.smallest_payment,
            numbers: Some(&self.numbers).filter(|numbers| **numbers != Numbers::default()),
        })
    }
}
