//! PostgreSQL and RabbitMQ in containers, by the testcontainers crate, when somebody asks for them.
//!
//! Ports are published on the loopback address only and stay the same, and data lies in named volumes, so that a
//! container can be killed, started again and found again like a process.

use std::{collections::HashMap, fs::OpenOptions, io::Write as _, time::Duration};

use anyhow::{Context as _, Result, anyhow};
use testcontainers::{
    ContainerAsync, ContainerRequest, GenericImage, ImageExt as _,
    bollard::{
        Docker,
        models::PortBinding,
        query_parameters::{RemoveContainerOptions, RemoveVolumeOptions},
    },
    core::{IntoContainerPort as _, Mount, logs::LogFrame},
    runners::AsyncRunner as _,
};
use tokio::sync::Mutex;

use super::{Control, Postgres, RabbitMq, rabbitmq};
use crate::{home::Home, unit::Watch, variables, wait::eventually};

/// Image of PostgreSQL unless a variable names another.
const POSTGRES_IMAGE: &str = "postgres:17";
/// Image of RabbitMQ unless a variable names another.
const RABBITMQ_IMAGE: &str = "rabbitmq:3.13";
/// Longest time to fetch an image and start it.
const PATIENCE: Duration = Duration::from_secs(600);

/// A server in a container.
#[derive(Debug)]
pub struct Container {
    /// `postgres` or `rabbitmq`.
    pub name: String,
    /// Taken when the container is removed.
    container: Mutex<Option<ContainerAsync<GenericImage>>>,
    url: String,
    /// True when its data lies in a volume and outlives it.
    kept: bool,
}

impl Container {
    /// Kills the server.
    pub async fn kill(&self) -> Result<()> {
        self.with(async |container| container.stop_with_timeout(Some(0)).await).await
    }

    /// Starts a server that was killed, on the same port with the same data.
    pub async fn start(&self) -> Result<()> {
        self.with(async |container| container.start().await).await
    }

    /// Freezes the server.
    pub async fn pause(&self) -> Result<()> {
        self.with(async |container| container.pause().await).await
    }

    /// Lets a frozen server go on.
    pub async fn resume(&self) -> Result<()> {
        self.with(async |container| container.unpause().await).await
    }

    /// Removes the container: in an orderly way when its data stays in a volume, else at once.
    pub async fn remove(&self) -> Result<()> {
        let Some(container) = self.container.lock().await.take() else { return Ok(()) };
        if self.kept {
            container.stop_with_timeout(Some(30)).await?;
        }
        Ok(container.rm().await?)
    }

    /// Waits until the server answers.
    pub async fn wait_ready(&self, within: Duration) -> Result<()> {
        eventually(within, &format!("the container of {} to be ready", self.name), || async {
            self.is_ready().await.then_some(())
        })
        .await
    }

    /// Asks once whether the server answers.
    pub async fn is_ready(&self) -> bool {
        match self.name.as_str() {
            "postgres" => super::postgres_answers(&self.url).await,
            _ => super::broker_answers(&self.url).await,
        }
    }

    async fn with(
        &self,
        act: impl AsyncFnOnce(&ContainerAsync<GenericImage>) -> testcontainers::core::error::Result<()>,
    ) -> Result<()> {
        let container = self.container.lock().await;
        let container =
            container.as_ref().with_context(|| format!("the container of {} is gone", self.name))?;
        act(container).await.with_context(|| format!("the container of {} does not obey", self.name))
    }
}

/// Starts PostgreSQL in a container.
pub async fn postgres(home: &Home, port: u16, password: &str, watch: &Watch) -> Result<Postgres> {
    // A folder of our own for the data, because images of different versions want their volume in different places.
    let request = image(variables::POSTGRES_IMAGE, POSTGRES_IMAGE)
        .with_env_var("POSTGRES_PASSWORD", password)
        .with_env_var("POSTGRES_HOST_AUTH_METHOD", "password")
        .with_env_var("PGDATA", "/trato/data")
        .with_cmd(["postgres", "-c", "max_connections=300", "-c", "fsync=on", "-c", "timezone=UTC"]);
    let url = format!("postgres://postgres:{password}@127.0.0.1:{port}/postgres");
    let container = start("postgres", request, home, (port, 5432), "/trato", &url, watch).await?;
    Ok(Postgres { url, control: Some(Control::Container(container.into())) })
}

