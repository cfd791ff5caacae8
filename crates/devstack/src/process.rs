//! Child processes: started so that they cannot outlive this program, watched, stopped in bounded time.
//!
//! `setpriv --pdeathsig` makes the kernel end a child when the *thread* that started it ends, even by `kill -9`; so all
//! children are started by one thread that lives as long as the program.

use std::{
    ffi::OsString,
    fs::OpenOptions,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    sync::{OnceLock, mpsc},
    time::Duration,
};

use anyhow::{Context as _, Result, anyhow, bail};
use nix::sys::signal::Signal;
use tokio::{
    process::{Child, Command},
    runtime::Handle,
    sync::{oneshot, watch},
};

use crate::{account::Account, proc, wait::eventually};

/// Longest time a killed process may take to end, on a machine under load.
const KILL_PATIENCE: Duration = Duration::from_secs(15);

/// How to start a program; keeping it allows to start it again.
#[derive(Clone, Debug)]
pub struct Launch {
    /// Name of the process in messages and of its log.
    pub name: String,
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<OsString>,
    /// True when the child shall not see our own environment.
    pub clear_env: bool,
    /// Variables to set (`Some`) or to remove (`None`).
    pub env: Vec<(OsString, Option<OsString>)>,
    /// Working folder.
    pub folder: PathBuf,
    /// The account it runs under.
    pub account: Account,
    /// What the kernel sends it when this program dies without stopping it.
    pub death_signal: Signal,
    /// File that takes its output.
    pub log: PathBuf,
}

impl Launch {
    /// A program with its log and nothing else.
    pub fn new(name: &str, program: impl Into<PathBuf>, folder: &Path, log: PathBuf) -> Self {
        Self {
            name: name.to_owned(),
            program: program.into(),
            args: Vec::new(),
            clear_env: false,
            env: Vec::new(),
            folder: folder.to_owned(),
            account: Account::Own,
            death_signal: Signal::SIGKILL,
            log,
        }
    }

    /// Adds an argument.
    #[must_use]
    pub fn arg(mut self, arg: impl Into<OsString>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// Adds several arguments.
    #[must_use]
    pub fn args<A: Into<OsString>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Sets a variable.
    #[must_use]
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.env.push((name.into(), Some(value.into())));
        self
    }

    /// Starts with an empty environment.
    #[must_use]
    pub fn clear_env(mut self) -> Self {
        self.clear_env = true;
        self
    }

    /// Runs under another account.
    #[must_use]
    pub fn account(mut self, account: &Account) -> Self {
        self.account = account.clone();
        self
    }

    /// Chooses what the kernel sends it when this program dies.
    #[must_use]
    pub fn death_signal(mut self, signal: Signal) -> Self {
        self.death_signal = signal;
        self
    }

    /// The command behind `setpriv`, in a process group of its own so that Ctrl-C reaches only this program.
    fn command(&self) -> Command {
        let mut command = Command::new("setpriv");
        command.arg("--pdeathsig").arg(self.death_signal.as_str().trim_start_matches("SIG"));
        if let Account::Lesser { uid, gid } = self.account {
            command.arg(format!("--reuid={uid}")).arg(format!("--regid={gid}")).arg("--init-groups");
        }
        command.arg("--").arg(&self.program).args(&self.args);
        if self.clear_env {
            command.env_clear();
            // Found before the environment was emptied; the child gets the PATH of its own variables.
            command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        }
        for (name, value) in &self.env {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command.current_dir(&self.folder).stdin(Stdio::null()).process_group(0).kill_on_drop(true);
        command
    }

    /// Starts the process; its output is added to its log.
    pub async fn spawn(&self) -> Result<Process> {
        let log = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.log)
            .with_context(|| format!("cannot write {}", self.log.display()))?;
        let mut command = self.command();
        command.stdout(log.try_clone()?).stderr(log);
        let child = spawn_lasting(command).await.with_context(|| self.cannot_start())?;
        Process::watch(child)
    }

