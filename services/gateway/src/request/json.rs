//! A strict reader of JSON text (RFC 8259) that hands out one token at a time.
//!
//! Our own because a request must be refused for a key that stands twice, for a lone surrogate and for nesting, with
//! the place, and because an `Any` must be read twice; it also never builds a tree.

use std::borrow::Cow;

/// What a text is not JSON for, and where.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{problem} at byte {at}")]
pub struct SyntaxError {
    /// What is wrong.
    pub problem: &'static str,
    /// Offset in bytes from the start of the text.
    pub at: usize,
    /// True when the text is JSON as far as was read, but nested too deeply.
    pub is_too_deep: bool,
}

type Result<T = ()> = std::result::Result<T, SyntaxError>;

/// The kind of value that comes next.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Next {
    /// `{`
    Object,
    /// `[`
    Array,
    /// `"`
    String,
    /// `-` or a digit
    Number,
    /// `true`
    True,
    /// `false`
    False,
    /// `null`
    Null,
}

/// A place in a JSON text. Copy it to come back later.
#[derive(Clone, Copy, Debug)]
pub struct Json<'a> {
    text: &'a str,
    at: usize,
    depth_left: usize,
}

impl<'a> Json<'a> {
    /// Starts at the beginning; arrays and objects may be nested `max_depth` times.
    pub fn new(text: &'a str, max_depth: usize) -> Self {
        Self { text, at: 0, depth_left: max_depth }
    }

    /// The kind of the next value.
    pub fn next(&mut self) -> Result<Next> {
        self.skip_space();
        match self.peek() {
            Some(b'{') => Ok(Next::Object),
            Some(b'[') => Ok(Next::Array),
            Some(b'"') => Ok(Next::String),
            Some(b'-' | b'0'..=b'9') => Ok(Next::Number),
            Some(b't') => Ok(Next::True),
            Some(b'f') => Ok(Next::False),
            Some(b'n') => Ok(Next::Null),
            Some(_) => self.fail("a value was expected"),
            None => self.fail("the text ends where a value was expected"),
        }
    }

    /// Reads `true`, `false` or `null`, as [`Json::next`] said.
    pub fn literal(&mut self, next: Next) -> Result {
        let word = match next {
            Next::True => "true",
            Next::False => "false",
            _ => "null",
        };
        if !self.text[self.at..].starts_with(word) {
            return self.fail("a value was expected");
        }
        self.at += word.len();
        Ok(())
    }

