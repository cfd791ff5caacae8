//! Path templates of `google.api.http` (AIP-127): `/v1/{name=opportunities/*}:win`.
//!
//! Grammar: `/` segments, then perhaps `:verb`; a segment is a literal, `*` (exactly one), `**` (the rest, last only)
//! or `{field.path}` and `{field.path=segments}`, which capture what they match.

/// One segment as it is matched.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Segment {
    /// Exactly this text.
    Literal(String),
    /// One segment that is not empty.
    One,
    /// All that is left, perhaps nothing.
    Rest,
}

/// A part of the path that becomes a field of the request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Capture {
    /// Names of the fields from the request down: `["account", "name"]`.
    pub field: Vec<String>,
    /// First segment captured.
    pub start: usize,
    /// Segment after the last one; `None` when the capture ends in `**`.
    pub end: Option<usize>,
    /// True for `{field}` and `{field=*}`, which are decoded wholly; in longer captures `%2F` stays as it is.
    pub is_single: bool,
}

/// A parsed path template.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Template {
    /// What is matched between the slashes.
    pub segments: Vec<Segment>,
    /// The custom verb after the last colon.
    pub verb: Option<String>,
    /// The captures, in the order of the template.
    pub captures: Vec<Capture>,
}

/// What is wrong with a template.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("path template {template:?} is malformed at byte {at}: {problem}")]
pub struct TemplateError {
    template: String,
    at: usize,
    problem: &'static str,
}

impl Template {
    /// Parses a template.
    pub fn parse(template: &str) -> Result<Self, TemplateError> {
        let mut parser =
            Parser { template, at: 0, parsed: Self { segments: vec![], verb: None, captures: vec![] } };
        parser.template()?;
        Ok(parser.parsed)
    }

    /// True when some path matches both and neither template is the more specific one, so that the order in which
    /// they were written would decide.
    pub fn is_ambiguous_with(&self, other: &Self) -> bool {
        if self.verb != other.verb {
            // The one with the verb is the more specific.
            return false;
        }
        match overlap(&self.segments, &other.segments) {
            Overlap::None => false,
            Overlap::Some { narrower_left, narrower_right } => narrower_left == narrower_right,
        }
    }
}

/// How two templates meet, from the first segment to the last.
enum Overlap {
    /// No path matches both.
    None,
    /// Some paths do. The flags say on which sides a segment is narrower than its counterpart.
    Some { narrower_left: bool, narrower_right: bool },
}

fn overlap(left: &[Segment], right: &[Segment]) -> Overlap {
    let (mut narrower_left, mut narrower_right) = (false, false);
    let mut pairs = (left, right);
    loop {
        pairs = match pairs {
            ([], []) | ([Segment::Rest], [Segment::Rest]) => break,
            ([Segment::Rest], _) => {
                narrower_right = true;
                break;
            }
            (_, [Segment::Rest]) => {
                narrower_left = true;
                break;
            }
            ([a, left @ ..], [b, right @ ..]) => {
                match (a, b) {
                    (Segment::Literal(a), Segment::Literal(b)) if a != b => return Overlap::None,
                    (Segment::Literal(_), Segment::One) => narrower_left = true,
                    (Segment::One, Segment::Literal(_)) => narrower_right = true,
                    _ => {}
                }
                (left, right)
            }
            _ => return Overlap::None,
        };
    }
    Overlap::Some { narrower_left, narrower_right }
}

struct Parser<'t> {
    template: &'t str,
    at: usize,
    parsed: Template,
}

