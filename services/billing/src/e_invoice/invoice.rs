//! An invoice in the terms of EN 16931.

use trato_einvoice::{Adjustment, DocumentAdjustment, EInvoice, Kind, Line, Price, Text, Totals};
use trato_pricing::{Priced, PricedLine, UnitPrice};
use trato_types::{Currency, Minor, Result};

use super::{
    Document, Rules, delivery, group, item, missing::Missing, note, unit, vat, withheld, without_vat_numbers,
};
use crate::invoice::{self, Discount, Invoice};

/// What a discount is called that nobody gave a reason for.
const DISCOUNT: &str = "Discount";
/// And what a charge is.
const CHARGE: &str = "Charge";

/// An issued invoice as an e-invoice; FAILED_PRECONDITION `E_INVOICE_INCOMPLETE` names what it does not say.
pub fn of_invoice(invoice: &Invoice, rules: Rules) -> Result<EInvoice> {
    let mut missing = Missing::default();
    let document = Document {
        kind: Kind::Invoice,
        number: invoice.number.as_ref(),
        issued: invoice.issue_date,
        due: invoice.due_date,
        currency: invoice.currency_code,
        seller: invoice.seller.as_ref(),
        buyer: &invoice.bill_to,
        numbers: &invoice.numbers,
        rules,
    };
    let priced = missing.keep("BG-22 totals", invoice.amounts.0.as_ref());
    let terms = priced.and_then(|priced| terms(&document, invoice, priced, &mut missing));
    missing.into_e_invoice(terms)
}

fn terms(
    document: &Document<'_>,
    invoice: &Invoice,
    priced: &Priced,
    missing: &mut Missing,
) -> Option<trato_einvoice::Invoice> {
    let mut totals = totals(priced);
    let terms = document.begin(totals, missing);
    let lines: Vec<Option<Line>> = invoice
        .lines
        .0
        .iter()
        .zip(&priced.lines)
        .enumerate()
        .map(|(at, (line, amounts))| self::line(invoice, at, (line, amounts), missing))
        .collect();
    let reason = reasons(&invoice.discounts.0);
    let mut terms = terms?;
    terms.lines = lines.into_iter().flatten().collect();
    for one in &priced.groups {
        terms.taxes.push(group(&one.key, (one.basis, one.tax), &one.reasons, missing));
        if !one.discounts.is_zero() {
            let reason = missing.require("BT-97 discounts", Some(&reason))?;
            let vat = vat(&one.key, "tax_groups", missing);
            terms
                .allowances
                .push(DocumentAdjustment { adjustment: Adjustment::new(one.discounts, reason), vat });
        }
    }
    terms.notes.extend(note(&invoice.note, missing));
    terms.delivery = delivery(&terms, invoice.supply_date);
    without_vat_numbers(&mut terms);
    withheld(&mut totals, priced.totals.withheld, &mut terms, missing);
    Some(terms)
}

fn totals(priced: &Priced) -> Totals {
    let totals = &priced.totals;
    Totals {
        lines: totals.lines,
        allowances: totals.discounts,
        charges: totals.charges,
        net: totals.net,
        tax: totals.tax,
        gross: totals.gross,
        prepaid: totals.prepaid,
        rounding: totals.rounding,
        due: totals.due,
    }
}

/// A line. A price that includes the tax is not one of the standard: the line's own net amount is the price of all of it.
fn line(
    invoice: &Invoice,
    at: usize,
    (line, amounts): (&invoice::Line, &PricedLine),
    missing: &mut Missing,
) -> Option<Line> {
    let path = format!("lines[{at}]");
    let mut taxes = line.taxes.iter().filter_map(invoice::LineTax::of_line);
    let tax = missing.keep(&format!("BT-151 {path}.tax_codes"), taxes.next());
    if taxes.next().is_some() {
        missing.add(format!("BT-151 {path}.tax_codes: one tax only"));
    }
    let unit = missing.keep(&format!("BT-130 {path}.unit"), unit::code(&line.unit));
    let item = item(&line.description, &path, missing);
    let number: Option<Text> = missing.require(&format!("BT-126 {path}"), Some(&(at + 1).to_string()));
    let vat = vat(&tax?.key, &format!("{path}.tax_codes"), missing);
    let quantity = (line.quantity, unit?);
    let mut written = Line::new(number?, quantity, (line.unit_price, amounts.line_net), vat, item?);
    if invoice.tax_inclusive {
        let price = price_of_all(amounts.line_net, invoice.currency_code);
        written.price = Price { per: line.quantity, ..Price::new(missing.keep("BT-146 unit_price", price)?) };
        return Some(written);
    }
    let (put_on, taken) = line.changes(amounts);
    for (charge, amount) in line.charges.iter().zip(put_on).filter(|(_, amount)| !amount.is_zero()) {
        let reason = if charge.reason.is_empty() { CHARGE } else { &charge.reason };
        let reason = missing.require(&format!("BT-144 {path}.charges"), Some(reason))?;
        written.charges.push(Adjustment::new(*amount, reason));
    }
    for (discount, change) in line.discounts.iter().zip(taken).filter(|(_, change)| !change.is_zero()) {
        let reason = if discount.reason.is_empty() { DISCOUNT } else { &discount.reason };
        let reason = missing.require(&format!("BT-139 {path}.discounts"), Some(reason))?;
        written.allowances.push(Adjustment::new(Minor(change.0.saturating_neg()), reason));
    }
    Some(written)
}

/// A net amount as the price of everything that it is for.
pub(super) fn price_of_all(net: Minor, currency: Currency) -> Option<UnitPrice> {
    let exponent = currency.exponent() as usize;
    let digits = format!("{:0width$}", net.0.unsigned_abs(), width = exponent + 1);
    let (whole, fraction) = digits.split_at(digits.len() - exponent);
    let point = if exponent == 0 { "" } else { "." };
    format!("{whole}{point}{fraction}").parse().ok()
}

/// Why the whole is cheaper, in one text.
fn reasons(discounts: &[Discount]) -> String {
    let reasons: Vec<&str> = discounts
        .iter()
        .map(|discount| discount.reason.as_str())
        .filter(|reason| !reason.is_empty())
        .collect();
    if reasons.is_empty() { DISCOUNT.to_owned() } else { reasons.join(", ").chars().take(500).collect() }
}
