//! A quote on paper.

use trato_paper::{Detail, Document, Kind, Line, Mark, Signature, Sum, Totals, Word};
use trato_pricing::{Adjustment, PricedLine, Quantity, Value};
use trato_types::{Date, Minor};

use super::{Printing, date, text};
use crate::{
    document,
    price_list::Inclusion,
    pricing::{Frozen, FrozenLine},
    product::Chosen,
    quote::{Quote, State},
};

impl Printing {
    /// What stands on a quote, which is dated so: by the day on which it was sent, or written.
    pub fn quote(&self, quote: &Quote, dated: Date) -> Document {
        let frozen = quote.document.priced.as_ref();
        let is_draft =
            matches!(quote.state, State::Draft | State::InApproval | State::Approved | State::Rejected);
        Document {
            kind: Kind::Quote,
            mark: is_draft.then_some(Mark::Draft),
            number: quote.number.clone().unwrap_or_default(),
            date: dated,
            language: self.language,
            paper: self.paper,
            currency: quote.currency_code,
            issuer: self.issuer(),
            recipient: self.recipient(None),
            details: self.details(quote),
            introduction: String::new(),
            lines: frozen.map(|frozen| self.lines(quote, frozen)).unwrap_or_default(),
            sums: frozen.map(|frozen| sums(&quote.document, frozen)).unwrap_or_default(),
            payment: None,
            notes: self.notes(quote, frozen),
            signature: Some(Signature::Acceptance),
        }
    }

    fn details(&self, quote: &Quote) -> Vec<Detail> {
        let details = [
            text(Word::Number, quote.number.as_deref().unwrap_or_default()),
            text(Word::Version, &quote.version.to_string()),
            date(Word::Date, quote.sent_on()),
            date(Word::ValidUntil, quote.valid_until),
            text(Word::RecipientTaxId, &self.recipient.tax_id),
        ];
        details.into_iter().flatten().collect()
    }

    /// The lines that were wanted, then those that are given for nothing.
    fn lines(&self, quote: &Quote, frozen: &Frozen) -> Vec<Line> {
        let both = frozen.lines.iter().zip(&frozen.priced.lines).enumerate();
        both.map(|(at, (line, priced))| self.line(quote, quote.document.lines.get(at), line, priced))
            .collect()
    }

    fn line(
        &self,
        quote: &Quote,
        wanted: Option<&document::Line>,
        line: &FrozenLine,
        priced: &PricedLine,
    ) -> Line {
        let own = wanted.map(|wanted| wanted.description.as_str()).filter(|own| !own.is_empty());
        let is_inclusive =
            quote.document.priced.as_ref().is_some_and(|it| it.prices == Inclusion::TaxInclusive);
        Line {
            description: own.unwrap_or(&line.display_name).to_owned(),
            remarks: self.remarks(quote, wanted, line, priced),
            quantity: priced.quantity.to_string(),
            unit: line.unit_code.clone(),
            unit_price: line.unit_price.to_string(),
            price_per: if line.per == Quantity::ONE { String::new() } else { line.per.to_string() },
            tax_rates: priced.amounts.taxes.iter().map(|tax| tax.key.rate.to_string()).collect(),
            amount: Some(if is_inclusive { priced.priced } else { priced.line_net }),
        }
    }

    /// What was chosen, what was taken off and put on, and the day for which the line is promised.
    fn remarks(
        &self,
        quote: &Quote,
        wanted: Option<&document::Line>,
        line: &FrozenLine,
        priced: &PricedLine,
    ) -> Vec<String> {
        let by_hand = wanted.map(|wanted| wanted.wanted.adjustments.as_slice()).unwrap_or_default();
        let others = line.adjustments.len().saturating_sub(by_hand.len());
        let mut surcharges: Vec<(&str, Minor)> = Vec::new();
        let mut adjustments = Vec::new();
        for (at, (adjustment, amount)) in line.adjustments.iter().zip(&priced.adjustments).enumerate() {
            // What an option costs stands beside its name.
            let is_option = at < others && adjustment.promotion.is_none();
            if is_option && line.chosen.iter().any(|chosen| chosen.display_name == adjustment.reason) {
                surcharges.push((&adjustment.reason, *amount));
                continue;
            }
            let percent = at.checked_sub(others).and_then(|at| by_hand.get(at)).map(percent);
            adjustments.push(self.language.adjustment(
                &percent.unwrap_or_default(),
                &adjustment.reason,
                *amount,
                quote.currency_code,
            ));
        }
        let promised = wanted.and_then(|wanted| wanted.promised_date);
        let promised = promised.map(|day| self.language.date(day));
        let mut remarks: Vec<String> = Vec::new();
        for chosen in &line.chosen {
            let found = surcharges.iter().position(|(name, _)| *name == chosen.display_name);
            let amount = found.map(|at| surcharges.swap_remove(at).1);
            remarks.push(self.chosen(chosen, amount, quote));
        }
        remarks.extend(adjustments);
        remarks.extend(promised.map(|day| self.language.sentence(Word::PromisedFor, &[&day])));
        remarks
    }

    fn chosen(&self, chosen: &Chosen, amount: Option<Minor>, quote: &Quote) -> String {
        match amount {
            Some(amount) => format!("{chosen}: {}", self.language.amount(amount, quote.currency_code)),
            None => chosen.to_string(),
        }
    }

    /// What the law wants to be said of the taxes, then the terms.
    fn notes(&self, quote: &Quote, frozen: Option<&Frozen>) -> Vec<String> {
        let groups = frozen.into_iter().flat_map(|frozen| &frozen.priced.groups);
        let mut notes: Vec<String> =
            groups.flat_map(|group| &group.reasons).map(ToString::to_string).collect();
        let terms = &quote.document.terms;
        for (word, text) in [(Word::PaymentTerms, &terms.payment), (Word::DeliveryTerms, &terms.delivery)] {
            if !text.is_empty() {
                notes.push(self.language.sentence(word, &[text]));
            }
        }
        notes.push(terms.note.clone());
        notes
    }
}

fn sums(document: &document::Document, frozen: &Frozen) -> Vec<Sum> {
    let (priced, included) = (&frozen.priced, frozen.prices == Inclusion::TaxInclusive);
    let discounts = document.discounts.iter().zip(&priced.discounts).map(|(discount, taken)| Sum::Discount {
        percent: percent_of(discount.value),
        reason: discount.reason.to_string(),
        amount: *taken,
    });
    let charges = frozen.charge_reasons.iter().zip(&priced.charges).map(|(reason, charge)| Sum::Charge {
        reason: reason.clone(),
        amount: if included { charge.gross } else { charge.net },
    });
    let taxes = priced.groups.iter().map(|group| Sum::Tax {
        tax: group.key.code.to_string(),
        percent: group.key.rate.to_string(),
        basis: group.basis,
        amount: group.tax,
        included,
    });
    let withheld = priced.withheld.iter().map(|group| Sum::Withheld {
        tax: group.key.code.to_string(),
        percent: group.key.rate.to_string(),
        amount: group.amount,
    });
    let totals = &priced.totals;
    let sums = Totals {
        included,
        lines: totals.lines,
        adjustments: discounts.chain(charges).collect(),
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

fn percent(adjustment: &Adjustment) -> String {
    percent_of(adjustment.value)
}

/// The share that is taken or put on; empty where it is an amount.
fn percent_of(value: Value) -> String {
    match value {
        Value::Percent(percent) => percent.to_string(),
        Value::Amount(_) => String::new(),
    }
}
