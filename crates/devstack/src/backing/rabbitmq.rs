//! A private RabbitMQ node with a port mapper of its own, reachable from this machine only.
//!
//! The node is always called `trato@localhost`, because its data folder bears its name; nodes of several stacks do not
//! meet, since each has its own port mapper.

use std::{
    env,
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt as _,
    path::Path,
    time::Duration,
};

use anyhow::{Context as _, Result};
use nix::sys::signal::Signal;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use super::{Control, RabbitMq, locate::RabbitmqPrograms};
use crate::{
    account::Account,
    certificates::{self, ADDRESS, AUTHORITY, Authority, CERTIFICATE, KEY},
    home::Home,
    ports::Ports,
    process::Launch,
    unit::{Ready, Unit, Watch},
};

/// The user of the services in the private node.
pub const USER: &str = "trato";

/// The ports one node needs.
#[derive(Clone, Copy, Debug)]
pub struct NodePorts {
    amqp: u16,
    amqps: u16,
    distribution: u16,
    mapper: u16,
}

impl NodePorts {
    /// Claims the ports of the stack's node.
    pub fn claim(ports: &mut Ports) -> Result<Self> {
        Ok(Self {
            amqp: ports.claim("rabbitmq")?,
            amqps: ports.claim("rabbitmq-tls")?,
            distribution: ports.claim("rabbitmq-distribution")?,
            mapper: ports.claim("epmd")?,
        })
    }

    /// The port of the services.
    pub fn amqp(self) -> u16 {
        self.amqp
    }
}

/// Starts the port mapper and the node; a new node is made when there is no data.
pub async fn start(
    programs: &RabbitmqPrograms,
    home: &Home,
    ports: NodePorts,
    password: &str,
    authority: Option<&Authority>,
    watch: &Watch,
) -> Result<RabbitMq> {
    let account = Account::for_server("rabbitmq")?;
    let folder = home.server_folder("rabbitmq", &account)?;
    write_settings(&folder, &account, ports, password, authority.is_some())?;
    if let Some(authority) = authority {
        write_certificates(home, &folder, &account, authority)?;
    }

    let mapper = Launch::new("epmd", &programs.epmd, &folder, home.log("epmd"))
        .clear_env()
        .arg("-port")
        .arg(ports.mapper.to_string())
        .args(["-address", "127.0.0.1"])
        .account(&account);
    let mapper = Unit::new(mapper, Ready::Running, (Signal::SIGTERM, Duration::from_secs(2)), watch);
    mapper.start().await?;

    let node = node(programs, home, &folder, ports).account(&account);
    let ready = Ready::Amqp { address: format!("127.0.0.1:{}", ports.amqp) };
    let node = Unit::new(node, ready, (Signal::SIGTERM, Duration::from_secs(45)), watch);
    let version = &programs.version;
    watch.progress.say("rabbitmq", format!("starting RabbitMQ {version}, which takes some seconds"));
    node.start().await?;
    node.wait_ready(Duration::from_secs(120)).await?;
    watch.progress.say("rabbitmq", format!("RabbitMQ {version} is ready on 127.0.0.1:{}", ports.amqp));
    Ok(RabbitMq {
        url: format!("amqp://{USER}:{password}@127.0.0.1:{}/%2f", ports.amqp),
        tls_url: authority.map(|_| format!("amqps://{USER}:{password}@{ADDRESS}:{}/%2f", ports.amqps)),
        control: Some(Control::Process(node)),
        helper: Some(mapper),
    })
}

/// True when a broker greets at this address: it answers the protocol's header by its first method frame.
pub async fn greets(address: &str) -> bool {
    let greeting = async {
        let mut stream = TcpStream::connect(address).await?;
        stream.write_all(b"AMQP\x00\x00\x09\x01").await?;
        stream.read_u8().await
    };
    tokio::time::timeout(Duration::from_secs(2), greeting).await.is_ok_and(|first| matches!(first, Ok(1)))
}

