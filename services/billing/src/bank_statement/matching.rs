//! What a line of a statement pays, and how that is known. Pure.
//!
//! A number in what the payer wrote is certain enough; so is the amount together with the name of the payer. An amount alone is
//! not: it is only proposed.

use std::collections::BTreeSet;

use trato_types::{Currency, Minor};
use uuid::Uuid;

use super::model::Line;

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

/// What is known of a line.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Match {
    /// The numbers of these invoices, of one account, stand in the reference.
    Number(Vec<Open>),
    /// One invoice has this amount open, of an account of the payer's name.
    AmountAndName(Open),
    /// One invoice has this amount open; somebody must say whether it is meant.
    AmountOnly(Open),
    /// Invoices of several accounts are named.
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
pub fn find(line: &Line, candidates: &[Open]) -> Match {
    let of_currency: Vec<&Open> = candidates.iter().filter(|open| open.currency == line.currency).collect();
    let words = words(&line.reference);
    let named: Vec<&Open> = of_currency.iter().filter(|open| words.contains(&open.number)).copied().collect();
    let accounts: BTreeSet<Uuid> = named.iter().map(|open| open.account).collect();
    match accounts.len() {
        0 => {}
        1 => return Match::Number(named.into_iter().cloned().collect()),
        _ => return Match::Ambiguous,
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
        let all = [a.clone(), b.clone(), c.clone()];
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
    }
}
