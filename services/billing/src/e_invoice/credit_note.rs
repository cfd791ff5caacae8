//! A credit note in the terms of EN 16931. What its lines are stands on the invoice.

use trato_einvoice::{EInvoice, Kind, Line, Price, Totals};
use trato_pricing::{Credit, Creditable, Quantity};
use trato_types::Result;

use super::{
    Document, Rules, delivery, group, invoice::price_of_all, item, missing::Missing, preceding, unit, vat,
    withheld, without_vat_numbers,
};
use crate::{
    credit_note::CreditNote,
    invoice::{self, Invoice},
};

/// An issued credit note of this invoice as an e-invoice; FAILED_PRECONDITION `E_INVOICE_INCOMPLETE` names what it does not
/// say.
pub fn of_credit_note(credit_note: &CreditNote, invoice: &Invoice, rules: Rules) -> Result<EInvoice> {
    let mut missing = Missing::default();
    let document = Document {
        kind: Kind::CreditNote,
        number: credit_note.number.as_ref(),
        issued: credit_note.issue_date,
        due: None,
        currency: invoice.currency_code,
        seller: credit_note.seller.as_ref(),
        buyer: credit_note.bill_to.as_ref().unwrap_or(&invoice.bill_to),
        numbers: &invoice.numbers,
        rules,
    };
    let credit = missing.keep("BG-22 totals", credit_note.credit.0.as_ref());
    let terms = credit.and_then(|credit| terms(&document, credit_note, invoice, credit, &mut missing));
    missing.into_e_invoice(terms)
}

fn terms(
    document: &Document<'_>,
    credit_note: &CreditNote,
    invoice: &Invoice,
    credit: &Credit,
    missing: &mut Missing,
) -> Option<trato_einvoice::Invoice> {
    let mut totals = Totals {
        lines: credit.net,
        net: credit.net,
        tax: credit.tax,
        gross: credit.gross,
        rounding: credit.rounding,
        due: credit.due,
        ..Totals::default()
    };
    let terms = document.begin(totals, missing);
    let items = credit.items.iter().enumerate();
    let lines: Vec<Option<Line>> = items.map(|(at, item)| line(at, item, invoice, missing)).collect();
    let mut terms = terms?;
    terms.lines = lines.into_iter().flatten().collect();
    for (one, reasons) in credit.groups.iter().zip(&credit_note.reasons.0) {
        terms.taxes.push(group(&one.key, (one.basis, one.tax), reasons, missing));
    }
    terms.preceding.extend(preceding(invoice.number.as_ref(), invoice.issue_date, missing));
    // What is given back is due to nobody on a day; the reason says what there is to say (BR-CO-25).
    terms.terms = missing.paragraph("BT-20 reason", &credit_note.reason);
    terms.delivery = delivery(&terms, invoice.supply_date);
    without_vat_numbers(&mut terms);
    withheld(&mut totals, credit.withheld, &mut terms, missing);
    Some(terms)
}

/// A line: its net amount is the price of all of it, since what is credited need not be a quantity times a price.
fn line(at: usize, credited: &Creditable, invoice: &Invoice, missing: &mut Missing) -> Option<Line> {
    let path = format!("lines[{at}]");
    let key = &*credited.amounts.key;
    let line = missing.keep(&format!("BG-25 {path}"), invoice.lines.0.iter().find(|line| line.key == key))?;
    let mut taxes = line.taxes.iter().filter_map(invoice::LineTax::of_line);
    let tax = missing.keep(&format!("BT-151 {path}"), taxes.next());
    if taxes.next().is_some() {
        missing.add(format!("BT-151 {path}: one tax only"));
    }
    let unit = missing.keep(&format!("BT-130 {path}.unit"), unit::code(&line.unit));
    let item = item(&line.description, &path, missing);
    let number = missing.require(&format!("BT-126 {path}"), Some(&(at + 1).to_string()));
    let vat = vat(&tax?.key, &path, missing);
    let price = missing.keep("BT-146 net", price_of_all(credited.amounts.net, invoice.currency_code));
    // Of a credit by amount no quantity comes back.
    let quantity = if credited.quantity > Quantity::ZERO { credited.quantity } else { Quantity::ONE };
    let mut written = Line::new(number?, (quantity, unit?), (price?, credited.amounts.net), vat, item?);
    written.price = Price { per: quantity, ..written.price };
    Some(written)
}
