//! `docs/reference/*` is made from the contract and the sources, and this test compares. `TRATO_UPDATE=1` writes it anew.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use prost_reflect::DescriptorPool;

/// CRD-02: what the reference says of permissions is what the contract says.
#[test]
fn the_reference_of_permissions_is_current() {
    let pool = DescriptorPool::decode(trato_proto::DESCRIPTORS).expect("the descriptors are readable");
    let option = pool.get_extension_by_name("trato.options.v1.permission").expect("the option is declared");
    let roles: toml::Table = trato_proto::ROLES.parse().expect("the roles are TOML");
    let mut text =
        heading("Permissions", "Each method needs one permission; roles grant it as far as a scope reaches.");
    text.push_str("| permission | methods | granted to |\n|---|---|---|\n");
    let mut methods: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for method in pool.services().flat_map(|service| service.methods().collect::<Vec<_>>()) {
        let permission = method.options().get_extension(&option).as_str().unwrap_or_default().to_owned();
        methods.entry(permission).or_default().insert(method.name().to_owned());
    }
    for (permission, methods) in methods {
        let names = methods.into_iter().collect::<Vec<_>>().join(", ");
        let _ = writeln!(text, "| `{permission}` | {names} | {} |", granted(&roles, &permission).join(", "));
    }
    compare("permissions.md", &text);
}

#[test]
fn the_reference_of_events_is_current() {
    let pool = DescriptorPool::decode(trato_proto::DESCRIPTORS).expect("the descriptors are readable");
    let mut text = heading(
        "Events",
        "The payload of each is `trato.events.v1.Change`: the resource after the change, the fields that changed, and facts.",
    );
    text.push_str("| type | resource |\n|---|---|\n");
    let mut verbs: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for source in sources(&["services"]) {
        let content = fs::read_to_string(&source).expect("a source is readable");
        for prefix in quoted_after(&content, "const EVENT: &'static str = ") {
            let own = verbs.entry(prefix).or_default();
            own.extend(["created", "updated", "deleted", "undeleted"].map(str::to_owned));
            let folder = source.parent().expect("a source has a folder");
            for file in sources_in(folder) {
                own.extend(participles(&fs::read_to_string(file).expect("a source is readable")));
            }
        }
    }
    for (prefix, verbs) in verbs {
        let (package, noun) = prefix.rsplit_once('.').expect("a type has a noun");
        let message = pool
            .all_messages()
            .find(|message| message.package_name() == package && message.name().eq_ignore_ascii_case(noun));
        let message = message.unwrap_or_else(|| panic!("{prefix} is the event of no message"));
        for verb in verbs {
            let _ = writeln!(text, "| `{prefix}.{verb}` | `{}` |", message.full_name());
        }
    }
    compare("events.md", &text);
}

#[test]
fn the_reference_of_errors_is_current() {
    let mut reasons: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for source in sources(&["crates/types", "crates/query", "crates/platform", "services"]) {
        let content = fs::read_to_string(&source).expect("a source is readable");
        let content = content.split("#[cfg(test)]").next().unwrap_or_default();
        let owner = owner_of(&source);
        for reason in raised(content) {
            reasons.entry(reason).or_default().insert(owner.clone());
        }
    }
    let mut text = heading(
        "Error reasons",
        "Every error carries one of these in `ErrorInfo.reason`, or in a violation of a field. They are stable; messages are not.",
    );
    text.push_str("| reason | raised by |\n|---|---|\n");
    for (reason, owners) in reasons {
        let _ = writeln!(text, "| `{reason}` | {} |", owners.into_iter().collect::<Vec<_>>().join(", "));
    }
    compare("errors.md", &text);
}

fn heading(title: &str, sentence: &str) -> String {
    format!(
        "# {title}\n\n{sentence}\nThis page is generated; `TRATO_UPDATE=1 cargo dev test references` writes it anew.\n\n"
    )
}

fn granted(roles: &toml::Table, permission: &str) -> Vec<String> {
    let matches = |pattern: &str| match pattern.strip_suffix('*') {
        Some(start) => permission.starts_with(start),
        None => pattern == permission,
    };
    let mut granted = Vec::new();
    for (role, definition) in roles {
        for grant in definition["grants"].as_array().expect("grants are a list") {
            let patterns = grant["permissions"].as_array().expect("permissions are a list");
            if patterns.iter().filter_map(toml::Value::as_str).any(matches) {
                granted.push(format!("{role} ({})", grant["scope"].as_str().expect("a scope is a word")));
            }
        }
    }
    granted
}

/// Participles given to the standard verbs: `.change(request, "won", …)`.
fn participles(content: &str) -> Vec<String> {
    let mut found = Vec::new();
    for door in [".change(", ".change_in("] {
        for (at, _) in content.match_indices(door) {
            let call: String = content[at..].chars().take(200).collect();
            found.extend(
                call.split('"')
                    .nth(1)
                    .filter(|word| word.bytes().all(|b| b.is_ascii_lowercase()))
                    .map(str::to_owned),
            );
        }
    }
    found
}

/// Words in capitals where an error, a violation or a constraint is made.
fn raised(content: &str) -> Vec<String> {
    let doors = [
        "Error::new(",
        "Error::invalid(",
        "Error::unavailable(",
        ".add(",
        "Constraint::taken(",
        "Constraint::missing(",
        "=> \"",
        "const ",
        "state_error(",
    ];
    let mut found = Vec::new();
    for door in doors {
        for (at, _) in content.match_indices(door) {
            let call: String = content[at..].chars().take(240).collect();
            let call = call.split(';').next().unwrap_or_default();
            let mut words = call.split('"').skip(1).step_by(2);
            let is_reason = |word: &&str| {
                word.len() > 3
                    && word.contains(|c: char| c.is_ascii_uppercase())
                    && word
                        .bytes()
                        .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
            };
            // An arm that maps a variant to a word is a reason only in `fn reason`.
            let in_reason =
                || content[..at].rfind("fn ").is_some_and(|start| content[start..].starts_with("fn reason"));
            let is_constant = door != "const " || call.contains(": &str = ") && !call.contains("[&");
            if (door != "=> \"" || in_reason()) && is_constant {
                found.extend(words.find(is_reason).map(str::to_owned));
            }
        }
    }
    found
}

fn quoted_after(content: &str, marker: &str) -> Vec<String> {
    content
        .match_indices(marker)
        .filter_map(|(at, _)| content[at..].split('"').nth(1))
        .map(str::to_owned)
        .collect()
}

fn owner_of(source: &Path) -> String {
    let parts: Vec<_> =
        source.strip_prefix(root()).expect("a source lies in the checkout").components().collect();
    parts.get(1).map(|part| part.as_os_str().to_string_lossy().into_owned()).unwrap_or_default()
}

fn sources(folders: &[&str]) -> Vec<PathBuf> {
    folders.iter().flat_map(|folder| sources_in(&root().join(folder))).collect()
}

fn sources_in(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder of sources is readable") {
        let path = entry.expect("an entry is readable").path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if path.is_dir() && name != "tests" {
            found.extend(sources_in(&path));
        } else if name.ends_with(".rs") && !name.contains("test") {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests lie in the checkout")
}

fn compare(file: &str, made: &str) {
    let path = root().join("docs/reference").join(file);
    #[expect(clippy::disallowed_methods, reason = "whoever runs the tests says whether files are written")]
    if std::env::var("TRATO_UPDATE").is_ok() {
        fs::write(&path, made).expect("the reference is writable");
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == made, "docs/reference/{file} is not current; TRATO_UPDATE=1 writes it anew");
}
