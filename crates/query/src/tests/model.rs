//! A second, simple implementation of filters to compare with: trees that are generated, written out and judged by hand.

use std::fmt;

use proptest::prelude::*;
use uuid::Uuid;

use crate::{
    Value,
    lexer::{Comparator, Literal, Star},
    parser::Node,
};

#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Model {
    All(Vec<Model>),
    Any(Vec<Model>),
    Not(Box<Model>),
    Term { name: String, comparator: &'static str, literal: String, star: bool },
}

/// A row with few different values, so that filters hit.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub id: Uuid,
    pub display_name: String,
    pub nickname: Option<String>,
    pub amount: Option<i64>,
    pub day: Option<u32>,
    pub sellable: Option<bool>,
}

const TEXTS: &[&str] = &[
    "",
    "a",
    "ab",
    "abc",
    "ac",
    "b",
    "A",
    "é",
    "a*",
    "*",
    "\\",
    "\"a\" 'b'",
    "a\u{d7ff}",
    "\u{10ffff}",
    "AND",
    "line\nend",
];

pub(crate) fn some_text() -> impl Strategy<Value = String> {
    prop::sample::select(TEXTS).prop_map(str::to_owned)
}

pub(crate) fn some_row() -> impl Strategy<Value = Row> {
    let small = (some_text(), prop::option::of(some_text()), prop::option::of(-2_i64..3));
    (any::<u128>(), small, prop::option::of(1_u32..4), any::<Option<bool>>()).prop_map(
        |(id, (display_name, nickname, amount), day, sellable)| Row {
            id: Uuid::from_u128(id),
            display_name,
            nickname,
            amount,
            day,
            sellable,
        },
    )
}

impl Row {
    /// What the crate asks of a row.
    pub(crate) fn value(&self, name: &str) -> Option<Value> {
        match name {
            "id" => Some(Value::Uuid(self.id)),
            "display_name" => Some(Value::Text(self.display_name.clone())),
            "nickname" => self.nickname.clone().map(Value::Text),
            "amount" => self.amount.map(Value::Integer),
            "close_date" => self.day.map(|day| Value::Date(date(day).parse().expect("a date"))),
            "sellable" => self.sellable.map(Value::Boolean),
            _ => panic!("no field {name}"),
        }
    }
}

fn date(day: u32) -> String {
    format!("2026-01-{day:02}")
}

pub(crate) fn some_term() -> impl Strategy<Value = Model> {
    let ordered = || prop::sample::select(vec!["=", "!=", "<", "<=", ">", ">=", ":"]);
    let equal = || prop::sample::select(vec!["=", "!=", ":"]);
    let term = |name: &'static str, comparator, literal, star| Model::Term {
        name: name.into(),
        comparator,
        literal,
        star,
    };
    prop_oneof![
        (prop::sample::select(vec!["display_name", "nickname"]), ordered(), some_text())
            .prop_filter("has needs a text", |(_, comparator, text)| *comparator != ":" || !text.is_empty())
            .prop_map(move |(name, comparator, text)| term(name, comparator, text, false)),
        (
            prop::sample::select(vec!["display_name", "nickname"]),
            prop::sample::select(vec!["=", "!="]),
            some_text()
        )
            .prop_map(move |(name, comparator, text)| term(name, comparator, text, true)),
        (ordered(), -2_i64..3).prop_map(move |(comparator, n)| term(
            "amount",
            comparator,
            n.to_string(),
            false
        )),
        (ordered(), 1_u32..4).prop_map(move |(comparator, day)| term(
            "close_date",
            comparator,
            date(day),
            false
        )),
        (equal(), any::<bool>()).prop_map(move |(comparator, b)| term(
            "sellable",
            comparator,
            b.to_string(),
            false
        )),
        (prop::sample::select(vec!["amount", "close_date", "sellable", "nickname", "display_name"]), equal())
            .prop_map(move |(name, comparator)| term(name, comparator, String::new(), true)),
    ]
}

pub(crate) fn some_model() -> impl Strategy<Value = Model> {
    some_term().prop_recursive(5, 40, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 2..4).prop_map(Model::All),
            prop::collection::vec(inner.clone(), 2..4).prop_map(Model::Any),
            inner.prop_map(|part| Model::Not(Box::new(part))),
        ]
    })
}

