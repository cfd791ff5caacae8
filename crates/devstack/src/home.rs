//! The folder of one stack: its lock, its secrets, its logs and where its servers keep their data.
//!
//! Everything a stack remembers lies here, so that starting again finds it and `reset` can delete it.

use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions, Permissions, TryLockError},
    io::{Read as _, Seek as _, Write as _},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Component, Path, PathBuf},
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};

use crate::{account::Account, checkout::Checkout};

/// Folder of private stacks below the target folder.
const PRIVATE: &str = "dev-private";
/// Age below which a folder of a private stack is left alone.
const YOUNG: Duration = Duration::from_secs(600);

/// Folder of one stack.
#[derive(Clone, Debug)]
pub struct Home {
    /// `target/dev`, `target/dev-test` or a folder below it.
    pub dir: PathBuf,
    /// True when data is kept from one run to the next.
    pub kept: bool,
    target: PathBuf,
    name: String,
}

/// Held while a stack runs; dropping it lets another one start here.
#[derive(Debug)]
pub struct Lock(#[expect(dead_code, reason = "the lock lives as long as the open file")] File);

impl Home {
    /// The folder of `cargo dev up`.
    pub fn dev(checkout: &Checkout) -> Self {
        Self::at(checkout, "dev", "dev")
    }

    /// The folder of the stack that `cargo dev test` shares between all tests.
    pub fn test(checkout: &Checkout) -> Self {
        Self::at(checkout, "dev-test", "test")
    }

    /// A folder no other stack uses, for one that is thrown away.
    pub fn private(checkout: &Checkout, name: &str) -> Self {
        let name = format!("{name}-{}", hex::encode(rand::random::<[u8; 4]>()));
        Self::at(checkout, &format!("{PRIVATE}/{name}"), &name)
    }

    /// Deletes what private stacks have left whose processes were killed before they could.
    pub fn prune_private(checkout: &Checkout) -> Result<()> {
        for entry in fs::read_dir(checkout.target.join(PRIVATE)).into_iter().flatten() {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let home = Self::at(checkout, &format!("{PRIVATE}/{name}"), &name);
            // A young one may be about to be locked.
            let young = entry
                .metadata()
                .and_then(|found| Ok(found.modified()?.elapsed().unwrap_or_default() < YOUNG));
            if !young.unwrap_or(true) && home.holder().is_none() {
                home.delete()?;
                let _ = fs::remove_dir_all(&home.dir);
            }
        }
        Ok(())
    }

    fn at(checkout: &Checkout, folder: &str, name: &str) -> Self {
        let (dir, target) = (checkout.target.join(folder), checkout.target.clone());
        Self { dir, kept: name == "dev", target, name: name.to_owned() }
    }

    /// Makes the folder with its parts.
    pub fn create(&self) -> Result<()> {
        for folder in [self.dir.clone(), self.logs(), self.dir.join("config")] {
            fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        }
        Ok(())
    }

    /// Short name of the stack.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Folder of the logs, one file a process.
    pub fn logs(&self) -> PathBuf {
        self.dir.join("logs")
    }

    /// Log of one process.
    pub fn log(&self, process: &str) -> PathBuf {
        self.logs().join(format!("{process}.log"))
    }

    /// Private key of the dev issuer.
    pub fn issuer_key(&self) -> PathBuf {
        self.dir.join("issuer-key.pem")
    }

    /// Folder of the certificates of a program, or of the broker, in a stack that speaks TLS.
    pub fn tls(&self, program: &str) -> PathBuf {
        self.dir.join("tls").join(program)
    }

    /// The installation folder, in which the operator's program finds this stack.
    pub fn installation(&self) -> PathBuf {
        self.dir.join("installation")
    }

    /// The facts that scripts read.
    pub fn facts(&self) -> PathBuf {
        self.dir.join("stack.json")
    }

    /// Takes the folder for a running stack, or says which process has it.
    pub fn lock(&self) -> Result<Lock> {
        fs::create_dir_all(&self.dir).with_context(|| format!("cannot make {}", self.dir.display()))?;
        let path = self.dir.join("lock");
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .with_context(|| format!("cannot open {}", path.display()))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                file.read_to_string(&mut holder).unwrap_or_default();
                bail!(
                    "this stack is already running (process {}); stop it with Ctrl-C there first",
                    holder.trim()
                );
            }
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("cannot lock {}", path.display()));
            }
        }
        file.set_len(0)?;
        file.rewind()?;
        write!(file, "{}", std::process::id())?;
        Ok(Lock(file))
    }

    /// Pid of the process that runs this stack, if one does.
    pub fn holder(&self) -> Option<u32> {
        let file = File::open(self.dir.join("lock")).ok()?;
        match file.try_lock_shared() {
            Err(TryLockError::WouldBlock) => std::io::read_to_string(&file).ok()?.trim().parse().ok(),
            _ => None,
        }
    }

    /// Where a server that runs as `account` keeps its data: below the home, or under `/var/tmp` where that
    /// account cannot reach the home (root's own home folder is closed to others).
    pub fn server_folder(&self, server: &str, account: &Account) -> Result<PathBuf> {
        let folder = if account.reaches(&self.dir) {
            self.dir.join(server)
        } else {
            let mut folder = self.outside();
            make_own_folder(&folder)?;
            for part in self.below_target() {
                folder.push(part);
                make_own_folder(&folder)?;
            }
            folder.join(server)
        };
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        account.own(&folder)?;
        fs::set_permissions(&folder, Permissions::from_mode(0o700))?;
        Ok(folder)
    }

    /// Deletes everything this stack remembers but its lock, which the caller holds.
    pub fn delete(&self) -> Result<()> {
        let mut doomed = vec![self.outside_of_home()];
        for entry in fs::read_dir(&self.dir).with_context(|| format!("cannot read {}", self.dir.display()))? {
            doomed.push(entry?.path());
        }
        doomed.retain(|path| *path != self.dir.join("lock"));
        for path in doomed {
            let deleted = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
            match deleted {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(error).with_context(|| format!("cannot delete {}", path.display()));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// A text that is the same at every run in this checkout and differs between checkouts.
    pub fn fingerprint(&self) -> String {
        hex::encode(&Sha256::digest(self.target.as_os_str().as_encoded_bytes())[..6])
    }

    /// Every folder the processes of this stack may work in.
    pub fn folders(&self) -> Vec<PathBuf> {
        vec![self.dir.clone(), self.outside_of_home()]
    }

    /// Folders in which a server keeps its data.
    pub fn data_folders(&self) -> Vec<PathBuf> {
        let servers = self
            .folders()
            .into_iter()
            .flat_map(|folder| ["postgres", "rabbitmq"].map(|name| folder.join(name)));
        servers.filter(|folder| folder.is_dir()).collect()
    }

    fn outside_of_home(&self) -> PathBuf {
        self.below_target().fold(self.outside(), |folder, part| folder.join(part))
    }

    fn outside(&self) -> PathBuf {
        Path::new("/var/tmp").join(format!("trato-{}", self.fingerprint()))
    }

    fn below_target(&self) -> impl Iterator<Item = Component<'_>> {
        self.dir.strip_prefix(&self.target).unwrap_or(&self.dir).components()
    }
}

/// Makes a folder in a place everybody may write to, and refuses one that somebody else has put there.
fn make_own_folder(folder: &Path) -> Result<()> {
    match fs::create_dir(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
            return Err(error).with_context(|| format!("cannot make {}", folder.display()));
        }
        _ => {}
    }
    let found = fs::symlink_metadata(folder)?;
    if !found.is_dir() || found.uid() != nix::unistd::geteuid().as_raw() {
        bail!("{} exists and is not a folder of this user; delete it", folder.display());
    }
    fs::set_permissions(folder, Permissions::from_mode(0o755))?;
    Ok(())
}