    /// Runs a program to its end within `patience`; an exit code other than 0 is an error that carries its output.
    pub async fn run(&self, patience: Duration) -> Result<String> {
        let mut command = self.command();
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = spawn_lasting(command).await.with_context(|| self.cannot_start())?;
        let output = tokio::time::timeout(patience, child.wait_with_output())
            .await
            .map_err(|_| anyhow!("{} did not end within {} s", self.name, patience.as_secs()))??;
        let text =
            [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
        if !output.status.success() {
            bail!("{} failed ({}):\n{}", self.name, output.status, text.trim_end());
        }
        Ok(text)
    }

    fn cannot_start(&self) -> String {
        format!("cannot start {} (by setpriv of util-linux, which must be installed)", self.name)
    }
}

/// A running child, or one that has ended.
#[derive(Debug)]
pub struct Process {
    pid: u32,
    exit: watch::Receiver<Option<ExitStatus>>,
}

impl Process {
    fn watch(mut child: Child) -> Result<Self> {
        let pid = child.id().context("the process ended before its number was known")?;
        let (sender, exit) = watch::channel(None);
        tokio::spawn(async move {
            if let Ok(status) = child.wait().await {
                sender.send_replace(Some(status));
            }
        });
        Ok(Self { pid, exit })
    }

    /// Its number.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// How it ended, when it has.
    pub fn exit_status(&self) -> Option<ExitStatus> {
        *self.exit.borrow()
    }

    /// Waits for its end. A handle of its own, so that others may act on the process meanwhile.
    pub fn exited(&self) -> impl Future<Output = Option<ExitStatus>> + Send + use<> {
        let mut exit = self.exit.clone();
        async move { exit.wait_for(Option::is_some).await.ok().and_then(|status| *status) }
    }

    /// Asks it to end by `signal`; after `patience` it is killed with all its children. Ends when it has ended.
    pub async fn stop(&self, signal: Signal, patience: Duration) -> Result<()> {
        if self.exit_status().is_some() {
            return Ok(());
        }
        proc::send(self.pid, signal)?;
        if tokio::time::timeout(patience, self.exited()).await.is_err() {
            return self.kill().await;
        }
        Ok(())
    }

    /// `kill -9` of the process and all its children; ends when all of them have ended.
    pub async fn kill(&self) -> Result<()> {
        if self.exit_status().is_some() {
            return Ok(());
        }
        let below = proc::kill_tree(self.pid)?;
        eventually(KILL_PATIENCE, &format!("the end of process {}, which was killed", self.pid), || async {
            let ended = self.exit_status().is_some() && !below.iter().any(|pid| proc::is_alive(*pid));
            ended.then_some(())
        })
        .await
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.exit_status().is_none() {
            // The process may have ended in this instant; then there is nothing to kill, and no one to tell.
            let _ = proc::kill_tree(self.pid);
        }
    }
}

type Order = (Command, Handle, oneshot::Sender<std::io::Result<Child>>);

/// Starts a command from the thread that never ends, with this task's runtime to watch it.
async fn spawn_lasting(command: Command) -> Result<Child> {
    static SPAWNER: OnceLock<mpsc::Sender<Order>> = OnceLock::new();
    let spawner = SPAWNER.get_or_init(|| {
        let (sender, orders) = mpsc::channel::<Order>();
        std::thread::spawn(move || {
            for (mut command, runtime, answer) in orders {
                let _entered = runtime.enter();
                // The caller may have given up; its child is then dropped and thereby killed.
                let _ = answer.send(command.spawn());
            }
        });
        sender
    });
    let (answer, child) = oneshot::channel();
    spawner
        .send((command, Handle::current(), answer))
        .ok()
        .context("the thread that starts processes has ended")?;
    Ok(child.await.context("the thread that starts processes has ended")??)
}
