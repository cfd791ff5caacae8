//! Prints a condition as SQL: the only place where text of a statement is put together.
//!
//! Identifiers come from declared fields, everything else is one of the words below; values are bound. Every operator
//! but `strpos` is leakproof, so that row-level security does not cost it its index (PostgreSQL, "Rules and Privileges").

use crate::{
    field::Field,
    order::SortKey,
    predicate::{Predicate, Relation, Test},
    value::Value,
};

/// A piece of SQL and the values of its placeholders, in their order.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Fragment {
    /// A boolean expression, in parentheses where it needs them.
    pub sql: String,
    /// The values of `$first`, `$first + 1`, …
    pub values: Vec<Value>,
}

/// Prints `predicate` over the table called `alias`.
pub(crate) fn print(predicate: &Predicate, alias: &'static str, first: usize) -> Fragment {
    let mut printer = Printer { alias, next: first, values: Vec::new() };
    let sql = printer.predicate(predicate, false);
    Fragment { sql, values: printer.values }
}

/// Prints the list after `order by`. Nulls come last in either direction; in the first `settled` keys there is nothing to
/// tell them from.
pub(crate) fn print_order(keys: &[SortKey], alias: &'static str, settled: usize) -> String {
    let key = |(at, key): (usize, &SortKey)| {
        let direction = if key.is_descending() { " desc" } else { "" };
        // Ascending has nulls last of itself; saying so without need would spoil the match with an index.
        let may_mix = at >= settled && key.field().is_nullable();
        let nulls = if key.is_descending() && may_mix { " nulls last" } else { "" };
        format!("{}{direction}{nulls}", ordered(key.field(), alias))
    };
    keys.iter().enumerate().map(key).collect::<Vec<_>>().join(", ")
}

fn column(field: &Field, alias: &'static str) -> String {
    let dot = if alias.is_empty() { "" } else { "." };
    format!("{alias}{dot}{}", field.column_name())
}

/// The column as it is sorted: text by bytes, whatever the database's own collation is.
fn ordered(field: &Field, alias: &'static str) -> String {
    let collation = if field.kind().is_text() { " collate \"C\"" } else { "" };
    format!("{}{collation}", column(field, alias))
}

struct Printer {
    alias: &'static str,
    next: usize,
    values: Vec<Value>,
}

impl Printer {
    fn bind(&mut self, value: &Value) -> String {
        self.values.push(value.clone());
        self.next += 1;
        format!("${}", self.next - 1)
    }

    /// Negations are carried down to the tests, where null can be given its meaning.
    fn predicate(&mut self, predicate: &Predicate, negated: bool) -> String {
        match predicate {
            Predicate::All(parts) => self.joined(parts, negated, !negated),
            Predicate::Any(parts) => self.joined(parts, negated, negated),
            Predicate::Not(part) => self.predicate(part, !negated),
            Predicate::Test(field, test) => self.test(field, test, negated),
            Predicate::Beyond { bounds, descending } => self.beyond(bounds, *descending, negated),
        }
    }

    fn joined(&mut self, parts: &[Predicate], negated: bool, all: bool) -> String {
        let printed: Vec<String> = parts.iter().map(|part| self.predicate(part, negated)).collect();
        match printed.as_slice() {
            [] => truth(all),
            [only] => only.clone(),
            several => format!("({})", several.join(if all { " and " } else { " or " })),
        }
    }

    fn test(&mut self, field: &Field, test: &Test, negated: bool) -> String {
        let nullable = field.is_nullable();
        match test {
            Test::Known if !nullable => truth(!negated),
            Test::Known => {
                format!("{} is {}null", column(field, self.alias), if negated { "" } else { "not " })
            }
            Test::Is(Relation::Equal, value) => {
                let operator = match (negated, nullable) {
                    (false, _) => "=",
                    (true, false) => "<>",
                    (true, true) => "is distinct from",
                };
                format!("{} {operator} {}", column(field, self.alias), self.bind(value))
            }
            Test::Is(relation, value) => {
                let operator = if negated { relation.opposite() } else { relation.operator() };
                let compared = format!("{} {operator} {}", ordered(field, self.alias), self.bind(value));
                self.or_null(compared, field, negated)
            }
            Test::Contains(part) => {
                let operator = if negated { "=" } else { ">" };
                let part = self.bind(&Value::Text(part.clone()));
                let found = format!("strpos({}, {part}) {operator} 0", column(field, self.alias));
                self.or_null(found, field, negated)
            }
        }
    }

    /// The negation of a test is met by null as well.
    fn or_null(&self, compared: String, field: &Field, negated: bool) -> String {
        if negated && field.is_nullable() {
            format!("({compared} or {} is null)", column(field, self.alias))
        } else {
            compared
        }
    }

    /// A comparison of rows: one index range, however many columns it has.
    fn beyond(&mut self, bounds: &[(&'static Field, Value)], descending: bool, negated: bool) -> String {
        let relation = if descending { Relation::Less } else { Relation::Greater };
        let operator = if negated { relation.opposite() } else { relation.operator() };
        let columns: Vec<String> = bounds.iter().map(|(field, _)| ordered(field, self.alias)).collect();
        let values: Vec<String> = bounds.iter().map(|(_, value)| self.bind(value)).collect();
        match (columns.as_slice(), values.as_slice()) {
            ([column], [value]) => format!("{column} {operator} {value}"),
            _ => format!("({}) {operator} ({})", columns.join(", "), values.join(", ")),
        }
    }
}

impl Relation {
    fn operator(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::Less => "<",
            Self::LessEqual => "<=",
            Self::Greater => ">",
            Self::GreaterEqual => ">=",
        }
    }

    fn opposite(self) -> &'static str {
        match self {
            Self::Equal => "<>",
            Self::Less => ">=",
            Self::LessEqual => ">",
            Self::Greater => "<=",
            Self::GreaterEqual => "<",
        }
    }
}

fn truth(value: bool) -> String {
    if value { "true" } else { "false" }.to_owned()
}
