//! Brings a stack up step by step: servers, databases, issuer, settings, migrations, programs, facts.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use anyhow::Result;
use futures::future::try_join_all;
use nix::sys::signal::Signal;
use sqlx::postgres::PgConnectOptions;
use tokio::sync::Notify;

use crate::{
    backing::{self, Control, Postgres, RabbitMq},
    certificates::{self, ADDRESS, Authority},
    checkout::Checkout,
    databases,
    facts::{
        BrokerFacts, Facts, GatewayFacts, GatewayReplica, IssuerFacts, PostgresFacts, ReplicaFacts,
        ServiceFacts, TenantFacts,
    },
    home::{Home, Secrets},
    issuer::Issuer,
    keys::SigningKey,
    options::{Place, StackOptions},
    ports::Ports,
    programs::{self, GATEWAY, Program, Replica, Surroundings, url},
    roles, tenants,
    tokens::{AUDIENCE, Grant, Minter},
    unit::{Ready, Unit, Watch},
};

/// Longest time a program may take until it is ready.
const READY_PATIENCE: Duration = Duration::from_secs(60);
/// Longest time a program may take to migrate its database.
const MIGRATE_PATIENCE: Duration = Duration::from_secs(180);
/// Longest time a program may take to finish what it has in hand; a little more than its own `drain_seconds`.
pub const STOP_PATIENCE: Duration = Duration::from_secs(25);

/// A stack that serves.
pub struct Assembled {
    /// The dev issuer, which answers until it is dropped.
    pub issuer: Issuer,
    /// What the stack is made of, without the numbers of its processes.
    pub facts: Facts,
    /// Woken when the number of a process has changed.
    pub changed: Arc<Notify>,
}

/// Starts everything in order. What is started goes into `controls` at once, so that the caller can stop it on failure.
pub async fn assemble(
    options: &StackOptions,
    checkout: &Checkout,
    home: &Home,
    controls: &mut Vec<Control>,
) -> Result<Assembled> {
    let mut ports = Ports::open(home)?;
    let mut secrets = Secrets::open(home)?;
    let changed = Arc::new(Notify::new());
    let watch =
        Watch { supervise: options.supervise, progress: options.progress.clone(), changed: changed.clone() };
    let selected = programs::select(options.only.as_deref())?;

    let authority = options.tls.then(|| Authority::generate(&options.name)).transpose()?;
    let (mut postgres, mut rabbitmq) =
        backing::start(options.servers, home, &mut ports, &mut secrets, authority.as_ref(), &watch).await?;
    controls.extend(rabbitmq.helper.take().map(Control::Process));
    controls.extend([postgres.control.take(), rabbitmq.control.take()].into_iter().flatten());

    let fresh = options.place == Place::Test;
    let mark = databases::mark(home);
    let databases = databases::prepare(&postgres.url, &mark, fresh, &selected, &mut secrets).await?;
    let names: Vec<_> = databases.keys().map(String::as_str).collect();
    options.progress.say("databases", format!("ready: {}", names.join(", ")));

    let key = SigningKey::load_or_generate(&home.issuer_key())?;
    let issuer = Issuer::start(ports.claim("issuer")?, key).await?;
    options.progress.say("issuer", format!("ready on {}", issuer.url()));

    let replicas = claim_replicas(&selected, options, &mut ports)?;
    let surroundings = Surroundings {
        home,
        programs: checkout.programs(options.profile),
        issuer: issuer.url().to_owned(),
        broker: rabbitmq.tls_url.clone().unwrap_or_else(|| rabbitmq.url.clone()),
        by_tls: options.tls,
        databases: &databases,
        replicas: &replicas,
        env: &options.env,
    };
    for program in &selected {
        surroundings.write_settings(program)?;
        if let Some(authority) = &authority {
            certificates::write(&home.tls(program.name), &authority.sign(&[ADDRESS])?, &authority.pem())?;
        }
        surroundings.write_installation(program)?;
    }
    migrate(&selected, &surroundings, options).await?;
    serve(&selected, &surroundings, options, &watch, controls).await?;

    let facts = Facts {
        name: home.name().to_owned(),
        runner: std::process::id(),
        home: home.dir.clone(),
        data: home.data_folders(),
        programs: surroundings.programs.clone(),
        gateway: gateway_facts(&replicas),
        services: service_facts(&replicas, &surroundings),
        tenants: tenant_facts(&issuer.minter())?,
        issuer: IssuerFacts {
            url: issuer.url().to_owned(),
            audience: AUDIENCE.into(),
            key_file: home.issuer_key(),
        },
        postgres: postgres_facts(postgres)?,
        databases,
        broker: broker_facts(rabbitmq),
        containers: BTreeMap::new(),
    };
    Ok(Assembled { issuer, facts, changed })
}

