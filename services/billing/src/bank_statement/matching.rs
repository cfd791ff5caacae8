//! What a line of a statement pays, and how that is known. Pure.
//!
//! A number in what the payer wrote is certain enough, unless it may as well be a quantity or a year; so is the amount together
//! with the name of the payer, or either of them with such a number. An amount alone is not, nor is such a number: it is only
//! proposed.

use std::collections::{BTreeSet, HashMap, HashSet};

use trato_types::{Currency, Minor};
use uuid::Uuid;

use super::model::Line;

/// Shortest number that is taken for nothing else.
const SHORTEST: usize = 5;
/// Digits of the shortest one without a letter: a day has eight.
const DIGITS: usize = 9;

/// An invoice that is open.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Open {
    /// The invoice.
    pub id: Uuid,
    /// Its number.
    pub number: String,
    /// Who owes it.
    pub account: Uuid,
    /// Who is invoiced, as it stands on it.
    pub name: String,
    /// Its currency.
    pub currency: Currency,
    /// What is open of it.
    pub open: Minor,
}

/// The open invoices that lines may be for.
#[derive(Clone, Debug, Default)]
pub struct Candidates {
    /// Those that are named, or have an amount of a line open.
    pub open: Vec<Open>,
    /// Amounts that more invoices have open than are looked at: an amount says nothing there.
    pub crowded: Vec<(Minor, Currency)>,
}

impl Candidates {
    /// Those that lines are certain to be for, as far as can be told before any is paid; perhaps some more.
    pub fn meant(&self, lines: &[&Line]) -> Vec<Uuid> {
        let numbers: BTreeSet<String> = lines.iter().flat_map(|line| words(&line.reference)).collect();
        let is_meant = |open: &&Open| {
            let is_of = |line: &&Line| {
                (line.amount, line.currency) == (open.open, open.currency)
                    && is_alike(&open.name, &line.counterparty)
            };
            numbers.contains(&open.number) || lines.iter().any(is_of)
        };
        self.open.iter().filter(is_meant).map(|open| open.id).collect()
    }

    /// Takes what is open by now of those that are meant; those of which nothing is come into question no more.
    pub fn refresh(&mut self, meant: &[Uuid], open_now: &HashMap<Uuid, Minor>) {
        let meant: HashSet<&Uuid> = meant.iter().collect();
        self.open.retain_mut(|open| match open_now.get(&open.id) {
            Some(now) => {
                open.open = *now;
                true
            }
            None => !meant.contains(&open.id),
        });
    }
}

/// What is known of a line.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Match {
    /// The numbers of these invoices, of one account, stand in the reference.
    Number(Vec<Open>),
    /// The same, but the numbers may be anything, and nothing bears them out; somebody must say whether these are meant.
    NumberOnly(Vec<Open>),
    /// One invoice has this amount open, of an account of the payer's name.
    AmountAndName(Open),
    /// One invoice has this amount open; somebody must say whether it is meant.
    AmountOnly(Open),
    /// Invoices of several accounts are named, or several have this amount open.
    Ambiguous,
    /// Nothing is known.
    Nothing,
}

/// The words of a reference that may be numbers of invoices.
pub fn words(reference: &str) -> BTreeSet<String> {
    let divides = |char: char| char.is_whitespace() || ",;:()[]\"'#+".contains(char);
    let words = reference.split(divides).map(|word| word.trim_matches(['.', '-', '/', '!', '?']));
    words
        .filter(|word| word.len() <= 40 && word.bytes().any(|byte| byte.is_ascii_digit()))
        .map(str::to_owned)
        .collect()
}

/// Matches a line with the open invoices of its currency that its words name, or that have its amount open.
pub fn find(line: &Line, candidates: &Candidates) -> Match {
    let of_currency: Vec<&Open> =
        candidates.open.iter().filter(|open| open.currency == line.currency).collect();
    let words = words(&line.reference);
    let named: Vec<&Open> = of_currency.iter().filter(|open| words.contains(&open.number)).copied().collect();
    let certain = certain(line, &named);
    match accounts(&certain) {
        0 => {}
        1 => return Match::Number(certain.into_iter().cloned().collect()),
        _ => return Match::Ambiguous,
    }
    match (find_by_amount(line, candidates, of_currency), accounts(&named)) {
        (found @ Match::AmountAndName(_), _) | (found, 0) => found,
        (Match::Nothing, 1) => Match::NumberOnly(named.into_iter().cloned().collect()),
        _ => Match::Ambiguous,
    }
}