    /// Reads a number and returns it as it is written.
    pub fn number(&mut self) -> Result<&'a str> {
        let start = self.at;
        self.take(b'-');
        if !self.take(b'0') {
            self.digits()?;
        }
        if self.take(b'.') {
            self.digits()?;
        }
        if self.take(b'e') || self.take(b'E') {
            let _signed = self.take(b'+') || self.take(b'-');
            self.digits()?;
        }
        Ok(&self.text[start..self.at])
    }

    fn digits(&mut self) -> Result {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        if self.at == start { self.fail("a digit was expected") } else { Ok(()) }
    }

    /// Reads a string; borrowed when nothing in it is escaped.
    pub fn string(&mut self) -> Result<Cow<'a, str>> {
        self.expect(b'"', "a string was expected")?;
        let start = self.at;
        let mut owned: Option<String> = None;
        let mut run = start;
        loop {
            let Some(byte) = self.peek() else { return self.fail("the text ends inside a string") };
            match byte {
                b'"' => break,
                b'\\' => {
                    let decoded = owned.get_or_insert_default();
                    decoded.push_str(&self.text[run..self.at]);
                    self.at += 1;
                    decoded.push(self.escape()?);
                    run = self.at;
                }
                0..0x20 => return self.fail("a control character must be escaped"),
                _ => self.at += 1,
            }
        }
        let last = &self.text[run..self.at];
        self.at += 1;
        Ok(match owned {
            None => Cow::Borrowed(last),
            Some(mut decoded) => {
                decoded.push_str(last);
                Cow::Owned(decoded)
            }
        })
    }

    fn escape(&mut self) -> Result<char> {
        let Some(byte) = self.peek() else { return self.fail("the text ends inside a string") };
        self.at += 1;
        Ok(match byte {
            b'"' | b'\\' | b'/' => char::from(byte),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.unicode_escape(),
            _ => {
                self.at -= 1;
                return self.fail("unknown escape");
            }
        })
    }

    fn unicode_escape(&mut self) -> Result<char> {
        const LONE: &str = "a surrogate must stand in a pair";
        let unit = self.four_digits()?;
        let code = match unit {
            0xD800..=0xDBFF => {
                if !self.text[self.at..].starts_with("\\u") {
                    return self.fail(LONE);
                }
                self.at += 2;
                let low = self.four_digits()?;
                if !(0xDC00..=0xDFFF).contains(&low) {
                    return self.fail(LONE);
                }
                0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00)
            }
            _ => unit,
        };
        char::from_u32(code).map_or_else(|| self.fail(LONE), Ok)
    }

    fn four_digits(&mut self) -> Result<u32> {
        let mut value = 0;
        for _ in 0..4 {
            let Some(digit) = self.peek().and_then(|byte| char::from(byte).to_digit(16)) else {
                return self.fail("four hexadecimal digits were expected");
            };
            value = value << 4 | digit;
            self.at += 1;
        }
        Ok(value)
    }

    /// Enters an object. Then [`Json::key`] until it says `None`, reading a value after each key.
    pub fn object(&mut self) -> Result {
        self.enter(b'{')
    }

    /// Enters an array. Then [`Json::element`] until it says `false`, reading a value after each `true`.
    pub fn array(&mut self) -> Result {
        self.enter(b'[')
    }

    fn enter(&mut self, opening: u8) -> Result {
        self.expect(opening, "an object or array was expected")?;
        match self.depth_left.checked_sub(1) {
            Some(depth_left) => {
                self.depth_left = depth_left;
                Ok(())
            }
            None => {
                Err(SyntaxError { problem: "the text is nested too deeply", at: self.at, is_too_deep: true })
            }
        }
    }

    /// The next key of the object, `None` at its end. `is_first` begins as true and is kept by the caller.
    pub fn key(&mut self, is_first: &mut bool) -> Result<Option<Cow<'a, str>>> {
        if self.leave_or_continue(b'}', is_first, "a comma or `}` was expected")? {
            return Ok(None);
        }
        self.skip_space();
        let key = self.string()?;
        self.skip_space();
        self.expect(b':', "a colon was expected")?;
        Ok(Some(key))
    }

    /// Whether the array has another element. `is_first` begins as true and is kept by the caller.
    pub fn element(&mut self, is_first: &mut bool) -> Result<bool> {
        Ok(!self.leave_or_continue(b']', is_first, "a comma or `]` was expected")?)
    }

    /// True when the closing byte was read.
    fn leave_or_continue(&mut self, closing: u8, is_first: &mut bool, problem: &'static str) -> Result<bool> {
        self.skip_space();
        if self.take(closing) {
            self.depth_left += 1;
            return Ok(true);
        }
        if std::mem::take(is_first) {
            return Ok(false);
        }
        self.expect(b',', problem)?;
        Ok(false)
    }

    /// Reads a value of any kind and forgets it.
    pub fn skip(&mut self) -> Result {
        match self.next()? {
            Next::Object => {
                self.object()?;
                let mut is_first = true;
                while self.key(&mut is_first)?.is_some() {
                    self.skip()?;
                }
            }
            Next::Array => {
                self.array()?;
                let mut is_first = true;
                while self.element(&mut is_first)? {
                    self.skip()?;
                }
            }
            Next::String => drop(self.string()?),
            Next::Number => drop(self.number()?),
            literal => self.literal(literal)?,
        }
        Ok(())
    }

    /// Refuses whatever follows the value.
    pub fn end(&mut self) -> Result {
        self.skip_space();
        if self.at < self.text.len() { self.fail("the text goes on after the value") } else { Ok(()) }
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        let is_there = self.peek() == Some(byte);
        self.at += usize::from(is_there);
        is_there
    }

    fn expect(&mut self, byte: u8, problem: &'static str) -> Result {
        if self.take(byte) { Ok(()) } else { self.fail(problem) }
    }

    fn fail<T>(&self, problem: &'static str) -> Result<T> {
        Err(SyntaxError { problem, at: self.at, is_too_deep: false })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str) -> Result {
        let mut json = Json::new(text, 64);
        json.skip()?;
        json.end()
    }

    #[test]
    fn what_is_not_json_is_refused_with_the_place() {
        for (text, problem, at) in [
            ("", "ends where a value", 0),
            ("{", "a string was expected", 1),
            ("{\"a\" 1}", "a colon", 5),
            ("{\"a\":1,}", "a string was expected", 7),
            ("[1 2]", "a comma or `]`", 3),
            ("[01]", "a comma or `]`", 2),
            ("[1.]", "a digit", 3),
            ("nul", "a value", 0),
            ("\"a", "ends inside a string", 2),
            ("\"\n\"", "must be escaped", 1),
            ("\"\\x\"", "unknown escape", 2),
            ("\"\\ud800\"", "in a pair", 7),
            ("\"\\ud800\\u0041\"", "in a pair", 13),
            ("\"\\udc00\"", "in a pair", 7),
            ("1 1", "goes on", 2),
        ] {
            let error = check(text).expect_err(text);
            assert!(error.problem.contains(problem) && error.at == at, "{text}: {error}");
        }
    }

    #[test]
    fn a_body_of_ten_thousand_levels_is_refused_without_reading_them() {
        let error = check(&"[".repeat(10_000)).expect_err("too deep");

        assert!(error.is_too_deep && error.at == 65, "{error}");
    }

    #[test]
    fn escapes_and_pairs_of_surrogates_are_decoded() {
        let mut json = Json::new(r#""a\n\u00e9\ud83d\ude00\/""#, 1);

        assert_eq!(json.string().expect("a string"), "a\né😀/");
    }

    proptest! {
        #[test]
        fn it_agrees_with_serde_json_on_what_is_json(text in r#"[\[\]{}",:0-9eE.+\-a-z\\ ]{0,12}"#) {
            let expected = match serde_json::from_str::<serde_json::Value>(&text) {
                // Numbers beyond f64 are JSON, but serde_json has no value for them; what it skips it does not evaluate.
                Err(error) if error.to_string().contains("out of range") => {
                    serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok()
                }
                read => read.is_ok(),
            };
            prop_assert_eq!(check(&text).is_ok(), expected, "{}", text);
        }
    }
}
