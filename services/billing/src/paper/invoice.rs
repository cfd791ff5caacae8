//! An invoice on paper.

use trato_paper::{Detail, Document, Kind, Line, Mark, Payment, Sum, Value, Word};
use trato_pricing::{Priced, PricedLine, Value as Worth};
use trato_types::{Currency, Date, Minor};

use super::{Printing, distinct, is_for_people, recipient, tax};
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
        }
    }

    fn lines(&self, invoice: &Invoice, priced: Option<&Priced>) -> Vec<Line> {
        let mut amounts = priced.into_iter().flat_map(|priced| &priced.lines);
        let lines = invoice.lines.0.iter().map(|line| self.line(invoice, line, amounts.next()));
        lines.collect()
    }

    fn line(&self, invoice: &Invoice, line: &invoice::Line, amounts: Option<&PricedLine>) -> Line {
        let taken = amounts.map(|amounts| amounts.adjustments.as_slice()).unwrap_or_default();
        let discounts = line.discounts.iter().zip(taken);
        let rates = line.taxes.iter().filter_map(invoice::LineTax::of_line);
        Line {
            description: line.description.clone(),
            remarks: discounts
                .map(|(discount, taken)| self.remark(discount, *taken, invoice.currency_code))
                .collect(),
            quantity: line.quantity.to_string(),
            unit: line.unit.clone(),
            unit_price: line.unit_price.to_string(),
            tax_rates: rates.map(|tax| tax.key.rate.to_string()).collect(),
            amount: amounts.map(|line| if invoice.tax_inclusive { line.priced } else { line.line_net }),
        }
    }

    /// A discount of a line, in words.
    fn remark(&self, discount: &Discount, taken: Minor, currency: Currency) -> String {
        let mut remark = self.language.word(Word::Discount).to_owned();
        if let Worth::Percent(percent) = discount.value {
            remark = format!("{remark} {}", self.language.percent(&percent.to_string()));
        }
        if !discount.reason.is_empty() {
            remark = format!("{remark} · {}", discount.reason);
        }
        format!("{remark}: {}", self.language.amount(taken, currency))
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
    let tax_id = &invoice.bill_to.tax_id;
    let details = [
        invoice.number.as_ref().and_then(|number| text(Word::Number, number)),
        date(Word::Date, invoice.issue_date),
        date(Word::SupplyDate, supplied),
        date(Word::DueDate, invoice.due_date),
        if tax_id.is_empty() { None } else { text(Word::RecipientTaxId, tax_id) },
        is_for_people(&invoice.source_document)
            .then(|| text(Word::Reference, &invoice.source_document))
            .flatten(),
    ];
    details.into_iter().flatten().collect()
}

/// With prices without taxes: lines, discounts, net, taxes, total. With prices that include them: lines, discounts and total,
/// then the taxes that are in it.
fn sums(invoice: &Invoice, priced: &Priced) -> Vec<Sum> {
    let (totals, included) = (&priced.totals, invoice.tax_inclusive);
    let mut sums = Vec::new();
    if !invoice.discounts.0.is_empty() && !included {
        sums.push(Sum::Lines(totals.lines));
    }
    for (discount, taken) in invoice.discounts.0.iter().zip(&priced.discounts) {
        let percent = match discount.value {
            Worth::Percent(percent) => percent.to_string(),
            Worth::Amount(_) => String::new(),
        };
        sums.push(Sum::Discount { percent, reason: discount.reason.clone(), amount: *taken });
    }
    let taxes = priced.groups.iter().map(|group| tax(&group.key, (group.basis, group.tax), included));
    if included {
        sums.push(Sum::Total(totals.gross));
        sums.extend(taxes);
    } else {
        sums.push(Sum::Net(totals.net));
        sums.extend(taxes);
        sums.push(Sum::Total(totals.gross));
    }
    sums.extend(priced.withheld.iter().map(|group| Sum::Withheld {
        tax: group.key.code.to_string(),
        percent: group.key.rate.to_string(),
        amount: group.amount,
    }));
    if !totals.prepaid.is_zero() {
        sums.push(Sum::Prepaid(totals.prepaid));
    }
    if !totals.rounding.is_zero() {
        sums.push(Sum::Rounding(totals.rounding));
    }
    if totals.due != totals.gross {
        sums.push(Sum::Due(totals.due));
    }
    sums
}

/// What the law wants to be said of the taxes, and then what else there is to say.
fn notes(invoice: &Invoice) -> Vec<String> {
    let applied = invoice.lines.0.iter().flat_map(|line| &line.taxes).filter_map(|tax| tax.applied.as_ref());
    let legal = applied.map(|tax| tax.legal_note.clone());
    distinct(legal.chain([invoice.note.clone()]))
}
