//! Options: what can be chosen of a product, and which choices go together. One pure function says it, so that a quote, an
//! order and a portal are answered alike.

use std::{
    collections::{HashMap, HashSet},
    fmt,
};

use serde::{Deserialize, Serialize};
use trato_pricing::PricingError;
use trato_types::{Currency, Minor, Result, Violations, error::FieldError};

use super::attributes::is_key;

/// What can be chosen of a product: at most 50 groups of at most 200 options in all.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(transparent)]
pub struct OptionGroups(Vec<OptionGroup>);

/// Options of which some are chosen.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct OptionGroup {
    /// Key within the product.
    pub key: String,
    /// Name people use.
    pub display_name: String,
    /// Fewest that are chosen of it in all, 0 or more.
    pub min_count: i32,
    /// Most that are chosen of it in all; without limit when it is 0.
    pub max_count: i32,
    /// The options, one at least.
    pub options: Vec<Choosable>,
}

/// Something that can be chosen.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Choosable {
    /// Key within the product.
    pub key: String,
    /// Name people use.
    pub display_name: String,
    /// How often it can be chosen, 1 to 1,000.
    pub max_count: i32,
    /// Options that must be chosen with it.
    pub requires: Vec<String>,
    /// Options that cannot be chosen with it.
    pub excludes: Vec<String>,
    /// What choosing it once puts on the price of one product, or takes off: one amount for each currency.
    pub surcharges: Vec<(Minor, Currency)>,
}

/// Why something is no option.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum OptionError {
    /// The key has another form.
    #[error("must be 1 to 40 lower-case letters, digits or -")]
    Key,
    /// Too few, too many, or more at least than at most.
    #[error("must be at most 1000, and the most no less than the fewest")]
    Count,
    /// Two amounts of one currency.
    #[error("is of a currency that another amount has")]
    CurrencyTwice,
}

impl FieldError for OptionError {
    fn reason(&self) -> &'static str {
        match self {
            Self::Key => "INVALID_OPTION_KEY",
            Self::Count => "OUT_OF_RANGE",
            Self::CurrencyTwice => "DUPLICATE",
        }
    }
}

/// An option that is chosen so many times for each product.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Choice {
    /// Key of the option.
    pub option: String,
    /// How many times.
    pub count: i32,
}

/// An option that was chosen, as people call it.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Chosen {
    /// Its name.
    pub display_name: String,
    /// How many times.
    pub count: i32,
}

/// As documents say it: `Lamp`, or `Lamp × 3`.
impl fmt::Display for Chosen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.display_name)?;
        if self.count == 1 { Ok(()) } else { write!(f, " × {}", self.count) }
    }
}

/// Something that is wrong with choices.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Issue {
    /// Which choice; none where what is wrong is that one is missing.
    pub choice: Option<usize>,
    /// Key of the option, or of the group that has too few or too many.
    pub key: String,
    /// What is wrong.
    pub error: ChoiceError,
}

/// Why choices do not go together.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ChoiceError {
    /// The product has no such option.
    #[error("is no option of the product")]
    Unknown,
    /// The same option in two choices.
    #[error("is chosen in two places")]
    Twice,
    /// Chosen too often, or not at all.
    #[error("must be chosen 1 to {most} times")]
    Count {
        /// How often it can be.
        most: i32,
    },
    /// What it needs is not chosen.
    #[error("requires {0}, which is not chosen")]
    Requires(String),
    /// What cannot be with it is chosen.
    #[error("excludes {0}, which is chosen")]
    Excludes(String),
    /// The group has too few.
    #[error("needs at least {least} choices and has {count}")]
    TooFew {
        /// How many it needs.
        least: i32,
        /// How many it has.
        count: i32,
    },
    /// The group has too many.
    #[error("takes at most {most} choices and has {count}")]
    TooMany {
        /// How many it takes.
        most: i32,
        /// How many it has.
        count: i32,
    },
}

impl FieldError for ChoiceError {
    fn reason(&self) -> &'static str {
        match self {
            Self::Unknown => "OPTION_UNKNOWN",
            Self::Twice => "OPTION_TWICE",
            Self::Count { .. } => "OPTION_COUNT",
            Self::Requires(_) => "OPTION_REQUIRES",
            Self::Excludes(_) => "OPTION_EXCLUDES",
            Self::TooFew { .. } => "GROUP_TOO_FEW",
            Self::TooMany { .. } => "GROUP_TOO_MANY",
        }
    }
}

