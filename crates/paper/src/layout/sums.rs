//! What the lines come to, how it is paid, and what else is to be said.

use trato_types::Minor;

use super::{Composer, QUIET, STRONG, Style, TEXT, Tone, ascent, leading};
use crate::{
    Kind, Payment, Sum, Word,
    sheet::{Length, mm, pt},
    structure::{Part, PartId, Structure},
};

/// What is looked for first.
const TOTAL: Style = Style { size: pt(110), ..STRONG };
/// How wide the block of sums is.
const WIDTH: Length = mm(900);
/// Between two sums.
const GAP: Length = mm(12);

/// How much a sum is looked for.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Rank {
    Part,
    Whole,
}

/// A sum, ready to be drawn.
struct Row {
    label: String,
    amount: String,
    rank: Rank,
}

impl Composer<'_> {
    /// All sums, kept together if a page has room for them.
    pub(super) fn sums(&mut self) {
        let rows: Vec<Row> = self.document.sums.iter().map(|sum| self.sum(sum)).collect();
        if rows.is_empty() {
            return;
        }
        let height: Length = rows.iter().map(|row| leading(style(row.rank)) + 2 * GAP).sum();
        if !self.fits(height) && self.fits_a_page(height) {
            self.break_page();
        }
        let table = self.structure.add(Structure::ROOT, Part::Table);
        for row in &rows {
            self.sum_row(table, row);
        }
        self.y += mm(60);
    }

    fn sum_row(&mut self, table: PartId, row: &Row) {
        let style = style(row.rank);
        let label_style = if row.rank == Rank::Whole { style } else { Style { tone: Tone::Quiet, ..style } };
        let amount = self.fonts.set(row.amount.clone(), style);
        let width = WIDTH - amount.width - mm(40);
        let labels = self.fonts.wrap(&row.label, label_style, width.max(mm(300)));
        let height = leading(style) * i64::try_from(labels.len()).unwrap_or(1);
        if !self.fits(height + GAP) {
            self.break_page();
        }
        let left = self.sheet.right - WIDTH;
        if row.rank == Rank::Whole {
            self.draw(super::Item::Rule {
                at: (left, self.y),
                width: WIDTH,
                thickness: pt(8),
                tone: Tone::Ink,
            });
            self.y += GAP;
        }
        let part = self.structure.add(table, Part::Row);
        let head = self.structure.add(part, Part::RowHead);
        let cell = self.structure.add(part, Part::Cell);
        let base = self.y + ascent(style) + GAP / 2;
        for (number, run) in (0..).zip(labels) {
            self.text((left, base + number * leading(style)), run, Some(head));
        }
        self.text_to((self.sheet.right, base), amount, Some(cell));
        self.y += height + GAP;
    }

    fn sum(&self, sum: &Sum) -> Row {
        let (document, language) = (self.document, self.document.language);
        let word = |word| language.word(word).to_owned();
        let amount = |amount: Minor| language.amount(amount, document.currency);
        let below = |amount: Minor| Minor(amount.0.saturating_neg());
        let part = |label: String, of: Minor| Row { label, amount: amount(of), rank: Rank::Part };
        let whole = |label: String, of: Minor| Row {
            label,
            amount: language.money(of, document.currency),
            rank: Rank::Whole,
        };
        match sum {
            Sum::Lines(of) => part(word(Word::Subtotal), *of),
            Sum::Discount { percent, reason, amount } => {
                let share = if percent.is_empty() {
                    String::new()
                } else {
                    format!(" {}", language.percent(percent))
                };
                part(with_reason(word(Word::Discount) + &share, reason), below(*amount))
            }
            Sum::Charge { reason, amount } => part(with_reason(word(Word::Charge), reason), *amount),
            Sum::Net(of) => part(word(Word::Net), *of),
            Sum::Tax { tax, percent, basis, amount: of, included } => {
                let label = if *included { Word::TaxIncluded } else { Word::TaxOn };
                let parts = [language.tax(tax), language.percent(percent), amount(*basis)];
                part(language.sentence(label, &parts.each_ref().map(String::as_str)), *of)
            }
            Sum::Total(of) if document.kind == Kind::CreditNote => whole(word(Word::TotalCredit), *of),
            Sum::Total(of) => whole(word(Word::Total), *of),
            Sum::Withheld { tax, percent, amount } => {
                let parts = [language.tax(tax), language.percent(percent)];
                part(language.sentence(Word::Withheld, &parts.each_ref().map(String::as_str)), below(*amount))
            }
            Sum::Prepaid(of) => part(word(Word::Prepaid), below(*of)),
            Sum::Rounding(of) => part(word(Word::Rounding), *of),
            Sum::Due(of) if document.kind == Kind::CreditNote => whole(word(Word::DueBack), *of),
            Sum::Due(of) => whole(word(Word::Due), *of),
        }
    }

    /// What to pay, until when, and where to.
    pub(super) fn payment(&mut self) {
        if let Some(payment) = &self.document.payment {
            let sentence = self.payment_sentence(payment);
            self.paragraph(&sentence, TEXT);
        }
    }

    fn payment_sentence(&self, payment: &Payment) -> String {
        let language = self.document.language;
        let amount = language.money(payment.amount, self.document.currency);
        let mut sentence = match payment.due {
            Some(due) => language.sentence(Word::PayBy, &[&amount, &language.date(due)]),
            None => language.sentence(Word::Pay, &[&amount]),
        };
        if !payment.iban.is_empty() {
            let mut account = format!("IBAN\u{A0}{}", in_fours(&payment.iban));
            if !payment.bic.is_empty() {
                account = format!("{account} (BIC\u{A0}{})", payment.bic);
            }
            sentence += &language.sentence(Word::ToAccount, &[&account]);
        }
        if !payment.reference.is_empty() {
            sentence += &language.sentence(Word::Quoting, &[&payment.reference]);
        }
        sentence + "."
    }

    /// Legal notes and what else is to be said.
    pub(super) fn notes(&mut self) {
        let notes = &self.document.notes;
        let is_new = |(at, note): &(usize, &String)| !note.is_empty() && !notes[..*at].contains(note);
        for (_, note) in notes.iter().enumerate().filter(is_new) {
            self.paragraph(note, Style { size: pt(85), ..QUIET });
        }
    }
}

const fn style(rank: Rank) -> Style {
    match rank {
        Rank::Part => TEXT,
        Rank::Whole => TOTAL,
    }
}

fn with_reason(label: String, reason: &str) -> String {
    if reason.is_empty() { label } else { format!("{label} · {reason}") }
}

/// An IBAN as people read it.
fn in_fours(iban: &str) -> String {
    let letters: Vec<char> = iban.chars().collect();
    let groups: Vec<String> = letters.chunks(4).map(|group| group.iter().collect()).collect();
    groups.join("\u{A0}")
}
