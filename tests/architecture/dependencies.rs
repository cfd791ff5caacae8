//! The crate graph: who may know whom, and one place for versions.

use std::collections::{BTreeMap, BTreeSet};

use toml::{Table, Value};

use super::checkout::{files, manifests, read};

/// Dependencies of one crate.
struct Crate {
    /// Of the code that is shipped and of build scripts.
    shipped: BTreeSet<String>,
    /// Of its tests besides.
    tests: BTreeSet<String>,
}

fn graph() -> BTreeMap<String, Crate> {
    let names = |manifest: &Table, section: &str| -> BTreeSet<String> {
        manifest.get(section).and_then(Value::as_table).into_iter().flat_map(Table::keys).cloned().collect()
    };
    let package =
        |manifest: &Table| manifest["package"]["name"].as_str().expect("a package has a name").to_owned();
    manifests()
        .iter()
        .map(|(_, manifest)| {
            let mut shipped = names(manifest, "dependencies");
            shipped.extend(names(manifest, "build-dependencies"));
            (package(manifest), Crate { shipped, tests: names(manifest, "dev-dependencies") })
        })
        .collect()
}

fn own(dependencies: &BTreeSet<String>) -> BTreeSet<&str> {
    dependencies.iter().map(String::as_str).filter(|name| name.starts_with("trato-")).collect()
}

/// Our own crates each crate may know. What is not here may know nobody.
const MAY_KNOW: [(&str, &[&str]); 16] = [
    ("trato-types", &[]),
    ("trato-codegen", &[]),
    ("trato-query", &["trato-types"]),
    ("trato-pricing", &["trato-types"]),
    ("trato-einvoice", &["trato-types", "trato-pricing"]),
    ("trato-paper", &["trato-types"]),
    ("trato-contract", &["trato-types", "trato-codegen"]),
    ("trato-proto", &["trato-types", "trato-contract", "trato-codegen"]),
    ("trato-platform", &["trato-types", "trato-query", "trato-contract"]),
    ("trato-customers", &["trato-types", "trato-query", "trato-contract", "trato-platform", "trato-proto"]),
    (
        "trato-sales",
        &[
            "trato-types",
            "trato-query",
            "trato-pricing",
            "trato-paper",
            "trato-contract",
            "trato-platform",
            "trato-proto",
        ],
    ),
    (
        "trato-billing",
        &[
            "trato-types",
            "trato-query",
            "trato-pricing",
            "trato-einvoice",
            "trato-paper",
            "trato-contract",
            "trato-platform",
            "trato-proto",
        ],
    ),
    ("trato-gateway", &["trato-types", "trato-contract", "trato-platform", "trato-proto"]),
    ("trato-operator", &[]),
    ("trato-devstack", &["trato-types"]),
    ("trato-tests", &["trato-devstack", "trato-proto", "trato-types"]),
];

/// Packages a crate must not use, since it would do another one's work.
const MUST_NOT_USE: [(&str, &[&str]); 13] = [
    ("trato-types", &["tokio", "sqlx", "tonic", "prost", "axum", "lapin", "reqwest"]),
    ("trato-query", &["tokio", "sqlx", "tonic", "prost", "axum", "lapin"]),
    ("trato-pricing", &["tokio", "sqlx", "tonic", "prost", "axum", "lapin", "chrono"]),
    ("trato-einvoice", &["tokio", "sqlx", "tonic", "prost", "axum", "lapin", "chrono"]),
    ("trato-paper", &["tokio", "sqlx", "tonic", "prost", "axum", "lapin"]),
    ("trato-contract", &["sqlx", "lapin", "axum"]),
    ("trato-proto", &["sqlx", "lapin", "axum"]),
    ("trato-customers", &["lapin", "opentelemetry", "tracing-opentelemetry", "axum", "jsonwebtoken"]),
    ("trato-sales", &["lapin", "opentelemetry", "tracing-opentelemetry", "axum", "jsonwebtoken"]),
    ("trato-billing", &["lapin", "opentelemetry", "tracing-opentelemetry", "axum", "jsonwebtoken"]),
    ("trato-gateway", &["sqlx", "lapin", "trato-query"]),
    ("trato-operator", &["lapin", "tonic", "axum"]),
    ("trato-platform", &["trato-proto", "trato-devstack"]),
];