/// Two ports for every process.
fn claim_replicas(
    selected: &[&Program],
    options: &StackOptions,
    ports: &mut Ports,
) -> Result<BTreeMap<&'static str, Vec<Replica>>> {
    let mut all = BTreeMap::new();
    for program in selected {
        let count = if program.name == GATEWAY { options.gateways } else { options.replicas };
        let mut replicas = Vec::new();
        for number in 1..=count.max(1) {
            let name =
                if number == 1 { program.name.to_owned() } else { format!("{}-{number}", program.name) };
            let (port, admin) = (ports.claim(&name)?, ports.claim(&format!("{name}-admin"))?);
            replicas.push(Replica { name, port, admin });
        }
        all.insert(program.name, replicas);
    }
    Ok(all)
}

async fn migrate(
    selected: &[&Program],
    surroundings: &Surroundings<'_>,
    options: &StackOptions,
) -> Result<()> {
    try_join_all(selected.iter().filter(|program| program.database).map(|program| async {
        surroundings.migrate(program)?.run(MIGRATE_PATIENCE).await?;
        options.progress.say(program.name, "database migrated");
        anyhow::Ok(())
    }))
    .await?;
    Ok(())
}

/// Starts every replica of every program, and waits until all are ready.
async fn serve(
    selected: &[&Program],
    surroundings: &Surroundings<'_>,
    options: &StackOptions,
    watch: &Watch,
    controls: &mut Vec<Control>,
) -> Result<()> {
    let mut units = Vec::new();
    for program in selected {
        for replica in surroundings.replicas.get(program.name).into_iter().flatten() {
            let ready = Ready::Http { admin: url(replica.admin) };
            let launch = surroundings.serve(program, replica)?;
            let unit = Unit::new(launch, ready, (Signal::SIGTERM, STOP_PATIENCE), watch);
            controls.push(Control::Process(unit.clone()));
            units.push((unit, replica));
        }
    }
    try_join_all(units.iter().map(|(unit, replica)| async {
        unit.start().await?;
        unit.wait_ready(READY_PATIENCE).await?;
        options.progress.say(&unit.name, format!("ready on 127.0.0.1:{}", replica.port));
        anyhow::Ok(())
    }))
    .await?;
    Ok(())
}

fn gateway_facts(replicas: &BTreeMap<&'static str, Vec<Replica>>) -> Option<GatewayFacts> {
    let all = replicas.get(GATEWAY)?;
    let first = all.first()?;
    let replicas = all.iter().map(|gateway| GatewayReplica {
        name: gateway.name.clone(),
        url: url(gateway.port),
        pid: None,
    });
    let replicas = replicas.collect();
    Some(GatewayFacts { url: url(first.port), admin: url(first.admin), pid: None, replicas })
}

fn postgres_facts(postgres: Postgres) -> Result<PostgresFacts> {
    let server: PgConnectOptions = postgres.url.parse()?;
    Ok(PostgresFacts {
        host: server.get_host().to_owned(),
        port: server.get_port(),
        superuser_url: postgres.url,
        pid: None,
    })
}

fn broker_facts(rabbitmq: RabbitMq) -> BrokerFacts {
    BrokerFacts { url: rabbitmq.url, pid: None }
}

fn service_facts(
    replicas: &BTreeMap<&'static str, Vec<Replica>>,
    surroundings: &Surroundings<'_>,
) -> BTreeMap<String, ServiceFacts> {
    let services = replicas.iter().filter(|(name, _)| **name != GATEWAY);
    let facts = services.filter_map(|(name, replicas)| {
        let first = replicas.first()?;
        let all = replicas.iter().map(|replica| ReplicaFacts {
            name: replica.name.clone(),
            grpc: surroundings.grpc(replica.port),
            admin: url(replica.admin),
            pid: None,
        });
        let (grpc, admin) = (surroundings.grpc(first.port), url(first.admin));
        Some(((*name).to_owned(), ServiceFacts { grpc, admin, pid: None, replicas: all.collect() }))
    });
    facts.collect()
}

/// A token for every role in every named tenant.
fn tenant_facts(minter: &Minter) -> Result<BTreeMap<String, TenantFacts>> {
    let roles = roles::names()?;
    let mut facts = BTreeMap::new();
    for (tenant, id) in tenants::NAMED {
        let mut tokens = BTreeMap::new();
        for role in &roles {
            tokens.insert(role.clone(), minter.mint(&Grant::new(tenant, role))?);
        }
        facts.insert(tenant.to_owned(), TenantFacts { id, tokens });
    }
    Ok(facts)
}
