//! The installation folder: one folder a service, in which each file is a variable and its content the value. That is
//! what mounting a Secret gives.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};

use crate::service::Service;

/// What the variables of services begin with; other files are none.
const PREFIX: &str = "TRATO_";
/// The login that reads whole databases; no service is given it.
const BACKUP_URL: &str = "TRATO_DATABASE__BACKUP_URL";

/// The services of an installation: those with a database first, then by name.
pub struct Installation {
    /// Where it was read.
    pub folder: PathBuf,
    /// Every service.
    pub services: Vec<Service>,
}

impl Installation {
    /// Reads an installation folder.
    pub fn read(folder: PathBuf) -> Result<Self> {
        let mut services = Vec::new();
        for (name, path) in entries(&folder)? {
            if path.is_dir() {
                let mut variables = variables(&path)?;
                let backup_url = variables.remove(BACKUP_URL);
                services.push(Service { name, variables, backup_url });
            }
        }
        if services.is_empty() {
            bail!("{} has no folder of a service", folder.display());
        }
        services.sort_by_key(|service| (!service.has_database(), service.name.clone()));
        Ok(Self { folder, services })
    }

    /// The services of these names; all without names.
    pub fn select(&self, names: &[String]) -> Result<Vec<&Service>> {
        for name in names {
            self.service(name)?;
        }
        let chosen = |service: &&Service| names.is_empty() || names.contains(&service.name);
        Ok(self.services.iter().filter(chosen).collect())
    }

    /// A service by name.
    pub fn service(&self, name: &str) -> Result<&Service> {
        self.services.iter().find(|service| service.name == name).with_context(|| {
            let names: Vec<&str> = self.services.iter().map(|service| service.name.as_str()).collect();
            format!("{} has no service {name}; it has {}", self.folder.display(), names.join(", "))
        })
    }

    /// The services that keep data.
    pub fn with_database(&self) -> impl Iterator<Item = &Service> {
        self.services.iter().filter(|service| service.has_database())
    }
}

/// What is in a folder, by name. Names with a dot in front are how Kubernetes swaps the content of a mount.
fn entries(folder: &Path) -> Result<BTreeMap<String, PathBuf>> {
    let read = || -> io::Result<_> {
        let mut found = BTreeMap::new();
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if !name.starts_with('.') {
                found.insert(name, entry.path());
            }
        }
        Ok(found)
    };
    read().with_context(|| format!("the installation folder {} cannot be read", folder.display()))
}

fn variables(folder: &Path) -> Result<BTreeMap<String, String>> {
    let mut variables = BTreeMap::new();
    for (name, path) in entries(folder)? {
        if name.starts_with(PREFIX) {
            let value =
                fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
            variables.insert(name, value.trim_end_matches(['\r', '\n']).to_owned());
        }
    }
    Ok(variables)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        for (path, content) in files {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().expect("it lies in a folder")).expect("made");
            fs::write(path, content).expect("written");
        }
        folder
    }

    #[test]
    fn each_file_is_a_variable_and_the_backup_login_is_no_services() {
        let folder = written(&[
            ("gateway/TRATO_AUTH__ISSUERS", "[]\n"),
            ("sales/TRATO_DATABASE__URL", "postgres://sales@db/sales\n"),
            ("sales/TRATO_DATABASE__BACKUP_URL", "postgres://sales_backup@db/sales"),
            ("sales/..data/TRATO_DATABASE__URL", "another"),
            ("sales/README", "not a variable"),
        ]);

        let installation = Installation::read(folder.path().to_owned()).expect("readable");

        let names: Vec<&str> = installation.services.iter().map(|service| service.name.as_str()).collect();
        assert_eq!(names, ["sales", "gateway"]);
        let sales = installation.service("sales").expect("there");
        let url = ("TRATO_DATABASE__URL".to_owned(), "postgres://sales@db/sales".to_owned());
        assert_eq!(sales.variables, BTreeMap::from([url]));
        assert_eq!(sales.backup_url.as_deref(), Some("postgres://sales_backup@db/sales"));
        assert!(installation.service("payments").is_err());
        assert!(installation.select(&["payments".to_owned()]).is_err());
    }

    #[test]
    fn a_folder_without_services_is_refused() {
        let folder = written(&[("README", "empty")]);
        assert!(Installation::read(folder.path().to_owned()).is_err());
        assert!(Installation::read(folder.path().join("nowhere")).is_err());
    }
}
