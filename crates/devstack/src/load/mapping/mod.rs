//! What is done with values of an export that cannot be taken as they are: decided by a person, in a file.
//!
//! The program only suggests. Nothing is changed that does not stand in the mapping, and a value it does not cover stops
//! the load.

mod country;
mod question;
mod similar;
mod vocabulary;

use std::{collections::BTreeMap, fmt::Write as _, fs, io, path::Path};

use anyhow::{Context as _, Result, bail};

pub use question::{Question, questions};
pub use vocabulary::Field;

use vocabulary::Vocabulary;

use super::export::Export;

/// Stands where a person has still to decide.
const UNDECIDED: &str = "?";

/// Values of an export and what they become, by field.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Mapping(BTreeMap<Field, BTreeMap<String, String>>);

impl Mapping {
    /// Takes every suggestion as it is.
    pub fn suggested(questions: &[Question]) -> Self {
        let mut mapping = Self::default();
        for question in questions {
            let target = question.target.clone().unwrap_or_else(|| UNDECIDED.to_owned());
            mapping.0.entry(question.field).or_default().insert(question.value.clone(), target);
        }
        mapping
    }

    /// Reads a mapping file; none when there is no such file.
    pub fn read(path: &Path) -> Result<Option<Self>> {
        let context = || format!("cannot read {}", path.display());
        match fs::read_to_string(path) {
            Ok(text) => Self::parse(&text).with_context(context).map(Some),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(context),
        }
    }

    fn parse(text: &str) -> Result<Self> {
        let sections: BTreeMap<String, BTreeMap<String, String>> = toml::from_str(text)?;
        let mut mapping = Self::default();
        for (name, targets) in sections {
            let Some(field) = Field::ALL.into_iter().find(|field| field.name() == name) else {
                let known = Field::ALL.map(Field::name).join(", ");
                bail!("there is no section [{name}]; there are {known}");
            };
            mapping.0.insert(field, targets);
        }
        Ok(mapping)
    }

    /// Writes the suggestions as a mapping file, with how each was found.
    pub fn write(path: &Path, questions: &[Question]) -> Result<()> {
        fs::write(path, Self::text(questions)).with_context(|| format!("cannot write {}", path.display()))
    }

    fn text(questions: &[Question]) -> String {
        let mut text = String::from(HEAD);
        for field in Field::ALL {
            let mut asked = questions.iter().filter(|question| question.field == field).peekable();
            if asked.peek().is_some() {
                let _ = writeln!(text, "\n[{}]", field.name());
            }
            for question in asked {
                let _ = writeln!(text, "{}", line(question));
            }
        }
        text
    }

    /// What a value becomes: itself where the mapping does not name it, none where it is left out.
    pub fn apply<'a>(&'a self, field: Field, value: &'a str) -> Option<&'a str> {
        let target = self.0.get(&field).and_then(|targets| targets.get(value));
        Some(target.map_or(value, String::as_str)).filter(|value| !value.is_empty())
    }

    /// Questions that it leaves open.
    pub fn open<'a>(&self, questions: &'a [Question]) -> Vec<&'a Question> {
        let is_open = |question: &&Question| {
            let target = self.0.get(&question.field).and_then(|targets| targets.get(&question.value));
            target.is_none_or(|target| target == UNDECIDED)
        };
        questions.iter().filter(is_open).collect()
    }

    /// Targets that the export or the contract cannot have, each in a sentence.
    pub fn faults(&self, export: &Export) -> Vec<String> {
        let vocabulary = Vocabulary::of(export);
        let mut faults = Vec::new();
        for (field, targets) in &self.0 {
            let wrong = targets.iter().filter(|(_, target)| *target != UNDECIDED);
            let wrong =
                wrong.filter_map(|(value, target)| Some((value, vocabulary.refuses(*field, target)?)));
            faults.extend(wrong.map(|(value, reason)| format!("[{}] \"{value}\": {reason}", field.name())));
        }
        faults
    }
}

/// The line of a question in a mapping file.
pub fn line(question: &Question) -> String {
    let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
    let target = question.target.as_deref().unwrap_or(UNDECIDED);
    format!("{} = {} # {}; {}", quoted(&question.value), quoted(target), rows(question), question.how)
}

fn rows(question: &Question) -> String {
    if question.rows == 1 { "1 row".to_owned() } else { format!("{} rows", question.rows) }
}

/// The questions with their suggestions, for a terminal.
pub fn table(questions: &[Question]) -> String {
    let width =
        |cell: fn(&Question) -> &str| questions.iter().map(|it| cell(it).chars().count()).max().unwrap_or(0);
    let target: fn(&Question) -> &str = |question| question.target.as_deref().unwrap_or(UNDECIDED);
    let (values, targets) = (width(|question| &question.value), width(target));
    let mut text = String::new();
    for question in questions {
        let Question { field, value, how, .. } = question;
        let (field, target, rows) = (field.name(), target(question), rows(question));
        let _ = writeln!(text, "  {field:<8} {value:<values$} -> {target:<targets$} {rows:>11}  {how}");
    }
    text
}

const HEAD: &str = "\
# What `cargo dev load` does with values of the export that it cannot take as they are: what is written = what it means.
# Change what stands on the right as you see fit and run the load again; this file is then used as it is.
# \"\" leaves the value out. \"?\" is yours to decide. Delete the file to get suggestions afresh.
";

#[cfg(test)]
mod tests {
    use super::*;

    fn question(field: Field, value: &str, target: Option<&str>) -> Question {
        Question {
            field,
            value: value.into(),
            rows: 2,
            target: target.map(Into::into),
            how: "by sight".into(),
        }
    }

    #[test]
    fn a_written_file_is_read_as_what_was_suggested() {
        let questions = [
            question(Field::Product, "Nova\"Pro", Some("Nova Pro")),
            question(Field::Country, "Philipines", Some("PH")),
            question(Field::Account, "Nobody", None),
        ];

        let mapping = Mapping::parse(&Mapping::text(&questions)).expect("a mapping");

        assert_eq!(mapping, Mapping::suggested(&questions));
        assert_eq!(mapping.apply(Field::Product, "Nova\"Pro"), Some("Nova Pro"));
        assert_eq!(mapping.apply(Field::Product, "Nova Max"), Some("Nova Max"));
        assert_eq!(mapping.open(&questions), [&questions[2]]);
    }

    #[test]
    fn an_empty_target_leaves_the_value_out_and_a_missing_one_is_open() {
        let questions = [question(Field::Sector, "misc", Some("misc")), question(Field::Sector, "odd", None)];

        let mapping = Mapping::parse("[sector]\nmisc = \"\"").expect("a mapping");

        assert_eq!(mapping.apply(Field::Sector, "misc"), None);
        assert_eq!(mapping.open(&questions), [&questions[1]]);
    }

    #[test]
    fn what_is_no_mapping_is_refused_by_name() {
        let error = Mapping::parse("[colour]\nred = \"rot\"").expect_err("no such section");

        assert!(
            error.to_string().starts_with("there is no section [colour]; there are product, account"),
            "{error}"
        );
        assert!(Mapping::parse("[sector]\nmisc = 5").is_err());
    }
}