/// Those of the invoices that are named which are certain to be meant: by a number that is nothing else, by what is open of each or
/// of all, or by the name of the payer. "12 chairs, thanks" pays no invoice 12 of somebody else.
fn certain<'a>(line: &Line, named: &[&'a Open]) -> Vec<&'a Open> {
    let total = named.iter().fold(0_i64, |total, open| total.saturating_add(open.open.0));
    if accounts(named) == 1 && Minor(total) == line.amount {
        return named.to_vec();
    }
    let is_certain = |open: &Open| {
        is_telling(&open.number) || open.open == line.amount || is_alike(&open.name, &line.counterparty)
    };
    named.iter().copied().filter(|open| is_certain(open)).collect()
}

/// True for a number that is hardly anything else: one with a letter that is not short, or one of many digits.
fn is_telling(number: &str) -> bool {
    let digits = number.chars().filter(char::is_ascii_digit).count();
    let is_lettered = number.chars().any(char::is_alphabetic);
    number.chars().count() >= SHORTEST && (is_lettered || digits >= DIGITS)
}

fn accounts(invoices: &[&Open]) -> usize {
    invoices.iter().map(|open| open.account).collect::<BTreeSet<Uuid>>().len()
}

fn find_by_amount(line: &Line, candidates: &Candidates, of_currency: Vec<&Open>) -> Match {
    if candidates.crowded.contains(&(line.amount, line.currency)) {
        return Match::Ambiguous;
    }
    let of_amount: Vec<&Open> = of_currency.into_iter().filter(|open| open.open == line.amount).collect();
    let of_name: Vec<&&Open> =
        of_amount.iter().filter(|open| is_alike(&open.name, &line.counterparty)).collect();
    match (of_name.as_slice(), of_amount.as_slice()) {
        ([only], _) => Match::AmountAndName((**only).clone()),
        ([], [only]) => Match::AmountOnly((*only).clone()),
        ([], []) => Match::Nothing,
        _ => Match::Ambiguous,
    }
}

