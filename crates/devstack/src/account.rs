//! The operating system's account a server runs under.
//!
//! PostgreSQL refuses to run as root; RabbitMQ should not. As root both run under an account of lesser rights.

use std::{
    os::unix::fs::{PermissionsExt as _, chown},
    path::Path,
};

use anyhow::{Context as _, Result, bail};
use nix::unistd::{Gid, Uid, User, geteuid};

/// An account of the machine.
#[derive(Clone, Debug)]
pub enum Account {
    /// The user who runs this program.
    Own,
    /// Another account, which only root can become.
    Lesser {
        /// User number.
        uid: Uid,
        /// Group number.
        gid: Gid,
    },
}

impl Account {
    /// The account for a server: our own, or as root the first of `preferred` and `nobody` that exists.
    pub fn for_server(preferred: &str) -> Result<Self> {
        if !geteuid().is_root() {
            return Ok(Self::Own);
        }
        for name in [preferred, "nobody"] {
            let user =
                User::from_name(name).with_context(|| format!("the account {name} cannot be looked up"))?;
            if let Some(user) = user {
                return Ok(Self::Lesser { uid: user.uid, gid: user.gid });
            }
        }
        bail!(
            "running as root, but there is neither an account {preferred} nor nobody to run the server under"
        )
    }

    /// True when the account can enter `folder`: every folder above it is open to others.
    pub fn reaches(&self, folder: &Path) -> bool {
        match self {
            Self::Own => true,
            Self::Lesser { .. } => folder.ancestors().all(|ancestor| {
                std::fs::metadata(ancestor).is_ok_and(|found| found.permissions().mode() & 0o001 != 0)
            }),
        }
    }

    /// Gives a file or folder to the account.
    pub fn own(&self, path: &Path) -> Result<()> {
        match self {
            Self::Own => Ok(()),
            Self::Lesser { uid, gid } => chown(path, Some(uid.as_raw()), Some(gid.as_raw()))
                .with_context(|| format!("cannot give {} to its server's account", path.display())),
        }
    }
}
