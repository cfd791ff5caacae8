//! Builds the tree of a filter by the grammar of AIP-160, in which OR binds tighter than AND.
//!
//! Recursion goes as deep as the parentheses, which are bounded, so no text can exhaust the stack.

use crate::{
    fault::{FILTER_TOO_COMPLEX, Fault, INVALID_FILTER, shown},
    filter::{MAX_FILTER_DEPTH, MAX_FILTER_TERMS},
    lexer::{Comparator, Kind, Literal, Star, Token, lex},
};

/// A filter as it was written; names and types are not looked at yet.
#[derive(Debug)]
pub(crate) enum Node {
    All(Vec<Node>),
    Any(Vec<Node>),
    Not(Box<Node>),
    /// A field, which may be dotted, compared with a literal.
    Restriction {
        name: Literal,
        comparator: Comparator,
        literal: Literal,
    },
    /// A literal without a field.
    Bare(Literal),
}

/// Parses a filter; `None` when there is nothing in it.
pub(crate) fn parse(text: &str) -> Result<Option<Node>, Fault> {
    let mut parser = Parser { tokens: lex(text)?, at: 0, terms: 0, end: text.len() };
    if parser.tokens.is_empty() {
        return Ok(None);
    }
    let node = parser.expression(0)?;
    match parser.peek() {
        // An expression ends only at the end or at a parenthesis that nothing opened.
        Some(_) => Err(parser.fault("the closing parenthesis was never opened")),
        None => Ok(Some(node)),
    }
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    terms: usize,
    end: usize,
}

impl Parser {
    fn peek(&self) -> Option<&Kind> {
        self.tokens.get(self.at).map(|token| &token.kind)
    }

    /// True when the token in hand follows the one before without white space.
    fn is_adjacent(&self) -> bool {
        self.at > 0
            && self.tokens.get(self.at).is_some_and(|token| token.start == self.tokens[self.at - 1].end)
    }

    fn next_if(&mut self, kind: &Kind) -> bool {
        let found = self.peek() == Some(kind);
        self.at += usize::from(found);
        found
    }

    /// A fault at the token in hand.
    fn fault(&self, message: impl Into<String>) -> Fault {
        let at = self.tokens.get(self.at).map_or(self.end, |token| token.start);
        Fault::at(at, INVALID_FILTER, message)
    }

    /// Factors joined by AND, or by the white space of a sequence, which means the same here.
    fn expression(&mut self, depth: usize) -> Result<Node, Fault> {
        let mut factors = vec![self.factor(depth)?];
        while !matches!(self.peek(), None | Some(Kind::Close)) {
            if !self.next_if(&Kind::And) && self.is_adjacent() {
                return Err(self.fault("white space, AND or OR is expected"));
            }
            factors.push(self.factor(depth)?);
        }
        Ok(joined(factors, Node::All))
    }

    fn factor(&mut self, depth: usize) -> Result<Node, Fault> {
        let mut terms = vec![self.term(depth)?];
        while self.next_if(&Kind::Or) {
            terms.push(self.term(depth)?);
        }
        Ok(joined(terms, Node::Any))
    }

    fn term(&mut self, depth: usize) -> Result<Node, Fault> {
        if self.next_if(&Kind::Not) || self.next_if(&Kind::Minus) {
            return Ok(Node::Not(Box::new(self.simple(depth)?)));
        }
        self.simple(depth)
    }

    fn simple(&mut self, depth: usize) -> Result<Node, Fault> {
        if !self.next_if(&Kind::Open) {
            return self.restriction();
        }
        if depth >= MAX_FILTER_DEPTH {
            let at = self.tokens[self.at - 1].start;
            let message = format!("parentheses may stand {MAX_FILTER_DEPTH} deep at most");
            return Err(Fault::at(at, FILTER_TOO_COMPLEX, message));
        }
        let inner = self.expression(depth + 1)?;
        if self.next_if(&Kind::Close) {
            Ok(inner)
        } else {
            Err(self.fault("a closing parenthesis is missing"))
        }
    }

    fn restriction(&mut self) -> Result<Node, Fault> {
        let member = self.member()?;
        self.terms += 1;
        if self.terms > MAX_FILTER_TERMS {
            let message = format!("a filter may have {MAX_FILTER_TERMS} terms at most");
            return Err(Fault::at(member.at, FILTER_TOO_COMPLEX, message));
        }
        let Some(&Kind::Comparator(comparator)) = self.peek() else {
            return Ok(Node::Bare(member));
        };
        if member.star != Star::None {
            return Err(Fault::at(member.at, INVALID_FILTER, "a field has no wildcard in its name"));
        }
        self.at += 1;
        let literal = match self.peek() {
            Some(Kind::Word(literal) | Kind::Quoted(literal)) => literal.clone(),
            Some(Kind::Open) => {
                return Err(self.fault("a value cannot be in parentheses; write a comparison for each value"));
            }
            _ => {
                return Err(self
                    .fault("a value is expected; text like a keyword or with special characters is quoted"));
            }
        };
        self.at += 1;
        self.refuse_call()?;
        Ok(Node::Restriction { name: member, comparator, literal })
    }

    /// A name whose parts are joined by dots; its later parts may be keywords.
    fn member(&mut self) -> Result<Literal, Fault> {
        let mut member = match self.peek() {
            Some(Kind::Word(literal) | Kind::Quoted(literal)) => literal.clone(),
            Some(Kind::Not | Kind::Minus) => {
                return Err(self.fault("a negation stands only once; use parentheses"));
            }
            None => return Err(self.fault("the filter ends where a comparison is expected")),
            Some(_) => return Err(self.fault("a comparison such as field = \"value\" is expected")),
        };
        self.at += 1;
        while self.next_if(&Kind::Dot) {
            let (part, star) = match self.peek() {
                Some(Kind::Word(literal) | Kind::Quoted(literal)) => (literal.text.as_str(), literal.star),
                Some(Kind::And) => ("AND", Star::None),
                Some(Kind::Or) => ("OR", Star::None),
                Some(Kind::Not) => ("NOT", Star::None),
                _ => return Err(self.fault("a name is expected after the dot")),
            };
            member.star = if member.star == Star::None { star } else { Star::Elsewhere };
            member.text = format!("{}.{part}", member.text);
            self.at += 1;
        }
        self.refuse_call()?;
        Ok(member)
    }

    fn refuse_call(&self) -> Result<(), Fault> {
        let Some(Token { kind: Kind::Word(called), start, .. }) = self.tokens.get(self.at - 1) else {
            return Ok(());
        };
        if self.peek() != Some(&Kind::Open) || !self.is_adjacent() {
            return Ok(());
        }
        Err(Fault::at(
            *start,
            INVALID_FILTER,
            format!("functions such as {} cannot be called", shown(&called.text)),
        ))
    }
}

/// One node stands for itself.
fn joined(mut nodes: Vec<Node>, join: fn(Vec<Node>) -> Node) -> Node {
    match nodes.pop() {
        Some(only) if nodes.is_empty() => only,
        Some(last) => {
            nodes.push(last);
            join(nodes)
        }
        None => join(nodes),
    }
}