/// Writes a file that only its owner may read, whole or not at all.
pub fn write_secret(path: &Path, content: &str) -> Result<()> {
    let new = path.with_extension("new");
    let write = || -> std::io::Result<()> {
        let _ = fs::remove_file(&new);
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
        file.write_all(content.as_bytes())?;
        fs::rename(&new, path)
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}

/// What an earlier run wrote to a file of JSON, by name; nothing when there is none yet.
pub fn read_remembered<T: DeserializeOwned>(path: &Path) -> Result<BTreeMap<String, T>> {
    match fs::read_to_string(path) {
        Ok(text) => serde_json::from_str(&text).with_context(|| format!("{} is damaged", path.display())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(BTreeMap::new()),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}

/// Generated passwords, kept so that a stack finds its data again.
#[derive(Debug)]
pub struct Secrets {
    path: PathBuf,
    known: BTreeMap<String, String>,
}

impl Secrets {
    /// Reads the secrets of a home; none are there at first.
    pub fn open(home: &Home) -> Result<Self> {
        let path = home.dir.join("secrets.json");
        Ok(Self { known: read_remembered(&path)?, path })
    }

    /// The password of that name; made (160 random bits, as hex) and stored at the first call.
    pub fn get(&mut self, name: &str) -> Result<String> {
        if let Some(secret) = self.known.get(name) {
            return Ok(secret.clone());
        }
        let secret = hex::encode(rand::random::<[u8; 20]>());
        self.known.insert(name.to_owned(), secret.clone());
        write_secret(&self.path, &serde_json::to_string_pretty(&self.known)?)?;
        Ok(secret)
    }
}
