//! Finds tests whose doc comment begins with requirement identifiers: `/// SFA-05, SFA-07: the funnel counts …`.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};

/// A test function that says which requirements it proves.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Proof {
    /// The identifiers, in the order written.
    pub ids: Vec<String>,
    /// Package of the source file.
    pub package: String,
    /// Module of the source file; none for the root file of a target.
    pub module: Option<String>,
    /// Name of the function.
    pub function: String,
}

impl Proof {
    /// True for the full name, `package::target::module::function`, of this test.
    pub fn is(&self, name: &str) -> bool {
        let parts: Vec<&str> = name.split("::").collect();
        parts.first() == Some(&self.package.as_str())
            && parts.last() == Some(&self.function.as_str())
            && self.module.as_ref().is_none_or(|module| parts.contains(&module.as_str()))
    }
}

impl fmt::Display for Proof {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}::{}::{}", self.package, self.module.as_deref().unwrap_or("…"), self.function)
    }
}

/// Reads all Rust sources below `root`, build output left out.
pub fn scan(root: &Path) -> Result<Vec<Proof>> {
    let mut proofs = Vec::new();
    scan_folder(root, "", &mut proofs)?;
    Ok(proofs)
}

fn scan_folder(folder: &Path, package: &str, proofs: &mut Vec<Proof>) -> Result<()> {
    let own = package_of(folder);
    let package = own.as_deref().unwrap_or(package);
    let read = || -> std::io::Result<Vec<PathBuf>> {
        fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect()
    };
    let mut entries = read().with_context(|| format!("cannot read {}", folder.display()))?;
    entries.sort();
    for path in entries {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.is_dir() {
            if !name.starts_with('.') && name != "target" {
                scan_folder(&path, package, proofs)?;
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text =
                fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
            let module = module_of(&path);
            proofs.extend(proofs_in(&text).map(|(ids, function)| Proof {
                ids,
                package: package.to_owned(),
                module: module.clone(),
                function,
            }));
        }
    }
    Ok(())
}

fn package_of(folder: &Path) -> Option<String> {
    let manifest: toml::Table = fs::read_to_string(folder.join("Cargo.toml")).ok()?.parse().ok()?;
    Some(manifest.get("package")?.get("name")?.as_str()?.to_owned())
}

/// Last module of a file's path: `opportunity/model.rs` is `model`, `flows/mod.rs` is `flows`, `lib.rs` is the root.
fn module_of(path: &Path) -> Option<String> {
    let stem = path.file_stem()?.to_str()?;
    match stem {
        "lib" | "main" => None,
        "mod" => Some(path.parent()?.file_name()?.to_str()?.to_owned()),
        _ => Some(stem.to_owned()),
    }
}

/// Walks the lines once: a doc comment and attributes lead to a function, any other line forgets them.
fn proofs_in(text: &str) -> impl Iterator<Item = (Vec<String>, String)> {
    let mut proofs = Vec::new();
    let (mut ids, mut documented, mut test) = (Vec::new(), false, false);
    for line in text.lines().map(str::trim) {
        if let Some(comment) = line.strip_prefix("///") {
            if !documented {
                ids = leading_ids(comment);
            }
            documented = true;
        } else if line.starts_with("#[") {
            test |= is_test(line);
        } else {
            if let (true, false, Some(function)) = (test, ids.is_empty(), function_name(line)) {
                proofs.push((std::mem::take(&mut ids), function));
            }
            (ids, documented, test) = (Vec::new(), false, false);
        }
    }
    proofs.into_iter()
}

/// `#[test]`, `#[tokio::test]`, `#[tokio::test(flavor = "…")]`.
fn is_test(attribute: &str) -> bool {
    let path = attribute.trim_start_matches("#[").split(['(', ']']).next().unwrap_or_default();
    path == "test" || path.ends_with("::test")
}

/// The identifiers a comment begins with, separated by commas, spaces or `and`.
fn leading_ids(comment: &str) -> Vec<String> {
    let words = comment.split([' ', ',']).filter(|word| !word.is_empty() && *word != "and");
    let mut ids = Vec::new();
    for word in words {
        let id = word.trim_end_matches([':', '.', ';']);
        if !is_id(id) {
            break;
        }
        ids.push(id.to_owned());
        if id.len() < word.len() {
            break;
        }
    }
    ids
}

/// Two to four capitals, a hyphen, two digits: `SFA-05`.
fn is_id(word: &str) -> bool {
    word.split_once('-').is_some_and(|(area, number)| {
        (2..=4).contains(&area.len())
            && area.bytes().all(|byte| byte.is_ascii_uppercase())
            && number.len() == 2
            && number.bytes().all(|byte| byte.is_ascii_digit())
    })
}

fn function_name(line: &str) -> Option<String> {
    let after = line.split_once("fn ")?.1;
    let name: String =
        after.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect();
    (!name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_read_from_the_first_words_only() {
        assert_eq!(leading_ids(" SFA-05, SFA-07: the funnel"), ["SFA-05", "SFA-07"]);
        assert_eq!(leading_ids(" CRD-01 every service answers alone"), ["CRD-01"]);
        assert_eq!(leading_ids(" COL-27 and PLT-12: roles"), ["COL-27", "PLT-12"]);
        assert!(leading_ids(" a rule of SFA-05").is_empty());
        assert!(leading_ids(" UTF-8: bytes").is_empty());
    }

    #[test]
    fn only_documented_tests_are_proofs() {
        // Another letter in the identifiers, or the whole suite's scan would find them here.
        let source = "
            /// _BC-05: counts.
            /// MDM-01 is no first word.
            #[tokio::test(flavor = \"multi_thread\")]
            async fn it_counts() {}

            #[test]
            /// _BC-06: after the attribute.
            fn it_sorts() {}

            /// _BC-07: no test.
            fn helper() {}

            #[test]
            fn undocumented() {}
        "
        .replace("_BC", "ABC");
        let proofs: Vec<_> = proofs_in(&source).collect();
        assert_eq!(
            proofs,
            [
                (vec!["ABC-05".to_owned()], "it_counts".to_owned()),
                (vec!["ABC-06".to_owned()], "it_sorts".to_owned())
            ]
        );
    }

    #[test]
    fn a_proof_is_told_from_its_namesake_in_another_module() {
        let proof = Proof {
            ids: vec![],
            package: "trato-sales".into(),
            module: module_of(Path::new("services/sales/tests/it/funnel.rs")),
            function: "it_counts".into(),
        };
        assert!(proof.is("trato-sales::it::funnel::it_counts"));
        assert!(!proof.is("trato-sales::it::pipeline::it_counts"));
        assert!(!proof.is("trato-customers::it::funnel::it_counts"));
    }
}
