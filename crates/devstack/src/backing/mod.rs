//! Where PostgreSQL and RabbitMQ come from: servers named by the environment, containers when asked for, programs on the
//! machine, or packages that are installed first. In this order.

mod containers;
mod external;
mod install;
mod locate;
pub(crate) mod postgres;
pub(crate) mod rabbitmq;

use std::{path::PathBuf, sync::Arc, time::Duration};

use anyhow::Result;
use tokio::net::TcpStream;

pub use containers::{Container, forget as forget_containers};
pub use locate::on_path;

use self::locate::Found;
use crate::{
    certificates::Authority,
    home::{Home, Secrets},
    ports::Ports,
    progress::Progress,
    unit::{Unit, Watch},
};

/// Packages of Debian and Ubuntu.
const POSTGRES_PACKAGES: &[&str] = &["postgresql"];
const RABBITMQ_PACKAGES: &[&str] = &["rabbitmq-server"];

/// Which servers a stack may use.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Servers {
    /// Those of the environment, else private ones, installed if need be.
    #[default]
    Any,
    /// Private ones in containers.
    Containers,
    /// Private ones only, because they will be broken; nothing is installed.
    Private,
}

/// A PostgreSQL that answers.
#[derive(Debug)]
pub struct Postgres {
    /// URL of a superuser.
    pub url: String,
    /// How to break it; none for a server somebody else runs.
    pub control: Option<Control>,
}

/// A RabbitMQ that answers.
#[derive(Debug)]
pub struct RabbitMq {
    /// URL for the services.
    pub url: String,
    /// The same by TLS, when a stack speaks it.
    pub tls_url: Option<String>,
    /// How to break it; none for a server somebody else runs.
    pub control: Option<Control>,
    /// The port mapper beside a private node, which ends after it.
    pub helper: Option<Arc<Unit>>,
}

/// Something of a stack that can be killed and started again.
#[derive(Clone, Debug)]
pub enum Control {
    /// A child process.
    Process(Arc<Unit>),
    /// A container.
    Container(Arc<Container>),
}

impl Control {
    /// Its name in the stack.
    pub fn name(&self) -> &str {
        match self {
            Self::Process(unit) => &unit.name,
            Self::Container(container) => &container.name,
        }
    }

    /// Number of the process, when it is one and runs.
    pub fn pid(&self) -> Option<u32> {
        match self {
            Self::Process(unit) => unit.pid(),
            Self::Container(_) => None,
        }
    }

    /// `kill -9` with all its children; it stays down.
    pub async fn kill(&self) -> Result<()> {
        match self {
            Self::Process(unit) => unit.kill().await,
            Self::Container(container) => container.kill().await,
        }
    }

    /// Starts it again where it was, without waiting until it serves.
    pub async fn start(&self) -> Result<()> {
        match self {
            Self::Process(unit) => unit.start().await,
            Self::Container(container) => container.start().await,
        }
    }

    /// Ends it in an orderly way.
    pub async fn stop(&self) -> Result<()> {
        match self {
            Self::Process(unit) => unit.stop().await,
            Self::Container(container) => container.remove().await,
        }
    }

    /// Freezes it.
    pub async fn pause(&self) -> Result<()> {
        match self {
            Self::Process(unit) => unit.pause(),
            Self::Container(container) => container.pause().await,
        }
    }

    /// Lets it go on.
    pub async fn resume(&self) -> Result<()> {
        match self {
            Self::Process(unit) => unit.resume(),
            Self::Container(container) => container.resume().await,
        }
    }

    /// Waits until it serves.
    pub async fn wait_ready(&self, within: Duration) -> Result<()> {
        match self {
            Self::Process(unit) => unit.wait_ready(within).await,
            Self::Container(container) => container.wait_ready(within).await,
        }
    }
}

