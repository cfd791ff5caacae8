//! UBL 2.1: `Invoice` and `CreditNote` differ in their root, in the names of a few elements, and in where they keep the day
//! on which they are due.

mod line;
mod party;
mod read;
mod settlement;
mod write;

use trato_types::Date;

pub(crate) use read::read;
pub(crate) use write::write;

use crate::{
    model::Kind,
    xml::{Element, Fault, Spaces},
};

const INVOICE: &str = "urn:oasis:names:specification:ubl:schema:xsd:Invoice-2";
const CREDIT_NOTE: &str = "urn:oasis:names:specification:ubl:schema:xsd:CreditNote-2";
const CAC: &str = "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2";
const CBC: &str = "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2";

const SPACES: &Spaces = &[("invoice", INVOICE), ("credit", CREDIT_NOTE), ("cac", CAC), ("cbc", CBC)];

/// Scheme under which UBL keeps the creditor of a direct debit among the identifiers of the seller or payee (BT-90).
const SEPA: &str = "SEPA";

/// What the two documents call differently.
struct Words {
    root: &'static str,
    space: &'static str,
    type_code: &'static str,
    line: &'static str,
    quantity: &'static str,
}

const INVOICE_WORDS: Words = Words {
    root: "Invoice",
    space: INVOICE,
    type_code: "cbc:InvoiceTypeCode",
    line: "cac:InvoiceLine",
    quantity: "cbc:InvoicedQuantity",
};

const CREDIT_WORDS: Words = Words {
    root: "CreditNote",
    space: CREDIT_NOTE,
    type_code: "cbc:CreditNoteTypeCode",
    line: "cac:CreditNoteLine",
    quantity: "cbc:CreditedQuantity",
};

const fn words(kind: Kind) -> &'static Words {
    match kind {
        Kind::CreditNote => &CREDIT_WORDS,
        Kind::Invoice | Kind::Corrected => &INVOICE_WORDS,
    }
}

fn day(date: Date) -> String {
    date.format("%Y-%m-%d").to_string()
}

/// Takes a day out, if there is one.
fn day_of(element: &mut Element, name: &'static str) -> Result<Option<Date>, Fault> {
    element.some(name)?.map(|day| day.as_day("0000-00-00", "%Y-%m-%d")).transpose()
}
