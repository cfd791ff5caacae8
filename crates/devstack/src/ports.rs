//! Which port each process listens on; remembered, so that addresses and tokens survive a restart.

use std::{
    collections::{BTreeMap, HashSet},
    net::{Ipv4Addr, TcpListener},
    path::PathBuf,
    sync::{Mutex, PoisonError},
};

use anyhow::{Result, bail};

use crate::home::{Home, read_remembered, write_secret};

/// Below the range the kernel takes for outgoing connections, so that none of them sits on a port while its process
/// is down and about to be started again.
const RANGE: std::ops::Range<u16> = 20_000..30_000;

/// The ports of one stack.
#[derive(Debug)]
pub struct Ports {
    path: PathBuf,
    known: BTreeMap<String, u16>,
}

impl Ports {
    /// Reads what the last run used.
    pub fn open(home: &Home) -> Result<Self> {
        let path = home.dir.join("ports.json");
        Ok(Self { known: read_remembered(&path)?, path })
    }

    /// The port remembered for `use_name`, without asking whether it is free.
    pub fn known(&self, use_name: &str) -> Option<u16> {
        self.known.get(use_name).copied()
    }

    /// A free port for `use_name`: the same as last time when nothing else listens there.
    pub fn claim(&mut self, use_name: &str) -> Result<u16> {
        let port = match self.known.get(use_name) {
            Some(&port) if reserve(port) => port,
            _ => any_free_port()?,
        };
        if self.known.insert(use_name.to_owned(), port) != Some(port) {
            write_secret(&self.path, &serde_json::to_string_pretty(&self.known)?)?;
        }
        Ok(port)
    }
}

fn any_free_port() -> Result<u16> {
    for _ in 0..200 {
        let port = rand::random_range(RANGE);
        if reserve(port) {
            return Ok(port);
        }
    }
    bail!("no free port found between {} and {}", RANGE.start, RANGE.end)
}

/// True when nothing listens on the port and nobody in this process has been promised it.
fn reserve(port: u16) -> bool {
    static PROMISED: Mutex<Option<HashSet<u16>>> = Mutex::new(None);
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok();
    let mut promised = PROMISED.lock().unwrap_or_else(PoisonError::into_inner);
    free && promised.get_or_insert_default().insert(port)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::checkout::Checkout;

    #[test]
    fn a_port_is_remembered_unless_somebody_else_took_it() {
        let home = Home::private(&Checkout::find().expect("tests run in the checkout"), "ports");
        home.create().expect("the target folder can be written");

        let first = Ports::open(&home).and_then(|mut ports| ports.claim("a")).expect("a free port");
        let _listening = TcpListener::bind((Ipv4Addr::LOCALHOST, first)).expect("it is free");
        let second = Ports::open(&home).and_then(|mut ports| ports.claim("a")).expect("another free port");

        assert_ne!(first, second);
        assert_eq!(Ports::open(&home).expect("it was written").known("a"), Some(second));
        fs::remove_dir_all(&home.dir).expect("own folder");
    }
}
