//! Rotel, a collector of telemetry that nobody here wrote: from its Python package, in an environment of its own. It takes
//! OTLP and writes what it understood to its output, which is read here.

use std::{
    net::TcpListener,
    path::PathBuf,
    process::Stdio,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    net::TcpStream,
    process::{Child, Command},
};

use super::received::{Reader, Received};
use crate::harness::{eventually::eventually, python};

const PACKAGE: &str = "rotel==0.0.1a15";
/// Longest time until it listens.
const START: Duration = Duration::from_secs(30);

/// A running Rotel; dropping it ends it.
#[derive(Debug)]
pub struct Rotel {
    address: String,
    read: Arc<Mutex<Reader>>,
    _process: Child,
}

impl Rotel {
    /// Starts to listen on a free port of this machine.
    pub async fn start() -> Self {
        let program = program().await;
        let (grpc, http) = (free_address(), free_address());
        let mut command = Command::new(program);
        command.args(["start", "--exporter", "blackhole", "--debug-log-verbosity", "detailed"]);
        for kind in ["traces", "metrics", "logs"] {
            command.args(["--debug-log", kind]);
        }
        let mut process = command
            .args(["--otlp-grpc-endpoint", &grpc, "--otlp-http-endpoint", &http])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .kill_on_drop(true)
            .spawn()
            .expect("Rotel can be started");
        let mut lines = BufReader::new(process.stdout.take().expect("its output is ours")).lines();
        let read = Arc::<Mutex<Reader>>::default();
        let reader = read.clone();
        // Ends with the process.
        tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                reader.lock().unwrap_or_else(PoisonError::into_inner).read(&line);
            }
        });
        let listens = || async { TcpStream::connect(&grpc).await.is_ok() };
        eventually(START, "Rotel to listen", listens, |listens| *listens).await;
        Self { address: grpc, read, _process: process }
    }

    /// Where programs shall send to.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What it understood so far.
    pub fn received(&self) -> Received {
        self.read.lock().unwrap_or_else(PoisonError::into_inner).received()
    }
}

/// Taken by Rotel a moment later; nobody else on this machine is likely to ask in between.
fn free_address() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
    listener.local_addr().expect("it was just bound").to_string()
}

/// The program itself; fetched when it is not there.
async fn program() -> PathBuf {
    let folder = python::environment("rotel", &[PACKAGE]).await;
    python::file_of(&folder, "rotel/rotel-agent").expect("its package has the program")
}
