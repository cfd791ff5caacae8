//! Cuts a filter into the tokens of AIP-160.
//!
//! After a comparator an unquoted word may contain `:`, `.` and `-`, so that times, dates and e-mail addresses need no
//! quotes; elsewhere these characters have a meaning of their own.

use crate::fault::{Fault, INVALID_FILTER, shown};

/// How a field is compared with a literal.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Comparator {
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    Has,
}

/// Where a literal has its wildcard; an escaped `\*` is none.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Star {
    None,
    /// At the end, and cut off the text.
    Last,
    Elsewhere,
}

/// A word or quoted text; `at` is its first byte in the filter.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Literal {
    pub(crate) text: String,
    pub(crate) star: Star,
    pub(crate) at: usize,
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    Word(Literal),
    Quoted(Literal),
    Comparator(Comparator),
    And,
    Or,
    Not,
    Minus,
    Dot,
    Comma,
    Open,
    Close,
}

/// A token and the bytes it takes up.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// Cuts `text` into tokens.
pub(crate) fn lex(text: &str) -> Result<Vec<Token>, Fault> {
    if let Some(at) = text.find('\0') {
        return Err(Fault::at(at, INVALID_FILTER, "U+0000 is not allowed"));
    }
    let mut tokens: Vec<Token> = Vec::new();
    let mut at = 0;
    while let Some(first) = text[at..].chars().next() {
        if first.is_whitespace() {
            at += first.len_utf8();
            continue;
        }
        let is_value = matches!(tokens.last(), Some(Token { kind: Kind::Comparator(_), .. }));
        let (kind, length) = match first {
            '(' => (Kind::Open, 1),
            ')' => (Kind::Close, 1),
            ',' => (Kind::Comma, 1),
            '.' if !is_value => (Kind::Dot, 1),
            '-' if !is_value => (Kind::Minus, 1),
            '"' | '\'' => quoted(text, at, first)?,
            '=' | '!' | '<' | '>' | ':' => comparator(text, at)?,
            _ => word(text, at, is_value)?,
        };
        tokens.push(Token { kind, start: at, end: at + length });
        at += length;
    }
    Ok(tokens)
}

fn comparator(text: &str, at: usize) -> Result<(Kind, usize), Fault> {
    let spellings = [
        ("!=", Comparator::NotEqual),
        ("<=", Comparator::LessEqual),
        (">=", Comparator::GreaterEqual),
        ("=", Comparator::Equal),
        ("<", Comparator::Less),
        (">", Comparator::Greater),
        (":", Comparator::Has),
    ];
    let found = spellings.into_iter().find(|(spelling, _)| text[at..].starts_with(spelling));
    let (spelling, comparator) = found.ok_or_else(|| Fault::at(at, INVALID_FILTER, "! stands only in !="))?;
    Ok((Kind::Comparator(comparator), spelling.len()))
}

fn word(text: &str, at: usize, is_value: bool) -> Result<(Kind, usize), Fault> {
    let ends = |c: char| c.is_whitespace() || "()\"',=<>!\\".contains(c) || (!is_value && ".:".contains(c));
    let rest = &text[at..];
    let length = rest.find(ends).unwrap_or(rest.len());
    if length == 0 {
        return Err(Fault::at(at, INVALID_FILTER, "a backslash stands only in quoted text"));
    }
    let word = &rest[..length];
    let kind = match word {
        "AND" => Kind::And,
        "OR" => Kind::Or,
        "NOT" => Kind::Not,
        _ => {
            let (text, star) = match word.strip_suffix('*') {
                Some(text) if !text.contains('*') => (text, Star::Last),
                None if !word.contains('*') => (word, Star::None),
                _ => (word, Star::Elsewhere),
            };
            Kind::Word(Literal { text: text.to_owned(), star, at })
        }
    };
    Ok((kind, length))
}

fn quoted(text: &str, at: usize, quote: char) -> Result<(Kind, usize), Fault> {
    let mut literal = Literal { text: String::new(), star: Star::None, at };
    let mut characters = text[at..].char_indices().skip(1);
    while let Some((offset, c)) = characters.next() {
        if c == quote {
            return Ok((Kind::Quoted(literal), offset + 1));
        }
        // Any character after a star puts it in the middle.
        if literal.star == Star::Last {
            literal.star = Star::Elsewhere;
        }
        match c {
            '*' if literal.star == Star::None => literal.star = Star::Last,
            '\\' => literal.text.push(match characters.next() {
                Some((_, escaped @ ('"' | '\'' | '\\' | '*'))) => escaped,
                Some((_, 'n')) => '\n',
                Some((_, 'r')) => '\r',
                Some((_, 't')) => '\t',
                Some((_, other)) => {
                    let message = format!("\\ does not escape {}", shown(&other.to_string()));
                    return Err(Fault::at(at + offset, INVALID_FILTER, message));
                }
                None => break,
            }),
            _ => literal.text.push(c),
        }
    }
    Err(Fault::at(at, INVALID_FILTER, "the quoted text does not end"))
}
