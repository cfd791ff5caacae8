//! Sources: pure models, files of a pleasant size, nothing half done, no business word where none belongs.

use std::path::Path;

use super::checkout::{DATA_SERVICES, files, read, sources};

/// Largest size of a source, in lines. Guidance says 300; beyond this a file does a second thing.
const MOST_LINES: usize = 400;

/// Files that may be longer, each with its reason.
const LONGER: [(&str, &str); 0] = [];

#[test]
fn models_are_pure() {
    let models: Vec<_> =
        files("services", ".rs").into_iter().filter(|path| path.ends_with("model.rs")).collect();
    assert!(models.len() >= 7, "the walk found only {models:?}");
    for path in models {
        for (number, line) in read(&path).lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            for foreign in [
                "tonic::",
                "sqlx::",
                "tokio::",
                "trato_platform",
                "std::fs",
                "std::net",
                "std::env",
                "Utc::now",
            ] {
                assert!(!code.contains(foreign), "{}:{}: {foreign}", path.display(), number + 1);
            }
        }
    }
}

#[test]
fn sources_have_a_pleasant_size() {
    let too_long: Vec<_> = sources()
        .into_iter()
        .map(|path| (read(&path).lines().count(), path))
        .filter(|(lines, path)| {
            *lines > MOST_LINES && !LONGER.iter().any(|(known, _)| Path::new(known) == path)
        })
        .collect();
    assert!(too_long.is_empty(), "{too_long:#?}");
    for (path, reason) in LONGER {
        assert!(
            read(path).lines().count() > MOST_LINES,
            "{path} is short again; {reason} is no longer a reason"
        );
    }
}

#[test]
fn nothing_is_left_for_later() {
    // Written in two parts, or this file would find itself.
    let words = [
        ("to", "do!"),
        ("unimple", "mented!"),
        ("#[ign", "ore"),
        ("#[should_", "panic"),
        ("TO", "DO"),
        ("FIX", "ME"),
        ("XX", "X "),
    ];
    for path in sources() {
        let text = read(&path);
        for (first, second) in words {
            let word = format!("{first}{second}");
            assert!(!text.contains(&word), "{} contains {word}", path.display());
        }
    }
}

#[test]
fn every_module_says_what_it_is() {
    for path in sources() {
        let text = read(&path);
        let first =
            text.lines().find(|line| !line.trim().is_empty() && !line.starts_with("#!")).unwrap_or_default();
        assert!(first.starts_with("//!"), "{} begins with {first:?}", path.display());
    }
}

#[test]
fn each_resource_folder_has_the_same_four_files() {
    for service in DATA_SERVICES {
        let folder = format!("services/{service}/src");
        let stores: Vec<_> =
            files(&folder, "store.rs").into_iter().filter(|path| path.components().count() == 5).collect();
        for store in &stores {
            let folder = store.parent().expect("a store lies in a folder");
            assert!(
                super::checkout::root().join(folder).join("mod.rs").is_file(),
                "{} has no mod.rs",
                folder.display()
            );
        }
        let apis = files(&folder, "api.rs");
        for api in apis {
            let folder = api.parent().expect("an api lies in a folder");
            for part in ["mod.rs", "model.rs", "store.rs"] {
                assert!(
                    super::checkout::root().join(folder).join(part).is_file(),
                    "{} has no {part}",
                    folder.display()
                );
            }
        }
    }
}

/// F17: each service says which resources it keeps, so that after a restore none is overlooked.
#[test]
fn every_resource_is_among_those_its_service_keeps() {
    for service in DATA_SERVICES {
        let table_of_contents = read(format!("services/{service}/src/lib.rs"));
        for path in files(&format!("services/{service}/src"), ".rs") {
            let text = read(&path);
            let names =
                text.split("impl Resource for ").skip(1).filter_map(|rest| rest.split_whitespace().next());
            for name in names {
                assert!(
                    table_of_contents.contains(&format!("::{name}>()")),
                    "{service} does not keep {name}"
                );
            }
        }
    }
}

/// Where money is computed, kept and read, and what of it deals with shares, weights and places on paper instead.
const MONEY: [&str; 6] = [
    "crates/types/src",
    "crates/pricing/src",
    "crates/einvoice/src",
    "crates/paper/src",
    "services/sales/src",
    "services/billing/src",
];
const NO_MONEY: [&str; 4] = [
    "crates/paper/src/pdf.rs",
    "crates/paper/src/tests",
    "services/sales/src/funnel/model.rs",
    "services/sales/src/product/attributes.rs",
];

/// I11: an amount is never a fraction of powers of two.
#[test]
fn money_is_no_floating_number() {
    for path in MONEY.iter().flat_map(|folder| files(folder, ".rs")) {
        if NO_MONEY.iter().any(|other| path.starts_with(other)) {
            continue;
        }
        for (number, line) in read(&path).lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            let mut words = code.split(|letter: char| !letter.is_alphanumeric() && letter != '_');
            let is_floating = words.any(|word| word.ends_with("f32") || word.ends_with("f64"));
            assert!(!is_floating, "{}:{}: {code}", path.display(), number + 1);
        }
    }
}

/// CRD-05: the gateway and the platform know no business word, so that a new service needs no change in them.
#[test]
fn gateway_and_platform_know_no_business_word() {
    let nouns = [
        "opportunit",
        "pipeline_",
        "funnel",
        "accounts/",
        "contacts/",
        "AccountService",
        "customer",
        "timeline",
        "product",
    ];
    for folder in ["services/gateway/src", "crates/platform/src"] {
        for path in files(folder, ".rs") {
            let text = read(&path);
            // Comments and tests may give examples.
            let text = text.split("#[cfg(test)]").next().unwrap_or_default().to_owned();
            if path.to_string_lossy().contains("test") {
                continue;
            }
            for (number, line) in text.lines().enumerate() {
                let code = line.split("//").next().unwrap_or_default().to_lowercase();
                for noun in nouns {
                    assert!(
                        !code.contains(&noun.to_lowercase()),
                        "{}:{}: {noun}",
                        path.display(),
                        number + 1
                    );
                }
            }
        }
    }
}

/// CRD-02: nothing but gRPC goes from service to service: no service opens a connection of another kind.
#[test]
fn services_open_no_connection_but_those_of_the_platform() {
    for service in DATA_SERVICES {
        for path in files(&format!("services/{service}/src"), ".rs") {
            let text = read(&path);
            for foreign in ["reqwest::", "TcpStream", "PgConnection::connect", "Channel::from", "Endpoint::"]
            {
                assert!(!text.contains(foreign), "{} uses {foreign}", path.display());
            }
        }
    }
}
