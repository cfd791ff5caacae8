//! A delivery note on paper. It says what comes, never what it costs.

use std::collections::HashMap;

use trato_paper::{Document, Kind, Line, Mark, Signature, Word};
use trato_types::Date;

use super::{Printing, date, text};
use crate::{
    delivery_note::{self, DeliveryNote, State},
    kit::Contents,
    order::{Good, Order},
};

impl Printing {
    /// What stands on a delivery note of this order, which is dated so: by the day on which it was issued, or written.
    pub fn delivery_note(&self, delivery_note: &DeliveryNote, order: &Order, dated: Date) -> Document {
        let goods = Good::all(&order.document);
        let goods: HashMap<&str, &Good> = goods.iter().map(|good| (good.line.as_str(), good)).collect();
        let promised: Vec<Option<Date>> = delivery_note
            .lines
            .0
            .iter()
            .map(|line| goods.get(line.order_line.as_str()).and_then(|good| good.promised_date))
            .map(|own| own.or(order.promised_date))
            .collect();
        // Where all lines are promised for one day, it is said once.
        let common = promised.first().copied().flatten();
        let common = common.filter(|day| promised.iter().all(|other| *other == Some(*day)));
        let details = [
            text(Word::Number, delivery_note.number.as_deref().unwrap_or_default()),
            date(Word::Date, delivery_note.issue_date),
            text(Word::OrderNumber, order.number.as_deref().unwrap_or_default()),
            text(Word::RecipientOrder, &order.customer_po),
            date(Word::Promised, common),
        ];
        let lines = delivery_note.lines.0.iter().zip(delivery_note.contents()).zip(promised);
        Document {
            kind: Kind::DeliveryNote,
            mark: match delivery_note.state {
                State::Draft => Some(Mark::Draft),
                State::Void => Some(Mark::Void),
                State::Issued | State::Dispatched | State::Delivered | State::PartlyRefused => None,
            },
            number: delivery_note.number.clone().unwrap_or_default(),
            date: dated,
            language: self.language,
            paper: self.paper,
            currency: order.currency,
            issuer: self.issuer(),
            recipient: self.recipient(delivery_note.ship_to.as_ref()),
            details: details.into_iter().flatten().collect(),
            introduction: String::new(),
            lines: lines
                .map(|((line, contents), day)| {
                    self.delivered(line, &contents, day.filter(|_| common.is_none()))
                })
                .collect(),
            sums: Vec::new(),
            payment: None,
            notes: vec![delivery_note.note.clone()],
            signature: Some(Signature::Receipt),
        }
    }

    fn delivered(&self, line: &delivery_note::Line, contents: &Contents<'_>, promised: Option<Date>) -> Line {
        let say = |word, text: &str| self.language.sentence(word, &[text]);
        let mut remarks = Vec::new();
        if !line.lot.is_empty() {
            remarks.push(say(Word::Lot, &line.lot));
        }
        if !line.serials.is_empty() {
            remarks.push(say(Word::Serials, &line.serials.join(", ")));
        }
        remarks.extend(promised.map(|day| say(Word::PromisedFor, &self.language.date(day))));
        remarks.extend(self.contents(contents));
        let good = line.good.as_ref();
        Line {
            description: good.map_or_else(|| line.order_line.clone(), |good| good.description.clone()),
            remarks,
            quantity: line.quantity.to_string(),
            unit: good.map(|good| good.unit_code.clone()).unwrap_or_default(),
            ..Line::default()
        }
    }

    /// What is in a kit, a part to a line, as what was chosen is said: `Leg × 4`, `Cable × 2.5 m`.
    fn contents(&self, contents: &Contents<'_>) -> Vec<String> {
        let (language, mut said) = (self.language, Vec::with_capacity(contents.parts.len() + 1));
        if contents.omitted {
            said.push(language.word(Word::PartsOmitted).to_owned());
        }
        if !contents.parts.is_empty() {
            said.push(language.word(Word::Contents).to_owned());
        }
        for (part, quantity) in &contents.parts {
            let unit = language.unit(&part.unit_code, quantity);
            let gap = if unit.is_empty() { "" } else { "\u{A0}" };
            said.push(format!("{} × {}{gap}{unit}", part.description, language.decimal(quantity)));
        }
        said
    }
}
