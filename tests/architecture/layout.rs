//! The commissioned packages and folders are there and in use.

use std::{fs, path::Path};

/// CRD-12: the named packages are direct dependencies, the named entries exist, each service has its page.
#[test]
fn named_packages_are_used_and_named_entries_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests lie in the checkout");
    let manifests =
        ["crates/platform", "crates/codegen", "crates/contract", "crates/devstack", "services/sales"].map(
            |folder| {
                fs::read_to_string(root.join(folder).join("Cargo.toml")).expect("a manifest is readable")
            },
        );
    for package in [
        "tonic",
        "prost",
        "tokio",
        "sqlx",
        "opentelemetry",
        "tracing-opentelemetry",
        "lapin",
        "config",
        "testcontainers",
    ] {
        let line = format!("\n{package}.workspace = true");
        assert!(manifests.iter().any(|manifest| manifest.contains(&line)), "nobody depends on {package}");
    }
    for entry in ["Cargo.toml", "services", "proto", "tests", "docs", "README.md", "crates"] {
        assert!(root.join(entry).exists(), "{entry} is missing");
    }
    for service in fs::read_dir(root.join("services")).expect("the services are listed") {
        let name = service.expect("an entry is readable").file_name();
        let page = root.join("docs/services").join(&name).with_extension("md");
        assert!(page.exists(), "{} is missing", page.display());
    }
}