/// Why choices have no price in a currency.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SurchargeError {
    /// The option has prices, but none in the currency.
    #[error("{0} has no price in the currency")]
    Missing(String),
    /// Chosen so often, it costs more than 2^63 minor units.
    #[error("{0} costs too much when it is chosen so often")]
    TooLarge(String),
}

impl FieldError for SurchargeError {
    fn reason(&self) -> &'static str {
        match self {
            Self::Missing(_) => "OPTION_PRICE_MISSING",
            Self::TooLarge(_) => PricingError::TooLarge.reason(),
        }
    }
}

impl OptionGroups {
    /// Most groups.
    pub const MAX_GROUPS: usize = 50;
    /// Most options of all groups.
    pub const MAX_OPTIONS: usize = 200;
    /// Most times an option or a group is chosen.
    pub const MAX_COUNT: i32 = 1_000;
    /// Most things that are said to be wrong with choices.
    pub const MAX_ISSUES: usize = 100;

    /// Takes groups that are valid one by one; INVALID_ARGUMENT when keys stand twice, or name no other option.
    pub fn new(groups: Vec<OptionGroup>) -> Result<Self> {
        let mut violations = Violations::new();
        let mut keys = HashSet::new();
        let options: HashSet<&str> =
            groups.iter().flat_map(|group| &group.options).map(|option| option.key.as_str()).collect();
        for (at, group) in groups.iter().enumerate() {
            let path = format!("option_groups[{at}]");
            if !keys.insert(group.key.as_str()) {
                violations.add(
                    format!("{path}.key"),
                    "DUPLICATE_OPTION",
                    "another group or option has this key",
                );
            }
            for (at, option) in group.options.iter().enumerate() {
                let path = format!("{path}.options[{at}]");
                if !keys.insert(option.key.as_str()) {
                    let message = "another group or option has this key";
                    violations.add(format!("{path}.key"), "DUPLICATE_OPTION", message);
                }
                for (field, named) in [("requires", &option.requires), ("excludes", &option.excludes)] {
                    let is_other = |key: &String| *key != option.key && options.contains(key.as_str());
                    for (at, _) in named.iter().enumerate().filter(|(_, key)| !is_other(key)) {
                        let message = "must be the key of another option";
                        violations.add(format!("{path}.{field}[{at}]"), "OPTION_UNKNOWN", message);
                    }
                }
            }
        }
        if options.len() > Self::MAX_OPTIONS {
            let message = format!("must have at most {} options", Self::MAX_OPTIONS);
            violations.add("option_groups", "TOO_MANY", message);
        }
        violations.into_result(Some(()))?;
        Ok(Self(groups))
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = &OptionGroup> {
        self.0.iter()
    }

    /// What is wrong with choices, in their order; what is wrong with groups comes last. At most `MAX_ISSUES` are named.
    /// The order of choices changes nothing else.
    pub fn issues(&self, choices: &[Choice]) -> Vec<Issue> {
        let chosen: HashSet<&str> = choices.iter().map(|choice| choice.option.as_str()).collect();
        let options = self.by_key();
        let exclusions = Exclusions::among(choices, &options);
        let mut issues = Vec::new();
        let mut seen = HashSet::new();
        for (at, choice) in choices.iter().enumerate() {
            if issues.len() >= Self::MAX_ISSUES {
                break;
            }
            let mut note = |error| issues.push(Issue { choice: Some(at), key: choice.option.clone(), error });
            let Some(option) = options.get(choice.option.as_str()) else {
                note(ChoiceError::Unknown);
                continue;
            };
            if !seen.insert(choice.option.as_str()) {
                note(ChoiceError::Twice);
            }
            if !(1..=option.max_count).contains(&choice.count) {
                note(ChoiceError::Count { most: option.max_count });
            }
            for missing in option.requires.iter().filter(|key| !chosen.contains(key.as_str())) {
                note(ChoiceError::Requires(missing.clone()));
            }
            // An exclusion holds in both directions, whichever of the two says it.
            for other in exclusions.of(&option.key) {
                note(ChoiceError::Excludes(other.to_owned()));
            }
        }
        // The last of twins counts for its group.
        let counts: HashMap<&str, i32> =
            choices.iter().map(|choice| (choice.option.as_str(), choice.count.max(0))).collect();
        issues.extend(self.0.iter().filter_map(|group| group.issue(&counts)));
        issues.truncate(Self::MAX_ISSUES);
        issues
    }

    /// What valid choices put on the price of one product in a currency, option by option.
    pub fn surcharges(
        &self,
        choices: &[Choice],
        currency: Currency,
    ) -> Result<Vec<(&str, Minor)>, SurchargeError> {
        let options = self.by_key();
        let mut surcharges = Vec::new();
        for choice in choices {
            let Some(option) = options.get(choice.option.as_str()).filter(|one| !one.surcharges.is_empty())
            else {
                continue;
            };
            let each = option.surcharges.iter().find(|(_, known)| *known == currency);
            let (each, _) = each.ok_or_else(|| SurchargeError::Missing(option.key.clone()))?;
            let all = each.0.checked_mul(choice.count.into());
            let all = all.ok_or_else(|| SurchargeError::TooLarge(option.key.clone()))?;
            surcharges.push((option.display_name.as_str(), Minor(all)));
        }
        Ok(surcharges)
    }

    /// What choices are called, in their order; those that are none of the options are left out.
    pub fn named(&self, choices: &[Choice]) -> Vec<Chosen> {
        let options = self.by_key();
        let named = choices.iter().filter_map(|choice| {
            let option = options.get(choice.option.as_str())?;
            Some(Chosen { display_name: option.display_name.clone(), count: choice.count })
        });
        named.collect()
    }

    fn by_key(&self) -> HashMap<&str, &Choosable> {
        self.0.iter().flat_map(|group| &group.options).map(|option| (option.key.as_str(), option)).collect()
    }
}

impl OptionGroup {
    fn issue(&self, counts: &HashMap<&str, i32>) -> Option<Issue> {
        let of_group = self.options.iter().filter_map(|option| counts.get(option.key.as_str()));
        let count = of_group.fold(0_i32, |sum, count| sum.saturating_add(*count));
        let error = if count < self.min_count {
            ChoiceError::TooFew { least: self.min_count, count }
        } else if self.max_count > 0 && count > self.max_count {
            ChoiceError::TooMany { most: self.max_count, count }
        } else {
            return None;
        };
        Some(Issue { choice: None, key: self.key.clone(), error })
    }
}

/// Takes the key of a group or an option.
pub fn option_key(key: &str) -> Result<String, OptionError> {
    if is_key(key) { Ok(key.to_owned()) } else { Err(OptionError::Key) }
}

/// Which of the chosen options cannot be with one another.
struct Exclusions<'a> {
    /// The options that are chosen, each once, in the order of the choices, with those that each says it cannot be with.
    chosen: Vec<(&'a str, HashSet<&'a str>)>,
    place: HashMap<&'a str, usize>,
}

impl<'a> Exclusions<'a> {
    fn among(choices: &[Choice], options: &HashMap<&'a str, &'a Choosable>) -> Self {
        let (mut chosen, mut place) = (Vec::new(), HashMap::new());
        for option in choices.iter().filter_map(|choice| options.get(choice.option.as_str())) {
            place.entry(option.key.as_str()).or_insert_with(|| {
                chosen.push((option.key.as_str(), option.excludes.iter().map(String::as_str).collect()));
                chosen.len() - 1
            });
        }
        Self { chosen, place }
    }

    /// Those that cannot be with `option`, in the order of the choices.
    fn of(&self, option: &str) -> impl Iterator<Item = &'a str> {
        let own = self.place.get(option).and_then(|at| self.chosen.get(*at)).map(|(_, excludes)| excludes);
        let excluded = move |(other, excludes): &&(&'a str, HashSet<&'a str>)| {
            own.is_some_and(|own| own.contains(other)) || excludes.contains(option)
        };
        self.chosen.iter().filter(excluded).map(|(other, _)| *other)
    }
}