/// True for two names that differ in nothing but case, spaces and signs.
fn is_alike(one: &str, other: &str) -> bool {
    let bare = |name: &str| -> String {
        name.chars().filter(|char| char.is_alphanumeric()).flat_map(char::to_lowercase).collect()
    };
    let one = bare(one);
    !one.is_empty() && one == bare(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(id: u128, number: &str, account: u128, name: &str, open: i64) -> Open {
        Open {
            id: Uuid::from_u128(id),
            number: number.into(),
            account: Uuid::from_u128(account),
            name: name.into(),
            currency: Currency::USD,
            open: Minor(open),
        }
    }

    fn line(amount: i64, reference: &str, counterparty: &str) -> Line {
        Line {
            key: "A1".into(),
            date: "2026-11-27".parse().expect("a day"),
            amount: Minor(amount),
            currency: Currency::USD,
            is_credit: true,
            is_reversal: false,
            reference: reference.into(),
            counterparty: counterparty.into(),
        }
    }

    /// XTR-05: a number decides, an amount only with the payer's name, and what is not certain is said to be so.
    #[test]
    fn a_line_is_matched_by_number_or_by_amount_and_name() {
        let (a, b, c) = (
            open(1, "F0001", 1, "Hotel Miramar", 100),
            open(2, "F0002", 1, "Hotel Miramar", 200),
            open(3, "F2026-3", 2, "Bar Azul", 100),
        );
        let mut all = Candidates { open: vec![a.clone(), b.clone(), c.clone()], crowded: Vec::new() };
        for (line, found) in [
            (line(5, "Invoice F0001.", ""), Match::Number(vec![a.clone()])),
            (line(300, "F0001,F0002", "Bar Azul"), Match::Number(vec![a.clone(), b.clone()])),
            (line(5, "(F2026-3)", ""), Match::Number(vec![c.clone()])),
            (line(5, "F0001 and F2026-3", ""), Match::Ambiguous),
            (line(5, "F00011 xF0001", ""), Match::Nothing),
            (line(100, "thanks", "HOTEL MIRAMAR "), Match::AmountAndName(a)),
            (line(100, "", "Somebody"), Match::Ambiguous),
            (line(200, "", "Somebody"), Match::AmountOnly(b)),
            (line(7, "", "Bar Azul"), Match::Nothing),
        ] {
            assert_eq!(find(&line, &all), found, "{line:?}");
        }
        let euros =
            Line { currency: Currency::parse("EUR").expect("a code"), ..line(100, "F0001", "Hotel Miramar") };
        assert_eq!(find(&euros, &all), Match::Nothing);
        all.crowded.push((Minor(100), Currency::USD));
        assert_eq!(find(&line(100, "thanks", "Hotel Miramar"), &all), Match::Ambiguous);
        assert_eq!(find(&line(100, "F2026-3", "Hotel Miramar"), &all), Match::Number(vec![c]));
    }

    /// XTR-05: a number that may be a quantity, a year or a day decides with the amount or the payer's name only.
    #[test]
    fn a_number_that_may_be_anything_must_be_borne_out() {
        let (a, b, c) = (
            open(1, "12", 1, "Hotel Miramar", 100),
            open(2, "20260007", 1, "Hotel Miramar", 200),
            open(3, "R7", 2, "Bar Azul", 700),
        );
        let named = open(4, "F0004", 3, "Casa Verde", 900);
        let long = open(5, "2026-000124", 4, "Finca Alta", 1100);
        let open = vec![a.clone(), b.clone(), c.clone(), named.clone(), long.clone()];
        let all = Candidates { open, crowded: Vec::new() };
        for (line, found) in [
            (line(5, "12 chairs, thanks", "Somebody"), Match::NumberOnly(vec![a.clone()])),
            (line(5, "20260007", ""), Match::NumberOnly(vec![b.clone()])),
            (line(5, "2026-000124", ""), Match::Number(vec![long.clone()])),
            (line(5, "R7", ""), Match::NumberOnly(vec![c.clone()])),
            (line(5, "12", "HOTEL MIRAMAR"), Match::Number(vec![a.clone()])),
            (line(100, "12", "Somebody"), Match::Number(vec![a.clone()])),
            (line(300, "12 and 20260007", ""), Match::Number(vec![a.clone(), b])),
            (line(5, "12 or R7", ""), Match::Ambiguous),
            (line(5, "12 chairs, F0004", ""), Match::Number(vec![named])),
            (line(700, "12 chairs", "Bar Azul"), Match::AmountAndName(c)),
            (line(700, "12 chairs", "Somebody"), Match::Ambiguous),
        ] {
            assert_eq!(find(&line, &all), found, "{line:?}");
        }
    }

    /// XTR-05: what may be paid is known before anything is, with what is open of it by now.
    #[test]
    fn what_may_be_paid_is_looked_at_again() {
        let (named, alike, other) = (
            open(1, "F0001", 1, "Hotel Miramar", 100),
            open(2, "F0002", 2, "Bar Azul", 100),
            open(3, "F0003", 3, "Casa Verde", 100),
        );
        let mut candidates = Candidates { open: vec![named, alike, other], crowded: Vec::new() };
        let lines = [line(5, "F0001", ""), line(100, "", "BAR AZUL")];

        let meant = candidates.meant(&lines.iter().collect::<Vec<_>>());
        candidates.refresh(&meant, &HashMap::from([(Uuid::from_u128(1), Minor(40))]));

        assert_eq!(meant, [Uuid::from_u128(1), Uuid::from_u128(2)]);
        let left: Vec<_> = candidates.open.iter().map(|open| (open.number.as_str(), open.open.0)).collect();
        assert_eq!(left, [("F0001", 40), ("F0003", 100)]);
    }
}
