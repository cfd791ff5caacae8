//! The values each field of an export may have.

use std::collections::BTreeSet;

use super::{super::export::Export, country};

/// A field whose values are names that may be misspelled.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Field {
    /// Product of an opportunity.
    Product,
    /// Account of an opportunity, or the one an account belongs to.
    Account,
    /// Agent of an opportunity.
    Agent,
    /// Stage of an opportunity.
    Stage,
    /// Sector of an account.
    Sector,
    /// Country of an account; becomes its ISO 3166-1 code.
    Country,
}

impl Field {
    /// Every field, in the order a mapping file has them.
    pub const ALL: [Self; 6] =
        [Self::Product, Self::Account, Self::Agent, Self::Stage, Self::Sector, Self::Country];

    /// Section of the mapping file.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Product => "product",
            Self::Account => "account",
            Self::Agent => "agent",
            Self::Stage => "stage",
            Self::Sector => "sector",
            Self::Country => "country",
        }
    }
}

/// Stages of an export, in the order they are walked.
pub const STAGES: [&str; 4] = ["Prospecting", "Engaging", "Won", "Lost"];

/// Sectors that need no question. A sector is free text, so this is a help against misspelling, not a limit.
const SECTORS: [&str; 41] = [
    "aerospace",
    "agriculture",
    "automotive",
    "banking",
    "biotechnology",
    "chemicals",
    "construction",
    "consulting",
    "consumer goods",
    "defence",
    "education",
    "electronics",
    "employment",
    "energy",
    "engineering",
    "entertainment",
    "fashion",
    "finance",
    "food",
    "government",
    "healthcare",
    "hospitality",
    "insurance",
    "legal",
    "logistics",
    "manufacturing",
    "marketing",
    "media",
    "medical",
    "mining",
    "pharmaceuticals",
    "real estate",
    "research",
    "retail",
    "services",
    "software",
    "technology",
    "telecommunications",
    "tourism",
    "transport",
    "utilities",
];

/// What the values of an export may be.
#[derive(Debug)]
pub struct Vocabulary<'a> {
    products: BTreeSet<&'a str>,
    accounts: BTreeSet<&'a str>,
    agents: BTreeSet<&'a str>,
}

impl<'a> Vocabulary<'a> {
    /// The names an export defines, beside the ones everybody knows.
    pub fn of(export: &'a Export) -> Self {
        Self {
            products: export.products.iter().map(|row| row.name.as_str()).collect(),
            accounts: export.accounts.iter().map(|row| row.name.as_str()).collect(),
            agents: export.agents.iter().map(|row| row.name.as_str()).collect(),
        }
    }

    /// The names of a field; none for countries, which have codes instead.
    pub fn names(&self, field: Field) -> Vec<&'a str> {
        match field {
            Field::Product => self.products.iter().copied().collect(),
            Field::Account => self.accounts.iter().copied().collect(),
            Field::Agent => self.agents.iter().copied().collect(),
            Field::Stage => STAGES.to_vec(),
            Field::Sector => SECTORS.to_vec(),
            Field::Country => Vec::new(),
        }
    }

    /// True when a value needs no question.
    pub fn knows(&self, field: Field, value: &str) -> bool {
        match field {
            Field::Product => self.products.contains(value),
            Field::Account => self.accounts.contains(value),
            Field::Agent => self.agents.contains(value),
            Field::Stage => STAGES.contains(&value),
            Field::Sector => SECTORS.contains(&value),
            Field::Country => country::is_code(value),
        }
    }

    /// Why a value may not stand on the right of a mapping; none when it may.
    pub fn refuses(&self, field: Field, target: &str) -> Option<String> {
        let required = matches!(field, Field::Agent | Field::Stage);
        match field {
            _ if target.is_empty() && required => Some("cannot be left out".to_owned()),
            _ if target.is_empty() || field == Field::Sector || self.knows(field, target) => None,
            Field::Country => Some(format!("`{target}` is not a country code of ISO 3166-1, such as US")),
            Field::Stage => Some(format!("`{target}` is not one of {}", STAGES.join(", "))),
            _ => Some(format!("the export has no {} `{target}`", field.name())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_must_be_something_the_load_can_use() {
        let export = Export::default();
        let vocabulary = Vocabulary::of(&export);

        assert_eq!(vocabulary.refuses(Field::Sector, "pottery"), None);
        assert_eq!(vocabulary.refuses(Field::Country, "ES"), None);
        assert_eq!(vocabulary.refuses(Field::Account, ""), None);
        for (field, target) in
            [(Field::Country, "Spain"), (Field::Country, "XX"), (Field::Stage, "won"), (Field::Stage, "")]
        {
            assert!(vocabulary.refuses(field, target).is_some(), "{target}");
        }
        assert_eq!(
            vocabulary.refuses(Field::Product, "Nova").as_deref(),
            Some("the export has no product `Nova`")
        );
    }
}