/// Finds or starts both servers, at the same time.
pub async fn start(
    servers: Servers,
    home: &Home,
    ports: &mut Ports,
    secrets: &mut Secrets,
    authority: Option<&Authority>,
    watch: &Watch,
) -> Result<(Postgres, RabbitMq)> {
    let postgres_password = secrets.get("postgres")?;
    let rabbitmq_password = secrets.get("rabbitmq")?;
    let (external_postgres, external_rabbitmq) = match servers {
        Servers::Any => (external::postgres().await?, external::rabbitmq().await?),
        Servers::Containers | Servers::Private => (None, None),
    };
    for (name, found) in
        [("postgres", external_postgres.is_some()), ("rabbitmq", external_rabbitmq.is_some())]
    {
        if found {
            watch.progress.say(name, "the server named by the environment answers");
        }
    }
    if servers == Servers::Containers {
        containers::make_room(home).await?;
    } else {
        let (postgres, rabbitmq) = (external_postgres.is_none(), external_rabbitmq.is_none());
        ensure_installed(servers, home, postgres, rabbitmq, &watch.progress).await?;
    }
    let node = rabbitmq::NodePorts::claim(ports)?;
    let (postgres_port, rabbitmq_port) = (ports.claim("postgres")?, node.amqp());
    let postgres = async {
        match external_postgres {
            Some(postgres) => Ok(postgres),
            None if servers == Servers::Containers => {
                containers::postgres(home, postgres_port, &postgres_password, watch).await
            }
            None => match postgres::locate(home)? {
                Found::Usable(found) => {
                    postgres::start(&found, home, postgres_port, &postgres_password, watch).await
                }
                Found::TooOld(found) => Err(install::not_usable(Some(found), POSTGRES_PACKAGES)),
                Found::Missing => Err(install::not_usable(None, POSTGRES_PACKAGES)),
            },
        }
    };
    let rabbitmq = async {
        match external_rabbitmq {
            Some(rabbitmq) => Ok(rabbitmq),
            None if servers == Servers::Containers => {
                containers::rabbitmq(home, rabbitmq_port, &rabbitmq_password, watch).await
            }
            None => match locate::rabbitmq() {
                Found::Usable(found) => {
                    rabbitmq::start(&found, home, node, &rabbitmq_password, authority, watch).await
                }
                Found::TooOld(found) => Err(install::not_usable(Some(found), RABBITMQ_PACKAGES)),
                Found::Missing => Err(install::not_usable(None, RABBITMQ_PACKAGES)),
            },
        }
    };
    tokio::try_join!(postgres, rabbitmq)
}

/// True when the PostgreSQL of this URL accepts a login.
pub async fn postgres_answers(url: &str) -> bool {
    postgres::answers(url).await
}

/// True when a broker greets at the address of this URL; by TLS it is only known that somebody is there.
pub async fn broker_answers(url: &str) -> bool {
    match external::address(url) {
        Some(address) if url.starts_with("amqps:") => TcpStream::connect(address).await.is_ok(),
        Some(address) => rabbitmq::greets(&address).await,
        None => false,
    }
}

/// Path of `psql` beside the server's programs, or on the PATH.
pub fn psql() -> Option<PathBuf> {
    match locate::postgres(None) {
        Found::Usable(programs) if programs.folder.join("psql").is_file() => {
            Some(programs.folder.join("psql"))
        }
        _ => on_path("psql"),
    }
}

async fn ensure_installed(
    servers: Servers,
    home: &Home,
    postgres: bool,
    rabbitmq: bool,
    progress: &Progress,
) -> Result<()> {
    let mut missing = Vec::new();
    if postgres && !matches!(postgres::locate(home)?, Found::Usable(_)) {
        missing.extend(POSTGRES_PACKAGES);
    }
    if rabbitmq && !matches!(locate::rabbitmq(), Found::Usable(_)) {
        missing.extend(RABBITMQ_PACKAGES);
    }
    if missing.is_empty() || servers == Servers::Private {
        return Ok(());
    }
    progress.say("servers", format!("not on this machine in a version that will do: {}", missing.join(", ")));
    install::packages(&missing, progress).await
}