impl Parser<'_> {
    fn template(&mut self) -> Result<(), TemplateError> {
        self.expect(b'/', "it must begin with a slash")?;
        self.segments(true)?;
        if self.peek() == Some(b':') {
            self.at += 1;
            let verb = self.literal("a verb must follow the colon")?;
            self.parsed.verb = Some(verb);
        }
        if self.at < self.template.len() {
            return self.fail("a slash, a verb or the end must follow a segment");
        }
        let rest = self.parsed.segments.iter().position(|segment| *segment == Segment::Rest);
        if rest.is_some_and(|rest| rest + 1 < self.parsed.segments.len()) {
            return self.fail("`**` must be the last segment");
        }
        Ok(())
    }

    fn segments(&mut self, may_capture: bool) -> Result<(), TemplateError> {
        loop {
            self.segment(may_capture)?;
            if self.peek() != Some(b'/') {
                return Ok(());
            }
            self.at += 1;
        }
    }

    fn segment(&mut self, may_capture: bool) -> Result<(), TemplateError> {
        let segment = match self.peek() {
            Some(b'*') if self.template[self.at..].starts_with("**") => {
                self.at += 2;
                Segment::Rest
            }
            Some(b'*') => {
                self.at += 1;
                Segment::One
            }
            Some(b'{') if may_capture => return self.capture(),
            Some(b'{') => return self.fail("a capture cannot stand in another"),
            _ => Segment::Literal(self.literal("a segment must not be empty")?),
        };
        self.parsed.segments.push(segment);
        Ok(())
    }

    fn capture(&mut self) -> Result<(), TemplateError> {
        self.at += 1;
        let mut field = vec![self.identifier()?];
        while self.peek() == Some(b'.') {
            self.at += 1;
            field.push(self.identifier()?);
        }
        let start = self.parsed.segments.len();
        if self.peek() == Some(b'=') {
            self.at += 1;
            self.segments(false)?;
        } else {
            self.parsed.segments.push(Segment::One);
        }
        self.expect(b'}', "a capture must end in a brace")?;
        if self.parsed.captures.iter().any(|capture| capture.field == field) {
            return self.fail("a field is captured twice");
        }
        let captured = &self.parsed.segments[start..];
        let is_open = captured.last() == Some(&Segment::Rest);
        let is_single = captured == [Segment::One];
        let end = if is_open { None } else { Some(self.parsed.segments.len()) };
        self.parsed.captures.push(Capture { field, start, end, is_single });
        Ok(())
    }

    /// Letters, digits and `-_.~`: characters that are the same with and without percent-encoding.
    fn literal(&mut self, problem: &'static str) -> Result<String, TemplateError> {
        self.run(|byte| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte), problem)
    }

    fn identifier(&mut self) -> Result<String, TemplateError> {
        if self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            return self.fail("a field name must not begin with a digit");
        }
        self.run(|byte| byte.is_ascii_alphanumeric() || byte == b'_', "a field name is missing")
    }

    fn run(&mut self, allowed: impl Fn(u8) -> bool, problem: &'static str) -> Result<String, TemplateError> {
        let start = self.at;
        while self.peek().is_some_and(&allowed) {
            self.at += 1;
        }
        if self.at == start { self.fail(problem) } else { Ok(self.template[start..self.at].to_owned()) }
    }

    fn expect(&mut self, byte: u8, problem: &'static str) -> Result<(), TemplateError> {
        if self.peek() != Some(byte) {
            return self.fail(problem);
        }
        self.at += 1;
        Ok(())
    }

    fn peek(&self) -> Option<u8> {
        self.template.as_bytes().get(self.at).copied()
    }

    fn fail<T>(&self, problem: &'static str) -> Result<T, TemplateError> {
        Err(TemplateError { template: self.template.to_owned(), at: self.at, problem })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(template: &str) -> Template {
        Template::parse(template).expect("a template")
    }

    #[test]
    fn a_capture_knows_its_field_and_its_segments() {
        let template = parsed("/v1/{shelf.name=shelves/*}/books/{book}:move");

        assert_eq!(template.verb.as_deref(), Some("move"));
        assert_eq!(template.segments.len(), 5);
        assert_eq!(template.captures[0].field, ["shelf", "name"]);
        assert_eq!((template.captures[0].start, template.captures[0].end), (1, Some(3)));
        assert!(!template.captures[0].is_single && template.captures[1].is_single);
    }

    #[test]
    fn a_rest_is_captured_to_the_end() {
        let template = parsed("/v1/{path=files/**}");

        assert_eq!((template.captures[0].start, template.captures[0].end), (1, None));
    }

    #[test]
    fn malformed_templates_are_refused_with_the_place() {
        for (template, problem) in [
            ("", "begin with a slash"),
            ("v1/books", "begin with a slash"),
            ("/", "must not be empty"),
            ("/v1//books", "must not be empty"),
            ("/v1/books/", "must not be empty"),
            ("/v1/{name", "end in a brace"),
            ("/v1/{}", "name is missing"),
            ("/v1/{1a}", "digit"),
            ("/v1/{a={b}}", "in another"),
            ("/v1/**/books", "last segment"),
            ("/v1/{a=**}/b", "last segment"),
            ("/v1/books:", "verb must follow"),
            ("/v1/bo oks", "must follow a segment"),
            ("/v1/{a}/{a}", "captured twice"),
        ] {
            let error = Template::parse(template).expect_err(template).to_string();
            assert!(error.contains(problem), "{template}: {error}");
        }
    }

    #[test]
    fn only_templates_of_which_neither_is_more_specific_are_ambiguous() {
        for (left, right, expected) in [
            ("/v1/{name=books/*}", "/v1/books/{id}", true),
            ("/v1/books/*", "/v1/*/covers", true),
            ("/v1/books/new", "/v1/books/*", false),
            ("/v1/**", "/v1/books/*", false),
            ("/v1/**", "/v1/**", true),
            ("/v1/books/**", "/v1/*/covers", true),
            ("/v1/books/*:lend", "/v1/books/*", false),
            ("/v1/books/*:lend", "/v1/books/*:lend", true),
            ("/v1/books/*", "/v1/shelves/*", false),
            ("/v1/books", "/v1/books/*", false),
        ] {
            assert_eq!(parsed(left).is_ambiguous_with(&parsed(right)), expected, "{left} {right}");
            assert_eq!(parsed(right).is_ambiguous_with(&parsed(left)), expected, "{right} {left}");
        }
    }
}
