//! The values of an export that need a decision, each with a suggestion.

use std::collections::BTreeMap;

use super::{super::export::Export, Field, country, similar, vocabulary::Vocabulary};

/// A value that cannot be taken as it is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Question {
    /// Where it stands.
    pub field: Field,
    /// What is written.
    pub value: String,
    /// Rows that have it.
    pub rows: usize,
    /// What it most likely means; none when that cannot be told.
    pub target: Option<String>,
    /// How the suggestion was found, or why there is none.
    pub how: String,
}

/// Every question an export raises, by field, most rows first.
pub fn questions(export: &Export) -> Vec<Question> {
    let vocabulary = Vocabulary::of(export);
    let mut counts: BTreeMap<(Field, &str), usize> = BTreeMap::new();
    for (field, value) in values(export) {
        if !value.is_empty() && !vocabulary.knows(field, value) {
            *counts.entry((field, value)).or_default() += 1;
        }
    }
    let mut questions: Vec<Question> = counts
        .into_iter()
        .map(|((field, value), rows)| {
            let (target, how) = suggest(&vocabulary, field, value);
            Question { field, value: value.to_owned(), rows, target, how }
        })
        .collect();
    questions.sort_by_key(|question| (question.field, usize::MAX - question.rows));
    questions
}

fn values(export: &Export) -> impl Iterator<Item = (Field, &str)> {
    let accounts = export.accounts.iter().flat_map(|row| {
        [(Field::Sector, &row.sector), (Field::Country, &row.country), (Field::Account, &row.parent)]
    });
    let opportunities = export.opportunities.iter().flat_map(|row| {
        [
            (Field::Product, &row.product),
            (Field::Account, &row.account),
            (Field::Agent, &row.agent),
            (Field::Stage, &row.stage),
        ]
    });
    accounts.chain(opportunities).map(|(field, value)| (field, value.as_str()))
}

fn suggest(vocabulary: &Vocabulary<'_>, field: Field, value: &str) -> (Option<String>, String) {
    if field == Field::Country {
        return country::suggest(value);
    }
    if let Some(near) = similar::nearest(value, vocabulary.names(field)) {
        return (Some(near.name.to_owned()), similar::how(near, &format!("the {}", field.name())));
    }
    if field == Field::Sector {
        return (Some(value.to_owned()), "a sector that is not known here; kept as it is".to_owned());
    }
    (None, format!("no {} is called nearly so", field.name()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::export::{AccountRow, OpportunityRow, ProductRow};

    fn export() -> Export {
        let account = |name: &str, sector: &str, country: &str, parent: &str| AccountRow {
            line: 2,
            name: name.into(),
            sector: sector.into(),
            founding_year: None,
            revenue: None,
            employees: None,
            country: country.into(),
            parent: parent.into(),
        };
        let opportunity = |product: &str, account: &str| OpportunityRow {
            line: 2,
            id: "1".into(),
            agent: String::new(),
            product: product.into(),
            account: account.into(),
            stage: "Won".into(),
            engage_date: None,
            close_date: None,
            close_value: None,
        };
        Export {
            accounts: vec![
                account("Alfa", "technolgy", "Philipines", ""),
                account("Beta", "technolgy", "ES", "Alpha"),
                account("Gamma", "pottery", "", ""),
            ],
            products: vec![ProductRow {
                line: 2,
                name: "Nova Pro".into(),
                series: String::new(),
                price: None,
            }],
            opportunities: vec![
                opportunity("NovaPro", "Alfa"),
                opportunity("Nova Pro", "Zzz"),
                opportunity("", ""),
            ],
            ..Export::default()
        }
    }

    #[test]
    fn dirt_is_asked_about_and_clean_or_empty_values_are_not() {
        let asked: Vec<_> = questions(&export())
            .into_iter()
            .map(|question| {
                (question.field, question.value, question.rows, question.target.unwrap_or_default())
            })
            .collect();

        let expected = [
            (Field::Product, "NovaPro", 1, "Nova Pro"),
            (Field::Account, "Alpha", 1, ""),
            (Field::Account, "Zzz", 1, ""),
            (Field::Sector, "technolgy", 2, "technology"),
            (Field::Sector, "pottery", 1, "pottery"),
            (Field::Country, "Philipines", 1, "PH"),
        ];
        let expected =
            expected.map(|(field, value, rows, target)| (field, value.to_owned(), rows, target.to_owned()));
        assert_eq!(asked, expected);
    }
}