impl Model {
    /// What a reader of the documentation expects of a row.
    pub(crate) fn accepts(&self, row: &Row) -> bool {
        let (name, comparator, literal, star) = match self {
            Self::All(parts) => return parts.iter().all(|part| part.accepts(row)),
            Self::Any(parts) => return parts.iter().any(|part| part.accepts(row)),
            Self::Not(part) => return !part.accepts(row),
            Self::Term { name, comparator, literal, star } => (name.as_str(), *comparator, literal, *star),
        };
        if comparator == "!=" {
            let positive = Self::Term { name: name.into(), comparator: "=", literal: literal.clone(), star };
            return !positive.accepts(row);
        }
        let text = match name {
            "display_name" => Some(row.display_name.clone()),
            "nickname" => row.nickname.clone(),
            "close_date" => row.day.map(date),
            "sellable" => row.sellable.map(|truth| truth.to_string()),
            _ => row.amount.map(|amount| amount.to_string()),
        };
        let is_text = matches!(name, "display_name" | "nickname");
        if star && literal.is_empty() {
            return text.is_some_and(|text| !text.is_empty());
        }
        if is_text && comparator == "=" && literal.is_empty() {
            return text.is_none_or(|text| text.is_empty());
        }
        let Some(text) = text else { return false };
        if star {
            return text.starts_with(literal.as_str());
        }
        if is_text && comparator == ":" {
            return text.contains(literal.as_str());
        }
        // Dates in this form sort as texts do.
        let order = match name {
            "amount" => row.amount.cmp(&literal.parse().ok()),
            _ => text.as_bytes().cmp(literal.as_bytes()),
        };
        match comparator {
            "<" => order.is_lt(),
            "<=" => order.is_le(),
            ">" => order.is_gt(),
            ">=" => order.is_ge(),
            _ => order.is_eq(),
        }
    }
}

/// Writes the tree with as few parentheses as the grammar allows.
impl fmt::Display for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let grouped = |part: &Model, bare: bool| if bare { part.to_string() } else { format!("({part})") };
        match self {
            Self::All(parts) => {
                let parts: Vec<String> =
                    parts.iter().map(|part| grouped(part, !matches!(part, Self::All(_)))).collect();
                f.write_str(&parts.join(if parts.len() == 2 { " " } else { " AND " }))
            }
            Self::Any(parts) => {
                let bare = |part: &Model| matches!(part, Self::Not(_) | Self::Term { .. });
                let parts: Vec<String> = parts.iter().map(|part| grouped(part, bare(part))).collect();
                f.write_str(&parts.join(" OR "))
            }
            Self::Not(part) => match **part {
                Self::Term { .. } => write!(f, "NOT {part}"),
                _ => write!(f, "-({part})"),
            },
            Self::Term { name, comparator, literal, star } => {
                write!(f, "{name} {comparator} {}", quoted(literal, *star))
            }
        }
    }
}

/// A literal in quotes, with every special character escaped.
pub(crate) fn quoted(literal: &str, star: bool) -> String {
    let mut escaped = literal.replace('\\', "\\\\");
    for special in ["\"", "*"] {
        escaped = escaped.replace(special, &format!("\\{special}"));
    }
    format!("\"{escaped}{}\"", if star { "*" } else { "" })
}

/// The tree a parse gave, without positions.
pub(crate) fn as_model(node: &Node) -> Model {
    let parts = |parts: &[Node]| parts.iter().map(as_model).collect();
    let term = |name: &str, comparator, literal: &Literal| {
        assert_ne!(literal.star, Star::Elsewhere);
        Model::Term {
            name: name.into(),
            comparator,
            literal: literal.text.clone(),
            star: literal.star == Star::Last,
        }
    };
    match node {
        Node::All(nodes) => Model::All(parts(nodes)),
        Node::Any(nodes) => Model::Any(parts(nodes)),
        Node::Not(node) => Model::Not(Box::new(as_model(node))),
        Node::Bare(literal) => term("", "", literal),
        Node::Restriction { name, comparator, literal } => {
            let comparator = match comparator {
                Comparator::Equal => "=",
                Comparator::NotEqual => "!=",
                Comparator::Less => "<",
                Comparator::LessEqual => "<=",
                Comparator::Greater => ">",
                Comparator::GreaterEqual => ">=",
                Comparator::Has => ":",
            };
            term(&name.text, comparator, literal)
        }
    }
}
