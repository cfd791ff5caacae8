//! The repository: entries, pages, migrations and claims that others rely on.

use std::{collections::BTreeSet, path::Path};

use toml::Table;
use trato_devstack::requirements;

use super::checkout::{DATA_SERVICES, files, read, root};

/// CRD-12: the commissioned top-level entries exist.
#[test]
fn the_commissioned_entries_exist() {
    for entry in ["Cargo.toml", "README.md", "services", "proto", "deploy", "helm", "tests", "docs", "crates"]
    {
        assert!(root().join(entry).exists(), "there is no {entry}");
    }
}

/// CRD-12: every service has a page, and the first screen of the README shows the two commands.
#[test]
fn every_service_has_a_page_and_the_readme_begins_with_the_two_commands() {
    let services = std::fs::read_dir(root().join("services")).expect("there are services");
    for service in services.flatten() {
        let page = format!("docs/services/{}.md", service.file_name().to_string_lossy());
        assert!(read(&page).lines().count() > 10, "{page} says nothing");
    }
    let readme = read("README.md");
    let screen: Vec<&str> = readme.lines().take(25).collect();
    for command in ["cargo dev up", "cargo dev test"] {
        assert!(screen.iter().any(|line| line.starts_with(command)), "{command} is not on the first screen");
    }
}

#[test]
fn links_of_the_documents_lead_somewhere() {
    let mut documents = files("docs", ".md");
    documents.push("README.md".into());
    for document in documents {
        let text = read(&document);
        let folder = document.parent().unwrap_or(Path::new("")).to_owned();
        for link in text.split("](").skip(1).filter_map(|part| part.split(')').next()) {
            let path = link.split('#').next().unwrap_or_default();
            if path.is_empty() || path.contains("://") || path.contains(' ') {
                continue;
            }
            assert!(root().join(&folder).join(path).exists(), "{}: {link}", document.display());
        }
    }
}

#[test]
fn every_migration_in_the_folder_is_in_the_list_and_in_order() {
    let lists = DATA_SERVICES
        .map(|service| (format!("services/{service}/migrations"), format!("services/{service}/src/lib.rs")));
    for (folder, source) in lists {
        let stem = |path: &std::path::PathBuf| {
            path.file_stem().expect("a file has a name").to_string_lossy().into_owned()
        };
        let names: Vec<String> = files(&folder, ".sql").iter().map(stem).collect();
        let text = read(&source);
        let list = text.split("migrations![").nth(1).and_then(|rest| rest.split(']').next());
        let list = list.unwrap_or_else(|| panic!("{source} lists no migrations"));
        let listed: Vec<String> = list.split('"').skip(1).step_by(2).map(str::to_owned).collect();
        assert_eq!(listed, names, "{source}");
        for (number, name) in names.iter().enumerate() {
            assert!(name.starts_with(&format!("{:04}_", number + 1)), "{folder}/{name} is out of order");
        }
    }
}

/// Migrations that validate what they add themselves; they ran before this was asked for.
const VALIDATED_AT_ONCE: [&str; 1] = ["services/billing/migrations/0026_invoice_source.sql"];

/// CRD-06: to validate a constraint is to read the whole table. In the transaction that added it, which has the table to itself,
/// nobody could read or write meanwhile.
#[test]
fn a_constraint_is_validated_by_a_later_migration() {
    let mut count = 0;
    for service in DATA_SERVICES {
        for path in files(&format!("services/{service}/migrations"), ".sql") {
            let text = read(&path);
            let (added, validated) = (named(&text, "add constraint "), named(&text, "validate constraint "));
            let at_once: Vec<_> = added.intersection(&validated).collect();
            let is_known = VALIDATED_AT_ONCE.iter().any(|known| Path::new(known) == path);
            assert_eq!(!at_once.is_empty(), is_known, "{}: {at_once:?}", path.display());
            count += validated.len();
        }
    }
    assert!(count > 10, "only {count} were found");
}

/// The names that stand after a word of SQL.
fn named<'a>(text: &'a str, word: &str) -> BTreeSet<&'a str> {
    let is_name = |char: char| char.is_ascii_alphanumeric() || char == '_';
    let name = |rest: &'a str| rest.split(|char| !is_name(char)).next().unwrap_or_default();
    text.split(word).skip(1).map(name).collect()
}

/// Whatever is claimed is claimed of a test: each identifier stands in the doc comment of one.
#[test]
fn every_claimed_requirement_has_a_test() {
    let claims: Table = read("docs/requirements.toml").parse().expect("the claims are TOML");
    let claimed: BTreeSet<&String> = claims["claimed"].as_table().expect("they are a table").keys().collect();
    let proofs = requirements::scan(&root()).expect("the sources can be read");
    let proved: BTreeSet<&String> = proofs.iter().flat_map(|proof| &proof.ids).collect();
    let unproved: Vec<_> = claimed.difference(&proved).collect();
    assert!(claimed.len() >= 20 && unproved.is_empty(), "no test names {unproved:?}");
    let unclaimed: Vec<_> = proved.difference(&claimed).collect();
    assert!(unclaimed.is_empty(), "tests prove {unclaimed:?}, which nobody claims");
}
