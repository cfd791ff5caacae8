//! `errors.md`: every reason of the sources, explained in `reasons.toml`, with the methods whose comments name it.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use trato_types::Kind;

use super::{
    MADE, code_list,
    comments::{code_spans, comment, is_word, methods_by_reason, own_reasons},
    keep,
    sources::{Word, words},
    table,
};
use crate::harness::dynamic::{POOL, methods};

/// Every kind of failure, with gRPC's code and the HTTP status.
pub const KINDS: [(Kind, &str, u16); 12] = [
    (Kind::Invalid, "INVALID_ARGUMENT", 400),
    (Kind::Unauthenticated, "UNAUTHENTICATED", 401),
    (Kind::Forbidden, "PERMISSION_DENIED", 403),
    (Kind::NotFound, "NOT_FOUND", 404),
    (Kind::AlreadyExists, "ALREADY_EXISTS", 409),
    (Kind::Stale, "ABORTED", 409),
    (Kind::Precondition, "FAILED_PRECONDITION", 400),
    (Kind::Exhausted, "RESOURCE_EXHAUSTED", 429),
    (Kind::DeadlineExceeded, "DEADLINE_EXCEEDED", 504),
    (Kind::Unavailable, "UNAVAILABLE", 503),
    (Kind::Unimplemented, "UNIMPLEMENTED", 501),
    (Kind::Internal, "INTERNAL", 500),
];

/// Codes of gRPC that no kind of failure has; a status of the gRPC library bears its code's name as the reason.
const OTHER_CODES: [&str; 3] = ["CANCELLED", "UNKNOWN", "DATA_LOSS"];

const INTRODUCTION: &str = "\
An error is a `google.rpc.Status` (AIP-193): the code says what kind of failure it is, `ErrorInfo` carries the stable
reason and its domain, and further details what can be said beyond: `BadRequest` every field that is not valid, each with
a reason of its own, `RetryInfo` when to call again, `ResourceInfo` and `PreconditionFailure` what it is about,
`RequestInfo` the request. The gateway answers the same as JSON, with the HTTP status given here.

A request with fields that are not valid has the reason `INVALID_FIELD`, or that of the violation where there can be only
one; `BadRequest` has them all. Reasons are kept; messages are for people and may change. What the gRPC library itself
refuses, such as a call that its client gave up, bears the name of its code as its reason.
";

/// `reasons.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Explained {
    no_reasons: BTreeSet<String>,
    group: Vec<Group>,
}

/// Reasons that belong together.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    title: String,
    about: String,
    /// True when methods name these reasons in their comments.
    #[serde(default)]
    methods: bool,
    reason: BTreeMap<String, Reason>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Reason {
    code: String,
    http: Option<u16>,
    meaning: String,
}

impl Explained {
    fn read() -> Self {
        toml::from_str(include_str!("../../../docs/reference/reasons.toml"))
            .expect("the reasons are explained in TOML")
    }

    fn reasons(&self) -> BTreeMap<&str, &Reason> {
        let mut all = BTreeMap::new();
        for (name, reason) in self.group.iter().flat_map(|group| &group.reason) {
            assert!(all.insert(name.as_str(), reason).is_none(), "{name} is explained twice");
        }
        all
    }
}

impl Reason {
    fn codes(&self) -> Vec<&str> {
        self.code.split(", ").collect()
    }

    fn http(&self) -> String {
        let usual = |code: &&str| {
            let known = KINDS.iter().find(|(_, known, _)| known == code);
            known.unwrap_or_else(|| panic!("{code} is no code of a kind")).2
        };
        let all: Vec<u16> =
            self.http.map_or_else(|| self.codes().iter().map(usual).collect(), |http| vec![http]);
        let distinct: BTreeSet<String> = all.iter().map(u16::to_string).collect();
        distinct.into_iter().collect::<Vec<_>>().join(", ")
    }
}

/// Words that name values of enums and codes of gRPC.
fn names() -> BTreeSet<String> {
    let values = POOL
        .all_enums()
        .flat_map(|one| one.values().map(|value| value.name().to_owned()).collect::<Vec<_>>());
    let codes = KINDS.iter().map(|(_, code, _)| *code).chain(OTHER_CODES).map(str::to_owned);
    values.chain(codes).collect()
}

