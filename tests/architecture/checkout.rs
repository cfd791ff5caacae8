//! The checkout as files.

use std::{
    fs,
    path::{Path, PathBuf},
};

use toml::Table;

/// Services that keep data.
pub const DATA_SERVICES: [&str; 3] = ["customers", "sales", "billing"];

/// Folder of the workspace.
pub fn root() -> PathBuf {
    trato_devstack::Checkout::find().expect("tests run inside the checkout").root
}

/// Every file below a folder of the checkout with this ending, by its path from the root, sorted.
pub fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    collect(&root().join(folder), ending, &mut found);
    found.sort();
    assert!(!found.is_empty(), "{folder} has no {ending}");
    found
}

fn collect(folder: &Path, ending: &str, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the folder can be read").flatten() {
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        if path.is_dir() && name != "target" && !name.starts_with('.') {
            collect(&path, ending, found);
        } else if path.is_file() && name.ends_with(ending) {
            found.push(path.strip_prefix(root()).expect("it lies below").to_owned());
        }
    }
}

/// Text of a file, by its path from the root.
pub fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{} cannot be read: {error}", path.display()))
}

/// Every crate's folder from the root, with its manifest.
pub fn manifests() -> Vec<(PathBuf, Table)> {
    let mut found = Vec::new();
    for folder in ["crates", "services", "proto", "tests"] {
        for path in files(folder, "Cargo.toml") {
            let manifest: Table = read(&path).parse().expect("a manifest is TOML");
            found.push((path.parent().expect("it lies in a folder").to_owned(), manifest));
        }
    }
    found
}

/// All sources of our own.
pub fn sources() -> Vec<PathBuf> {
    ["crates", "services", "proto", "tests"].iter().flat_map(|folder| files(folder, ".rs")).collect()
}