/// CRD-01, CRD-02: services do not know each other, and every crate knows only those below it.
#[test]
fn every_crate_knows_only_the_crates_below_it() {
    for (name, one) in graph() {
        let allowed: BTreeSet<&str> = MAY_KNOW
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, all)| all.iter().copied().collect())
            .unwrap_or_default();
        let forbidden: Vec<_> = own(&one.shipped).difference(&allowed).copied().collect();
        assert!(forbidden.is_empty(), "{name} knows {forbidden:?}");
        // Tests may reach a little further: into the platform's own test helpers, never into another service.
        let of_tests: Vec<_> = own(&one.tests).difference(&allowed).copied().collect();
        let is_service = |name: &&&str| {
            ["trato-customers", "trato-sales", "trato-billing", "trato-gateway"].contains(name)
        };
        assert!(of_tests.iter().filter(is_service).count() == 0, "the tests of {name} know {of_tests:?}");
    }
}

/// CRD-01, CRD-02: what belongs to one crate is not done by another beside it.
#[test]
fn no_crate_uses_a_package_that_is_another_ones_business() {
    let graph = graph();
    for (name, packages) in MUST_NOT_USE {
        let one = graph.get(name).unwrap_or_else(|| panic!("there is no crate {name}"));
        let used: Vec<_> = packages.iter().filter(|package| one.shipped.contains(**package)).collect();
        assert!(used.is_empty(), "{name} uses {used:?}");
    }
    let users: Vec<_> = graph
        .iter()
        .filter(|(_, one)| one.shipped.contains("trato-devstack"))
        .map(|(name, _)| name)
        .collect();
    assert!(users.is_empty(), "{users:?} link the dev runner");
}

#[test]
fn versions_and_features_stand_in_the_root_manifest_only() {
    for (folder, manifest) in manifests() {
        for section in ["dependencies", "dev-dependencies", "build-dependencies"] {
            for (name, dependency) in manifest.get(section).and_then(Value::as_table).into_iter().flatten() {
                let from_root = dependency.get("workspace").and_then(Value::as_bool) == Some(true);
                assert!(from_root, "{}: {name} has a version of its own", folder.display());
            }
        }
        for key in ["version", "edition", "rust-version"] {
            let inherited = manifest["package"][key].get("workspace").and_then(Value::as_bool) == Some(true);
            assert!(inherited, "{}: {key} is not the workspace's", folder.display());
        }
        let lints = manifest.get("lints").and_then(|lints| lints.get("workspace")).and_then(Value::as_bool);
        assert_eq!(lints, Some(true), "{} does not take the workspace's lints", folder.display());
    }
}

/// Packages the suite was commissioned to be made with.
const NAMED: [&str; 13] = [
    "tonic",
    "prost",
    "lapin",
    "sqlx",
    "config",
    "opentelemetry",
    "opentelemetry_sdk",
    "opentelemetry-otlp",
    "tracing-opentelemetry",
    "axum",
    "tokio",
    "tracing",
    "testcontainers",
];

/// CRD-12: the named packages are direct dependencies, and sources use them.
#[test]
fn the_named_packages_are_direct_and_used() {
    for package in NAMED {
        let word = format!("{}::", package.replace('-', "_"));
        let users: Vec<_> = manifests()
            .into_iter()
            .filter(|(_, manifest)| {
                manifest.get("dependencies").is_some_and(|all| all.get(package).is_some())
            })
            .map(|(folder, _)| folder)
            .collect();
        assert!(!users.is_empty(), "nobody depends on {package}");
        let used = users.iter().any(|folder| {
            let sources = files(&folder.join("src").to_string_lossy(), ".rs");
            sources.iter().any(|source| read(source).contains(&word))
        });
        assert!(used, "{users:?} depend on {package} and do not use it");
    }
}

#[test]
fn the_root_manifest_names_no_package_that_nobody_uses() {
    let root: Table = read("Cargo.toml").parse().expect("a manifest is TOML");
    let table = root["workspace"]["dependencies"].as_table().expect("it is one");
    let used: BTreeSet<String> =
        graph().into_values().flat_map(|one| one.shipped.into_iter().chain(one.tests)).collect();
    let unused: Vec<_> = table.keys().filter(|name| !used.contains(*name)).collect();
    assert!(unused.is_empty(), "{unused:?}");
}
