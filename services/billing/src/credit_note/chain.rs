//! What of a credit note is hashed. Pure.

use serde::Serialize;
use trato_types::{Currency, Date, Id, Minor, Ref, Result};
use uuid::Uuid;

use super::model::{CreditNote, Credited, Reasons};
use crate::{
    chain::{Chained, Hash},
    invoice::Party,
    legal_entity::Seller,
};

/// A credit note as it was issued, as JSON in this order. What is added one day is left out where it is not there, so that
/// hashes of earlier ones stay.
#[derive(Serialize)]
struct Content<'a> {
    form: &'static str,
    credit_note: Uuid,
    number_series: Option<Uuid>,
    period: Option<&'a str>,
    ordinal: Option<i64>,
    number: Option<&'a str>,
    issue_date: Option<Date>,
    invoice: Uuid,
    account: Option<Uuid>,
    legal_entity: Option<Uuid>,
    currency_code: Option<Currency>,
    bill_to: Option<&'a Party>,
    seller: Option<&'a Seller>,
    reason: &'a str,
    credit: &'a Credited,
    reasons: &'a Reasons,
    gross: Minor,
    due: Minor,
    #[serde(skip_serializing_if = "str::is_empty")]
    sales_return: &'a str,
}

impl Chained for CreditNote {
    fn ordinal(&self) -> Option<i64> {
        self.ordinal
    }

    fn hashes(&self) -> Option<(Hash, Hash)> {
        self.previous_hash.zip(self.hash)
    }

    fn hash_after(&self, id: Uuid, previous: Hash) -> Result<Hash> {
        previous.followed_by(&Content {
            form: "trato-credit-note-1",
            credit_note: id,
            number_series: self.number_series.map(Id::uuid),
            period: self.period.as_deref(),
            ordinal: self.ordinal,
            number: self.number.as_deref(),
            issue_date: self.issue_date,
            invoice: self.invoice.uuid(),
            account: self.account.map(Ref::uuid),
            legal_entity: self.legal_entity.map(Id::uuid),
            currency_code: self.currency_code,
            bill_to: self.bill_to.as_ref(),
            seller: self.seller.as_ref(),
            reason: &self.reason,
            credit: &self.credit,
            reasons: &self.reasons,
            gross: self.gross,
            due: self.due,
            sales_return: &self.sales_return,
        })
    }
}
