//! Gives the names and literals of a filter their meaning by the declared fields.

use crate::{
    fault::{Fault, INVALID_FILTER, UNKNOWN_FIELD, WRONG_TYPE, shown},
    field::{self, Field, Type},
    lexer::{Comparator, Literal, Star},
    parser::Node,
    predicate::{Predicate, Relation, Test},
    value::Value,
};

/// Resolves a tree. Every term that has no meaning is noted; what is returned then is not used.
pub(crate) fn check(node: Node, fields: &[&'static [Field]], faults: &mut Vec<Fault>) -> Predicate {
    let resolved = match node {
        Node::All(parts) => {
            Ok(Predicate::All(parts.into_iter().map(|part| check(part, fields, faults)).collect()))
        }
        Node::Any(parts) => {
            Ok(Predicate::Any(parts.into_iter().map(|part| check(part, fields, faults)).collect()))
        }
        Node::Not(part) => Ok(check(*part, fields, faults).negated()),
        Node::Restriction { name, comparator, literal } => restriction(&name, comparator, &literal, fields),
        Node::Bare(literal) => search(&literal, fields),
    };
    resolved.unwrap_or_else(|fault| {
        faults.push(fault);
        Predicate::always()
    })
}

fn restriction(
    name: &Literal,
    comparator: Comparator,
    literal: &Literal,
    fields: &[&'static [Field]],
) -> Result<Predicate, Fault> {
    let field = field::find(fields, &name.text).ok_or_else(|| {
        let known = field::names(fields, |_| true);
        Fault::at(
            name.at,
            UNKNOWN_FIELD,
            format!("there is no field {}; the fields are {known}", shown(&name.text)),
        )
    })?;
    let wrong = |message: &str| Fault::at(literal.at, WRONG_TYPE, format!("{} {message}", field.name()));
    let kind = field.kind();

    let asks_equality = matches!(comparator, Comparator::Equal | Comparator::NotEqual | Comparator::Has);
    if !asks_equality && !kind.is_ordered() {
        return Err(wrong("has no order; it takes =, != and :"));
    }
    if literal.star == Star::Elsewhere {
        return Err(wrong("takes a wildcard only at the end; \\* in quotes is the character itself"));
    }
    let is_starred = literal.star == Star::Last;
    let meant = if is_starred && literal.text.is_empty() && asks_equality {
        present(field)
    } else if is_starred {
        if kind != Type::Text || comparator == Comparator::Has || !asks_equality {
            return Err(wrong("takes a wildcard only if it is text, with = or !="));
        }
        prefixed(field, &literal.text)
    } else if literal.text.is_empty() && is_absent_when_empty(kind) && asks_equality {
        if comparator == Comparator::Has {
            return Err(wrong("needs a text to look for"));
        }
        present(field).negated()
    } else if kind == Type::Text && comparator == Comparator::Has {
        Predicate::Test(field, Test::Contains(literal.text.clone()))
    } else {
        let value = kind.read(&literal.text).map_err(|message| wrong(&message))?;
        Predicate::is(field, relation(comparator), value)
    };
    Ok(if comparator == Comparator::NotEqual { meant.negated() } else { meant })
}

/// `!=` is the negation of `=`, and `:` asks for equality where there is nothing inside to look for.
fn relation(comparator: Comparator) -> Relation {
    match comparator {
        Comparator::Less => Relation::Less,
        Comparator::LessEqual => Relation::LessEqual,
        Comparator::Greater => Relation::Greater,
        Comparator::GreaterEqual => Relation::GreaterEqual,
        Comparator::Equal | Comparator::NotEqual | Comparator::Has => Relation::Equal,
    }
}

/// On the wire an absent text, choice or reference is the empty string, so comparing with it asks for absence.
fn is_absent_when_empty(kind: Type) -> bool {
    kind.is_text() || matches!(kind, Type::Reference(_))
}

/// `field:*`. An empty text is as absent as null, since the wire cannot tell them apart.
fn present(field: &'static Field) -> Predicate {
    if field.kind().is_text() {
        Predicate::is(field, Relation::Greater, Value::Text(String::new()))
    } else {
        Predicate::Test(field, Test::Known)
    }
}

/// `field = "abc*"`, as the range from `abc` to `abd`: unlike `like`, comparisons keep their index under row security.
fn prefixed(field: &'static Field, prefix: &str) -> Predicate {
    let mut range = vec![Predicate::is(field, Relation::GreaterEqual, Value::Text(prefix.to_owned()))];
    if let Some(end) = after_prefix(prefix) {
        range.push(Predicate::is(field, Relation::Less, Value::Text(end)));
    }
    Predicate::All(range)
}

/// The least text greater than all that begin with `prefix`; none when only the highest characters stand in it.
fn after_prefix(prefix: &str) -> Option<String> {
    let mut end = prefix.to_owned();
    while let Some(last) = end.pop() {
        // The range steps over the surrogates, which are no characters.
        if let Some(next) = (last..=char::MAX).nth(1) {
            end.push(next);
            return Some(end);
        }
    }
    None
}

/// A bare literal looks into every searchable field.
fn search(literal: &Literal, fields: &[&'static [Field]]) -> Result<Predicate, Fault> {
    let fault = |message: String| Err(Fault::at(literal.at, INVALID_FILTER, message));
    let searched: Vec<Predicate> = fields
        .iter()
        .flat_map(|set| set.iter())
        .filter(|field| field.is_searchable())
        .map(|field| Predicate::Test(field, Test::Contains(literal.text.clone())))
        .collect();
    let is_keyword = ["and", "or", "not"].iter().any(|keyword| literal.text.eq_ignore_ascii_case(keyword));
    if is_keyword {
        return fault(format!("{} is written in capitals, or in a comparison", shown(&literal.text)));
    }
    if searched.is_empty() {
        return fault(format!(
            "{} stands alone; write a comparison such as field = \"value\"",
            shown(&literal.text)
        ));
    }
    if literal.star != Star::None || literal.text.is_empty() {
        return fault("a text to look for has characters, and no wildcard".to_owned());
    }
    Ok(Predicate::Any(searched))
}
