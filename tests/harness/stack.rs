//! The stack all tests share.

use std::{collections::BTreeMap, sync::OnceLock};

use trato_devstack::Facts;

/// What `cargo dev test` has started. Panics, saying how to run the tests, when it did not.
pub fn shared() -> &'static Facts {
    static FACTS: OnceLock<Result<Facts, String>> = OnceLock::new();
    match FACTS.get_or_init(|| Facts::attach().map_err(|error| format!("{error:#}"))) {
        Ok(facts) => facts,
        Err(error) => panic!("{error}"),
    }
}

/// True when the long forms of tests were asked for, by `cargo dev test --long`.
pub fn is_long_run() -> bool {
    trato_devstack::variables::is_long_run()
}

/// The processes as they were at some moment, to find out whether all of them lived on.
#[derive(Debug)]
pub struct Vigil {
    pids: BTreeMap<String, Option<u32>>,
    panics: usize,
}

impl Vigil {
    /// Notes which processes run now, and how often any of them has panicked so far.
    pub fn begin() -> Self {
        let facts = now();
        Self { pids: pids(&facts), panics: panics(&facts) }
    }

    /// Panics when a process died, is no longer ready, or caught a panic meanwhile.
    #[track_caller]
    pub fn all_live(&self) -> impl Future<Output = ()> {
        let facts = now();
        assert_eq!(pids(&facts), self.pids, "a process died");
        assert_eq!(
            panics(&facts),
            self.panics,
            "a process panicked; see {}",
            facts.home.join("logs").display()
        );
        let admins: Vec<String> = facts.services.values().map(|service| service.admin.clone()).collect();
        async move {
            for admin in admins {
                assert!(trato_devstack::http::is_ready(&admin).await, "{admin} is not ready");
            }
        }
    }
}

fn now() -> Facts {
    Facts::attach().expect("the shared stack runs for as long as the tests")
}

fn pids(facts: &Facts) -> BTreeMap<String, Option<u32>> {
    let services = facts.services.values().flat_map(|service| &service.replicas);
    let mut pids: BTreeMap<_, _> = services.map(|replica| (replica.name.clone(), replica.pid)).collect();
    pids.insert("gateway".to_owned(), facts.gateway.as_ref().and_then(|gateway| gateway.pid));
    pids
}

fn panics(facts: &Facts) -> usize {
    let mut logs = logs(facts);
    logs.retain(|(name, _)| {
        name.starts_with("gateway") || facts.services.keys().any(|one| name.starts_with(one))
    });
    logs.iter().map(|(_, text)| text.matches("panicked at").count()).sum()
}

/// Name and text of every log of a stack.
pub fn logs(facts: &Facts) -> Vec<(String, String)> {
    let files = std::fs::read_dir(facts.home.join("logs")).expect("a stack has a folder of logs");
    let paths = files.flatten().map(|file| file.path());
    let read = |path: std::path::PathBuf| {
        let text = String::from_utf8_lossy(&std::fs::read(&path).ok()?).into_owned();
        Some((path.file_stem()?.to_str()?.to_owned(), text))
    };
    paths.filter_map(read).collect()
}
