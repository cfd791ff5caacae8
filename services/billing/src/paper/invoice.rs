//! An invoice on paper.

use trato_paper::{Detail, Document, Kind, Line, Mark, Payment, Sum, Totals, Value, Word};
use trato_pricing::{Priced, PricedLine, Value as Worth};
use trato_types::{Currency, Date, Minor};

use super::{Printing, is_for_people, recipient, tax};
use crate::invoice::{self, Discount, Invoice, State};

impl Printing {
    /// What stands on an invoice. `today` is the day of one that is not issued.
    pub fn invoice(&self, invoice: &Invoice, today: Date) -> Document {
        let priced = invoice.amounts.0.as_ref();
        Document {
            kind: Kind::Invoice,
            mark: match invoice.state {
                State::Draft => Some(Mark::Draft),
                State::Void => Some(Mark::Void),
                State::Issued | State::Sent => None,
            },
            number: invoice.number.clone().unwrap_or_default(),
            date: invoice.issue_date.unwrap_or(today),
            language: self.language,
            paper: self.paper,
            currency: invoice.currency_code,
            issuer: self.issuer(),
            recipient: recipient(&invoice.bill_to),
            details: details(invoice),
            introduction: String::new(),
            lines: self.lines(invoice, priced),
            sums: priced.map(|priced| sums(invoice, priced)).unwrap_or_default(),
            payment: self.payment(invoice),
            notes: notes(invoice),
            signature: None,
        }
    }

    fn lines(&self, invoice: &Invoice, priced: Option<&Priced>) -> Vec<Line> {
        let mut amounts = priced.into_iter().flat_map(|priced| &priced.lines);
        let lines = invoice.lines.0.iter().map(|line| self.line(invoice, line, amounts.next()));
        lines.collect()
    }

    fn line(&self, invoice: &Invoice, line: &invoice::Line, amounts: Option<&PricedLine>) -> Line {
        let rates = line.taxes.iter().filter_map(invoice::LineTax::of_line);
        Line {
            description: line.description.clone(),
            remarks: amounts
                .map(|amounts| self.remarks(line, amounts, invoice.currency_code))
                .unwrap_or_default(),
            quantity: line.quantity.to_string(),
            unit: line.unit.clone(),
            unit_price: line.unit_price.to_string(),
            price_per: String::new(),
            tax_rates: rates.map(|tax| tax.key.rate.to_string()).collect(),
            amount: amounts.map(|line| if invoice.tax_inclusive { line.priced } else { line.line_net }),
        }
    }

    /// Charges and discounts of a line, in words. A charge of nothing is none.
    fn remarks(&self, line: &invoice::Line, amounts: &PricedLine, currency: Currency) -> Vec<String> {
        let (put_on, taken) = line.changes(amounts);
        let say =
            |value, reason: &str, amount| self.language.adjustment(&percent(value), reason, amount, currency);
        let charges = line.charges.iter().zip(put_on).filter(|(_, amount)| !amount.is_zero());
        let charges = charges.map(|(charge, amount)| say(charge.value, &charge.reason, *amount));
        let discounts = line.discounts.iter().zip(taken);
        let discounts = discounts.map(|(discount, amount)| say(discount.value, &discount.reason, *amount));
        charges.chain(discounts).collect()
    }

    /// How it is paid; nothing of what is not issued, not due, or worth nothing.
    fn payment(&self, invoice: &Invoice) -> Option<Payment> {
        let is_owed = matches!(invoice.state, State::Issued | State::Sent) && invoice.due > Minor(0);
        is_owed.then(|| Payment {
            amount: invoice.due,
            due: invoice.due_date,
            iban: self.seller.iban.clone(),
            bic: self.seller.bic.clone(),
            reference: invoice.number.clone().unwrap_or_default(),
        })
    }
}

fn details(invoice: &Invoice) -> Vec<Detail> {
    let text = |label, text: &str| Some(Detail { label, value: Value::Text(text.to_owned()) });
    let date = |label, date: Option<Date>| date.map(|date| Detail { label, value: Value::Date(date) });
    let supplied = invoice.supply_date.filter(|day| Some(*day) != invoice.issue_date);
    let given = |label, value: &str| if value.is_empty() { None } else { text(label, value) };
    let numbers = &invoice.numbers;
    let details = [
        invoice.number.as_ref().and_then(|number| text(Word::Number, number)),
        date(Word::Date, invoice.issue_date),
        date(Word::SupplyDate, supplied),
        date(Word::DueDate, invoice.due_date),
        given(Word::RecipientTaxId, &invoice.bill_to.tax_id),
        given(Word::RecipientOrder, &numbers.purchase_order),
        given(Word::OrderNumber, &numbers.sales_order),
        given(Word::DeliveryNote, &numbers.delivery_note),
        given(Word::Reference, &numbers.buyer_reference),
        is_for_people(&invoice.source_document)
            .then(|| text(Word::Reference, &invoice.source_document))
            .flatten(),
    ];
    details.into_iter().flatten().collect()
}

fn sums(invoice: &Invoice, priced: &Priced) -> Vec<Sum> {
    let (totals, included) = (&priced.totals, invoice.tax_inclusive);
    let discount = |(discount, taken): (&Discount, &Minor)| Sum::Discount {
        percent: percent(discount.value),
        reason: discount.reason.clone(),
        amount: *taken,
    };
    let withheld = priced.withheld.iter().map(|group| Sum::Withheld {
        tax: group.key.code.to_string(),
        percent: group.key.rate.to_string(),
        amount: group.amount,
    });
    let taxes = priced.groups.iter().map(|group| tax(&group.key, (group.basis, group.tax), included));
    let sums = Totals {
        included,
        lines: totals.lines,
        adjustments: invoice.discounts.0.iter().zip(&priced.discounts).map(discount).collect(),
        net: totals.net,
        taxes: taxes.collect(),
        gross: totals.gross,
        withheld: withheld.collect(),
        prepaid: totals.prepaid,
        rounding: totals.rounding,
        due: totals.due,
    };
    sums.in_order()
}

/// The share that is put on or taken off; empty where it is an amount.
fn percent(value: Worth) -> String {
    match value {
        Worth::Percent(percent) => percent.to_string(),
        Worth::Amount(_) => String::new(),
    }
}

/// What the law wants to be said of the taxes, and then what else there is to say.
fn notes(invoice: &Invoice) -> Vec<String> {
    let applied = invoice.lines.0.iter().flat_map(|line| &line.taxes).filter_map(|tax| tax.applied.as_ref());
    applied.map(|tax| tax.legal_note.clone()).chain([invoice.note.clone()]).collect()
}
