//! A credit note on paper. What its lines are stands on the invoice.

use std::collections::BTreeMap;

use trato_paper::{Detail, Document, Kind, Line, Mark, Sum, Totals, Value, Word};
use trato_pricing::{Credit, Creditable};
use trato_types::{Date, Minor};

use super::{Printing, recipient, tax};
use crate::{
    credit_note::{CreditNote, State},
    invoice::{self, Invoice},
};

impl Printing {
    /// What stands on a credit note of this invoice. `today` is the day of one that is not issued.
    pub fn credit_note(&self, credit_note: &CreditNote, invoice: &Invoice, today: Date) -> Document {
        let credit = credit_note.credit.0.as_ref();
        let items = credit.into_iter().flat_map(|credit| &credit.items);
        let legal = credit_note.reasons.0.iter().flatten().map(ToString::to_string);
        Document {
            kind: Kind::CreditNote,
            mark: (credit_note.state == State::Draft).then_some(Mark::Draft),
            number: credit_note.number.clone().unwrap_or_default(),
            date: credit_note.issue_date.unwrap_or(today),
            language: self.language,
            paper: self.paper,
            currency: invoice.currency_code,
            issuer: self.issuer(),
            recipient: recipient(credit_note.bill_to.as_ref().unwrap_or(&invoice.bill_to)),
            details: details(credit_note, invoice),
            introduction: self.language.sentence(Word::ReasonOfCredit, &[&credit_note.reason]),
            lines: items.map(|item| line(item, invoice)).collect(),
            sums: credit.map(|credit| sums(credit, invoice)).unwrap_or_default(),
            payment: None,
            notes: legal.collect(),
            signature: None,
        }
    }
}

fn details(credit_note: &CreditNote, invoice: &Invoice) -> Vec<Detail> {
    let text = |label, text: &String| Detail { label, value: Value::Text(text.clone()) };
    let number = credit_note.number.as_ref().map(|number| text(Word::Number, number));
    let date = credit_note.issue_date.map(|date| Detail { label: Word::Date, value: Value::Date(date) });
    let credited = invoice.number.as_ref().map(|number| text(Word::CreditedInvoice, number));
    let issued =
        invoice.issue_date.map(|date| Detail { label: Word::CreditedDate, value: Value::Date(date) });
    let tax_id = &invoice.bill_to.tax_id;
    let tax_id = (!tax_id.is_empty()).then(|| text(Word::RecipientTaxId, tax_id));
    [number, date, credited, issued, tax_id].into_iter().flatten().collect()
}

fn line(item: &Creditable, invoice: &Invoice) -> Line {
    let line = invoice.lines.0.iter().find(|line| *line.key == *item.amounts.key);
    let rates = line.into_iter().flat_map(|line| &line.taxes).filter_map(invoice::LineTax::of_line);
    Line {
        description: line.map_or_else(|| item.amounts.key.to_string(), |line| line.description.clone()),
        remarks: Vec::new(),
        quantity: item.quantity.to_string(),
        unit: line.map(|line| line.unit.clone()).unwrap_or_default(),
        unit_price: String::new(),
        price_per: String::new(),
        tax_rates: rates.map(|tax| tax.key.rate.to_string()).collect(),
        amount: Some(if invoice.tax_inclusive { item.amounts.gross } else { item.amounts.net }),
    }
}

fn sums(credit: &Credit, invoice: &Invoice) -> Vec<Sum> {
    let included = invoice.tax_inclusive;
    let taxes = credit.groups.iter().map(|group| tax(&group.key, (group.basis, group.tax), included));
    let sums = Totals {
        included,
        net: credit.net,
        taxes: taxes.collect(),
        gross: credit.gross,
        withheld: withheld(credit),
        rounding: credit.rounding,
        due: credit.due,
        ..Totals::default()
    };
    sums.in_order()
}

/// What was withheld of the lines, by code and rate.
fn withheld(credit: &Credit) -> Vec<Sum> {
    let mut groups: BTreeMap<_, Minor> = BTreeMap::new();
    for share in credit.items.iter().flat_map(|item| &item.amounts.withheld) {
        let sum = groups.entry(&share.key).or_default();
        *sum = Minor(sum.0.saturating_add(share.amount.0));
    }
    let groups = groups.into_iter().map(|(key, amount)| Sum::Withheld {
        tax: key.code.to_string(),
        percent: key.rate.to_string(),
        amount,
    });
    groups.collect()
}