/// No reason is answered that is not explained, and none is explained that is not answered.
#[test]
fn every_reason_of_the_sources_is_explained_and_no_other() {
    let (explained, words, names) = (Explained::read(), words(), names());
    let reasons = explained.reasons();
    let known = |word: &&String| {
        reasons.contains_key(word.as_str()) || explained.no_reasons.contains(*word) || names.contains(*word)
    };
    let unexplained: Vec<_> = words.keys().filter(|word| !known(word)).collect();
    assert!(unexplained.is_empty(), "docs/reference/reasons.toml does not explain {unexplained:?}");
    let gone: Vec<_> = reasons.keys().filter(|reason| !words.contains_key(**reason)).collect();
    assert!(gone.is_empty(), "docs/reference/reasons.toml explains {gone:?}, which no program answers");
    let idle: Vec<_> = explained.no_reasons.iter().filter(|word| !words.contains_key(*word)).collect();
    assert!(idle.is_empty(), "docs/reference/reasons.toml excepts {idle:?}, which no source has");
    for (name, reason) in &reasons {
        for code in &words[*name].codes {
            assert!(reason.codes().contains(&code.as_str()), "the sources answer {name} with {code} as well");
        }
    }
}

#[test]
fn methods_name_known_reasons_and_every_rule_of_the_business_is_named() {
    let explained = Explained::read();
    let reasons = explained.reasons();
    for method in methods() {
        for named in own_reasons(&method) {
            let reason = reasons.get(named.reason.as_str());
            let reason = reason.unwrap_or_else(|| {
                panic!("{} names {}, which nothing explains", method.full_name(), named.reason)
            });
            assert!(reason.codes().contains(&named.code.as_str()), "{} names {named:?}", method.full_name());
        }
    }
    let named = methods_by_reason();
    let rules = explained.group.iter().filter(|group| group.methods).flat_map(|group| group.reason.keys());
    let unnamed: Vec<_> = rules.filter(|reason| !named.contains_key(*reason)).collect();
    assert!(unnamed.is_empty(), "no method says that it refuses with {unnamed:?}");
}

/// What all methods have in common is said once, in the head of the options, which every service refers to.
#[test]
fn the_head_of_the_options_names_known_reasons() {
    /// Number of `FileDescriptorProto.syntax`, before which the comment on a file stands.
    const SYNTAX: i32 = 12;
    let file = POOL.get_file_by_name("trato/options/v1/options.proto").expect("every contract imports it");
    let head = comment(&file, &[SYNTAX]);
    let named: BTreeSet<&str> = code_spans(&head).filter(|span| is_word(span)).collect();
    assert!(named.len() >= 20, "the head names only {named:?}");
    let explained = Explained::read();
    let reasons = explained.reasons();
    let unknown: Vec<_> = named.iter().filter(|reason| !reasons.contains_key(**reason)).collect();
    assert!(unknown.is_empty(), "the head names {unknown:?}, which nothing explains");
}

#[test]
fn the_reference_of_errors_is_up_to_date() {
    let (explained, words, named) = (Explained::read(), words(), methods_by_reason());
    let mut text = format!("# Errors\n\n{MADE}\n\n{INTRODUCTION}");
    for group in &explained.group {
        let rows = group.reason.iter().map(|(name, reason)| {
            let from = match named.get(name).filter(|_| group.methods) {
                Some(methods) => code_list(methods.iter().map(String::as_str)),
                None => words.get(name).map(from).unwrap_or_default(),
            };
            [format!("`{name}`"), reason.code.clone(), reason.http(), reason.meaning.clone(), from]
        });
        let head = ["reason", "code", "HTTP", "meaning", if group.methods { "methods" } else { "from" }];
        text.push_str(&format!("\n## {}\n\n{}\n\n{}", group.title, group.about, table(head, rows)));
    }
    keep("errors.md", &text);
}

/// The parts of the suite that answer with it.
fn from(word: &Word) -> String {
    word.components.iter().cloned().collect::<Vec<_>>().join(", ")
}