/// Starts RabbitMQ in a container.
pub async fn rabbitmq(home: &Home, port: u16, password: &str, watch: &Watch) -> Result<RabbitMq> {
    let request = image(variables::RABBITMQ_IMAGE, RABBITMQ_IMAGE)
        .with_env_var("RABBITMQ_DEFAULT_USER", rabbitmq::USER)
        .with_env_var("RABBITMQ_DEFAULT_PASS", password)
        .with_env_var("RABBITMQ_NODENAME", "trato@localhost");
    let url = format!("amqp://{}:{password}@127.0.0.1:{port}/%2f", rabbitmq::USER);
    let container = start("rabbitmq", request, home, (port, 5672), "/var/lib/rabbitmq", &url, watch).await?;
    Ok(RabbitMq { url, tls_url: None, control: Some(Control::Container(container.into())), helper: None })
}

/// Says so when no engine answers, and removes containers that a killed run has left on this stack's ports.
pub async fn make_room(home: &Home) -> Result<()> {
    let unreachable = "no Docker engine answers; start one or run without --containers";
    let docker = Docker::connect_with_defaults().context(unreachable)?;
    docker.ping().await.context(unreachable)?;
    for server in ["postgres", "rabbitmq"] {
        remove_left_over(&docker, &volume(home, server)).await;
    }
    Ok(())
}

/// Removes containers and volumes a stack has left. Where no engine answers there are none to remove.
pub async fn forget(home: &Home) {
    let Ok(docker) = Docker::connect_with_defaults() else { return };
    if docker.ping().await.is_err() {
        return;
    }
    for server in ["postgres", "rabbitmq"] {
        remove_left_over(&docker, &volume(home, server)).await;
        let force = RemoveVolumeOptions { force: true };
        // Not there is the usual case; one that is in use by a stranger stays.
        let _ = docker.remove_volume(&volume(home, server), Some(force)).await;
    }
}

/// An image by setting or default. Without an explicit tag the newest is meant.
fn image(setting: &str, default: &str) -> ContainerRequest<GenericImage> {
    let image = variables::get(setting).unwrap_or_else(|| default.to_owned());
    let (name, tag) = match image.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, tag),
        _ => (image.as_str(), "latest"),
    };
    GenericImage::new(name, tag).with_startup_timeout(PATIENCE)
}

/// Name of the volume of a server, and of its container.
fn volume(home: &Home, server: &str) -> String {
    format!("trato-{}-{}-{server}", home.fingerprint(), home.name())
}

async fn start(
    name: &str,
    request: ContainerRequest<GenericImage>,
    home: &Home,
    (port, inner): (u16, u16),
    data: &str,
    url: &str,
    watch: &Watch,
) -> Result<Container> {
    let container_name = volume(home, name);
    watch.progress.say(name, format!("starting the container {container_name}"));
    let log = home.log(name);
    let log = OpenOptions::new().create(true).append(true).open(&log)?;
    // Without a volume the data ends with the container, which is right for a stack that is thrown away.
    let request =
        if home.kept { request.with_mount(Mount::volume_mount(&container_name, data)) } else { request };
    let request = request
        .with_container_name(&container_name)
        .with_mapped_port(port, inner.tcp())
        .with_host_config_modifier(move |host| {
            let binding =
                PortBinding { host_ip: Some("127.0.0.1".into()), host_port: Some(port.to_string()) };
            host.port_bindings = Some(HashMap::from([(format!("{inner}/tcp"), Some(vec![binding]))]));
        })
        .with_log_consumer(move |frame: &LogFrame| {
            let (LogFrame::StdOut(bytes) | LogFrame::StdErr(bytes)) = frame;
            // A log that cannot be written must not stop the server.
            let _ = (&log).write_all(bytes);
        });
    let container =
        request.start().await.map_err(|error| anyhow!(error).context(format!("{name} does not start")))?;
    let container = Container {
        name: name.into(),
        container: Mutex::new(Some(container)),
        url: url.to_owned(),
        kept: home.kept,
    };
    container.wait_ready(PATIENCE).await?;
    watch.progress.say(name, format!("ready on 127.0.0.1:{port}, in a container"));
    Ok(container)
}

/// Removes a container that a killed run has left.
async fn remove_left_over(docker: &Docker, container: &str) {
    let force = RemoveContainerOptions { force: true, ..RemoveContainerOptions::default() };
    // Not there is the usual case; if it cannot be removed, starting one of the same name says so.
    let _ = docker.remove_container(container, Some(force)).await;
}
