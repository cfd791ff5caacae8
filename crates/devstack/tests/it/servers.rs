//! Private servers: they come up, take being killed, and leave nothing behind.

use std::time::Duration;

use sqlx::{ConnectOptions as _, Connection as _, postgres::PgConnectOptions};
use testcontainers::bollard::Docker;
use trato_devstack::{
    Stack, StackOptions, databases, eventually,
    home::{Home, Secrets},
    proc, programs, variables,
};

const PATIENCE: Duration = Duration::from_secs(60);

/// Which servers of a stack are containers that testcontainers has started; none where no engine answers.
async fn containers(home: &Home) -> Vec<&'static str> {
    let Ok(docker) = Docker::connect_with_defaults() else { return Vec::new() };
    let mut found = Vec::new();
    for server in ["postgres", "rabbitmq"] {
        let name = format!("trato-{}-{}-{server}", home.fingerprint(), home.name());
        let Ok(container) = docker.inspect_container(&name, None).await else { continue };
        let labels = container.config.and_then(|config| config.labels).unwrap_or_default();
        if labels.get("org.testcontainers.managed-by").is_some_and(|by| by == "testcontainers") {
            found.push(server);
        }
    }
    found
}

/// CRD-11: they are containers of testcontainers where the run asks for containers, and processes where it does not.
#[tokio::test]
async fn private_servers_survive_being_killed_and_leave_nothing_behind() {
    let stack = Stack::start(StackOptions::private("servers").only(&[])).await.expect("the servers start");
    let facts = stack.facts();
    let home = stack.home().clone();
    let processes: Vec<u32> = [facts.postgres.pid, facts.broker.pid].into_iter().flatten().collect();
    let backends = facts.postgres.pid.map(proc::descendants).unwrap_or_default();
    if variables::get(variables::CONTAINERS).is_some() {
        assert_eq!(containers(&home).await, ["postgres", "rabbitmq"]);
        assert!(processes.is_empty());
    } else {
        assert!(containers(&home).await.is_empty());
        assert!(processes.len() == 2 && !backends.is_empty());
    }

    stack.kill("postgres").await.expect("it can be killed");
    assert_eq!(stack.pid("postgres").expect("it is known"), None);
    assert!(backends.iter().all(|backend| !proc::is_alive(*backend)));
    stack.start_again("postgres").await.expect("it can be started again");
    stack.wait_ready("postgres", PATIENCE).await.expect("it recovers");
    assert_eq!(stack.facts().postgres.port, facts.postgres.port);

    stack.pause("rabbitmq").await.expect("it can be paused");
    assert!(stack.wait_ready("rabbitmq", Duration::from_millis(300)).await.is_err());
    stack.resume("rabbitmq").await.expect("it goes on");
    stack.wait_ready("rabbitmq", PATIENCE).await.expect("it answers again");
    stack.kill("rabbitmq").await.expect("it can be killed");
    stack.start_again("rabbitmq").await.expect("it can be started again");
    stack.wait_ready("rabbitmq", PATIENCE).await.expect("it comes back");

    let facts = stack.facts();
    drop(stack);
    let processes: Vec<u32> = [facts.postgres.pid, facts.broker.pid].into_iter().flatten().collect();
    eventually(PATIENCE, "the end of both", || async {
        let ended = processes.iter().all(|pid| !proc::is_alive(*pid)) && containers(&home).await.is_empty();
        ended.then_some(())
    })
    .await
    .expect("both end with the stack");
    assert!(!facts.home.exists());
}

#[tokio::test]
async fn a_role_enters_its_own_database_and_no_other() {
    let stack = Stack::start(StackOptions::private("roles").only(&[])).await.expect("the servers start");
    let home: &Home = stack.home();
    let mut secrets = Secrets::open(home).expect("the home is there");
    let superuser = stack.facts().postgres.superuser_url;
    let all = programs::select(None).expect("no name is wrong");

    let first =
        databases::prepare(&superuser, "a test", false, &all, &mut secrets).await.expect("they are made");
    let again =
        databases::prepare(&superuser, "a test", false, &all, &mut secrets).await.expect("they are found");
    let stranger = databases::prepare(&superuser, "another stack", false, &all, &mut secrets).await;

    assert_eq!(first.len(), all.iter().filter(|program| program.database).count());
    assert_eq!(first["sales"].url, again["sales"].url);
    assert!(stranger.is_err(), "a database of somebody else is left alone");
    for (service, logins) in &first {
        for url in [&logins.owner_url, &logins.url, &logins.system_url] {
            for database in first.keys() {
                let options: PgConnectOptions = url.parse().expect("it is a URL");
                let entered = options.database(database).connect().await;
                assert_eq!(entered.is_ok(), service == database, "{url} in {database}");
                if let Ok(connection) = entered {
                    connection.close().await.expect("it was open");
                }
            }
        }
    }
    stack.stop(&trato_devstack::progress::Progress::silent()).await;
}
