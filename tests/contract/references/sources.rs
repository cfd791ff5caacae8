//! What the sources of the programs say: words in capitals, events and consumers. Read as text, by the few forms in which
//! they are written; tests and comments are left out.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use trato_devstack::Checkout;

use super::{comments::is_word, errors::KINDS};

/// Shortest word that is looked at; shorter ones are codes of currencies, HTTP methods and the like.
const SHORTEST: usize = 5;

/// One source of a program.
pub struct Source {
    /// `platform` for what all programs have in common, else the service.
    pub component: String,
    /// Folder it lies in, from the root.
    pub folder: String,
    /// Its text, without comments and tests.
    pub text: String,
}

/// A word in capitals that stands in the sources as a text.
#[derive(Debug, Default)]
pub struct Word {
    /// Where.
    pub components: BTreeSet<String>,
    /// gRPC's codes, as far as they stand beside it.
    pub codes: BTreeSet<String>,
}

/// Every source of the programs.
pub fn sources() -> Vec<Source> {
    let root = Checkout::find().expect("tests run inside the checkout").root;
    let mut found = Vec::new();
    for folder in ["crates/types", "crates/query", "crates/contract", "crates/platform", "proto"] {
        collect(&root, &root.join(folder).join("src"), "platform", &mut found);
    }
    collect(&root, &root.join("crates/pricing/src"), "pricing", &mut found);
    collect(&root, &root.join("crates/paper/src"), "paper", &mut found);
    for service in fs::read_dir(root.join("services")).expect("the services are listed").flatten() {
        let name = service.file_name().to_string_lossy().into_owned();
        collect(&root, &service.path().join("src"), &name, &mut found);
    }
    assert!(found.len() > 100, "the walk found only {} sources", found.len());
    found
}

fn collect(root: &Path, folder: &Path, component: &str, found: &mut Vec<Source>) {
    for entry in fs::read_dir(folder).expect("a folder of sources can be read").flatten() {
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        let stem = name.trim_end_matches(".rs");
        if stem == "tests" || stem == "testing" || stem.ends_with("_tests") {
            continue;
        }
        if path.is_dir() {
            collect(root, &path, component, found);
        } else if name.ends_with(".rs") {
            let text = fs::read_to_string(&path).expect("a source can be read");
            let folder = folder.strip_prefix(root).expect("it lies below").display().to_string();
            found.push(Source { component: component.to_owned(), folder, text: bare(&text) });
        }
    }
}

/// The text without comments and without its tests, which stand at the end.
fn bare(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let lines = text.lines().map(|line| line.split_once("//").map_or(line, |(code, _)| code));
    lines.collect::<Vec<_>>().join("\n")
}

/// Words in capitals, by themselves in quotation marks.
pub fn words() -> BTreeMap<String, Word> {
    let mut words: BTreeMap<String, Word> = BTreeMap::new();
    for source in sources() {
        let mut start = 0;
        for part in source.text.split('"') {
            let before = source.text[..start].trim_end_matches('"').trim_end();
            if part.len() >= SHORTEST && is_word(part) && !is_compared_or_mapped(before) {
                let word = words.entry(part.to_owned()).or_default();
                word.components.insert(source.component.clone());
                word.codes.extend(code_before(before));
            }
            start += part.len() + 1;
        }
    }
    words
}

/// True for a word that is only looked for, or the name of an enum's value: `behaviour == "REQUIRED"`, `Open = "OPEN"`.
fn is_compared_or_mapped(before: &str) -> bool {
    let mapped = before.strip_suffix(" =").and_then(|text| text.split_whitespace().next_back());
    let is_mapped = mapped.is_some_and(|name| name.starts_with(|first: char| first.is_ascii_uppercase()));
    is_mapped || before.ends_with("==") || before.ends_with(" is(")
}

/// The code that the text before a reason says: `Kind::Precondition,`, `Error::unavailable(`, `Constraint::taken("…",`.
fn code_before(text: &str) -> Option<String> {
    let text = text.strip_suffix("reason:").unwrap_or(text).trim_end();
    let kind = if text.ends_with("Error::unavailable(") {
        "Unavailable"
    } else {
        let text = text.strip_suffix(',')?;
        let last = text.rsplit("Constraint::").next().unwrap_or_default();
        match last.split_once('(') {
            Some(("taken", name)) if name.matches('"').count() == 2 => "AlreadyExists",
            Some(("missing", name)) if name.matches('"').count() == 2 => "Precondition",
            _ => text.rsplit("Kind::").next()?,
        }
    };
    KINDS.iter().find(|(known, ..)| format!("{known:?}") == kind).map(|(_, code, _)| (*code).to_owned())
}

/// The participles of the custom verbs, by the beginning of the event types of their resource: `.change(request, "won", …)`
/// beside `const EVENT: &'static str = "trato.sales.v1.opportunity"`; `=> ("won", …)`, where the state decides; and
/// `NewEvent::of(cx, "taken", …)`, where a transaction changes more than one resource.
pub fn verbs() -> BTreeMap<String, BTreeSet<String>> {
    let sources = sources();
    let mut verbs = BTreeMap::new();
    for source in &sources {
        let Some(event) = texts_after(&source.text, "const EVENT: &'static str = ").pop() else { continue };
        let beside = sources.iter().filter(|other| other.folder == source.folder);
        let participles = beside.flat_map(|other| {
            let forms = [
                ".change(request, ",
                ".change_in(request, ",
                ".change_after(request, ",
                ".change_in_turn(request, ",
                "=> (",
                "NewEvent::of(cx, ",
                "NewEvent::of(tx.cx(), ",
                "NewEvent::with_facts(cx, ",
                "NewEvent::with_facts(&cx, ",
                "NewEvent::with_facts(tx.cx(), ",
            ];
            forms.into_iter().flat_map(|form| texts_after(&other.text, form))
        });
        verbs.insert(event, participles.collect());
    }
    verbs
}

/// A consumer of events.
pub struct Consumer {
    /// `platform` for one that every service with a database has, else the service.
    pub component: String,
    /// Its kebab-case name.
    pub name: String,
    /// The types it listens to; `*` stands for any ending.
    pub patterns: Vec<String>,
}

/// The consumers, in the forms `Subscription::new("name", &["pattern", …]` and `foreign::projection::<Account>("name", &[…]`.
pub fn consumers() -> Vec<Consumer> {
    let mut consumers = Vec::new();
    for source in sources() {
        let plain = source.text.split("Subscription::new(").skip(1);
        let projections = source.text.split("foreign::projection::<").skip(1);
        for rest in plain.chain(projections.filter_map(|rest| Some(rest.split_once(">(")?.1))) {
            let Some((head, _)) = rest.split_once(']') else { continue };
            let mut texts = head.split('"').skip(1).step_by(2).map(str::to_owned);
            let (name, patterns) = (texts.next(), texts.collect::<Vec<_>>());
            if let Some(name) = name.filter(|_| !patterns.is_empty()) {
                consumers.push(Consumer { component: source.component.clone(), name, patterns });
            }
        }
    }
    consumers.sort_by(|a, b| (&a.component, &a.name).cmp(&(&b.component, &b.name)));
    consumers
}

/// The texts in quotation marks that follow `form` at once, whatever the layout.
fn texts_after(text: &str, form: &str) -> Vec<String> {
    let one_line = text.split_whitespace().collect::<Vec<_>>().join(" ").replace("( ", "(");
    let rests = one_line.split(form).skip(1);
    rests.filter_map(|rest| Some(rest.strip_prefix('"')?.split('"').next()?.to_owned())).collect()
}