fn node(programs: &RabbitmqPrograms, home: &Home, folder: &Path, ports: NodePorts) -> Launch {
    // The start script calls erl and the usual tools by name.
    let erlang = programs.epmd.parent().map(Path::to_owned).into_iter();
    let tools = ["/usr/local/bin", "/usr/bin", "/bin", "/usr/sbin"].map(Into::into);
    let path = env::join_paths(erlang.chain(tools)).unwrap_or_else(|_| "/usr/bin:/bin".into());
    Launch::new("rabbitmq", &programs.server, folder, home.log("rabbitmq"))
        .clear_env()
        .env("PATH", path)
        .env("HOME", folder.join("home"))
        .env("LANG", "C.UTF-8")
        .env("ERL_EPMD_PORT", ports.mapper.to_string())
        .env("ERL_EPMD_ADDRESS", "127.0.0.1")
        .env("RABBITMQ_NODENAME", "trato@localhost")
        .env("RABBITMQ_DIST_PORT", ports.distribution.to_string())
        .env("RABBITMQ_MNESIA_BASE", folder.join("data"))
        .env("RABBITMQ_LOG_BASE", folder.join("log"))
        .env("RABBITMQ_LOGS", "-")
        .env("RABBITMQ_CONFIG_FILE", folder.join("conf/rabbitmq"))
        .env("RABBITMQ_ADVANCED_CONFIG_FILE", folder.join("conf/advanced.config"))
        .env("RABBITMQ_ENABLED_PLUGINS_FILE", folder.join("conf/enabled_plugins"))
        // The machine's own /etc/rabbitmq is none of our business.
        .env("RABBITMQ_CONF_ENV_FILE", "/dev/null")
        // Schedulers that spin while idle would take the processor from the programs under test.
        .env("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", "+sbwt none +sbwtdcpu none +sbwtdio none")
        // The script then becomes the node itself instead of waiting for it, so that signals reach the node.
        .env("RUNNING_UNDER_SYSTEMD", "true")
        .death_signal(Signal::SIGTERM)
}

/// For the node to show, and for the programs to trust.
fn write_certificates(home: &Home, folder: &Path, account: &Account, authority: &Authority) -> Result<()> {
    let signed = authority.sign(&[ADDRESS])?;
    certificates::write(&home.tls("rabbitmq"), &signed, &authority.pem())?;
    let own = folder.join("tls");
    certificates::write(&own, &signed, &authority.pem())?;
    account.own(&own)?;
    [CERTIFICATE, KEY, AUTHORITY].iter().try_for_each(|name| account.own(&own.join(name)))
}

fn write_settings(
    folder: &Path,
    account: &Account,
    ports: NodePorts,
    password: &str,
    by_tls: bool,
) -> Result<()> {
    for part in ["home", "conf", "data", "log"] {
        let part = folder.join(part);
        fs::create_dir_all(&part)?;
        account.own(&part)?;
    }
    let mut settings = format!(
        "listeners.tcp.default = 127.0.0.1:{}\n\
         default_user = {USER}\n\
         default_pass = {password}\n\
         log.console = true\n\
         log.console.level = info\n\
         log.file = false\n",
        ports.amqp
    );
    if by_tls {
        let tls = folder.join("tls");
        let path = |name: &str| tls.join(name).display().to_string();
        settings.push_str(&format!(
            "listeners.ssl.default = {ADDRESS}:{}\n\
             ssl_options.cacertfile = {}\n\
             ssl_options.certfile = {}\n\
             ssl_options.keyfile = {}\n",
            ports.amqps,
            path(AUTHORITY),
            path(CERTIFICATE),
            path(KEY),
        ));
    }
    let files = [
        ("conf/rabbitmq.conf", settings.as_str()),
        // Without this the port for other nodes would listen on every address.
        ("conf/advanced.config", "[{kernel, [{inet_dist_use_interface, {127,0,0,1}}]}].\n"),
        ("conf/enabled_plugins", "[].\n"),
    ];
    for (name, content) in files {
        let path = folder.join(name);
        fs::write(&path, content).with_context(|| format!("cannot write {}", path.display()))?;
        fs::set_permissions(&path, Permissions::from_mode(0o600))?;
        account.own(&path)?;
    }
    Ok(())
}
