//! Tryton, whose chain from a sale to cash P12 holds ours against: a server as it is run in earnest, on the PostgreSQL of the
//! stack, and a clerk who calls it.

use std::{net::TcpListener, path::PathBuf, process::Stdio, time::Duration};

use anyhow::{Context as _, Result, ensure};
use sqlx::PgPool;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines},
    net::TcpStream,
    process::{Child, ChildStdin, ChildStdout, Command},
};

use super::{
    figure::{Figure, Goal},
    python,
    room::{PROGRAMS, Room, cpu_note, pool},
    usage::Meter,
};
use crate::{
    logs,
    process::{Launch, Process},
    wait::eventually,
};

/// Tryton with what selling takes, the driver, a server for programs of this kind, and all that these ask for.
const PACKAGES: &str = include_str!("tryton.txt");
/// What fills the database, and the clerk.
const SCRIPT: &str = include_str!("tryton.py");
/// Its database.
const DATABASE: &str = "bench_tryton";
/// Longest time to fill the database.
const FILL_PATIENCE: Duration = Duration::from_secs(600);
/// Longest time that a chain takes, and that a program takes to answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// Tryton's side of P12. What goes wrong with it is told by its figure and leaves the others alone.
#[derive(Debug)]
pub struct Peer {
    tryton: Result<Tryton>,
    rounds: Vec<(f64, f64)>,
}

impl Peer {
    /// Installs and starts it, and fills its database.
    pub async fn start(room: &Room) -> Self {
        Self { tryton: Tryton::start(room).await, rounds: Vec::new() }
    }

    /// A round of it beside one of ours, in which a chain took so many milliseconds of processor time.
    pub async fn round(&mut self, room: &Room, ours: f64) {
        let Ok(tryton) = &mut self.tryton else { return };
        let round = alone(room, tryton.round(room)).await;
        match round {
            Ok(theirs) => self.rounds.push((ours, theirs)),
            Err(error) => self.tryton = Err(error),
        }
    }

    /// Ends it, when what it sold is there.
    pub async fn figure(self, room: &Room) -> Figure {
        let what = "a chain to cash: times less CPU than Tryton's, all programs";
        let goal = Goal::AtLeast(15.0);
        let finished = match self.tryton {
            Ok(tryton) => tryton.finish(room).await,
            Err(error) => Err(error),
        };
        match finished {
            Ok(note) => {
                let limit = format!(
                    "Tryton {}: sale of a line, quote, confirm, process, post, pay; one after the other",
                    version().unwrap_or_default()
                );
                Figure::times_less("P12", what, "ms", limit, &self.rounds, goal).stretch(30.0).note(note)
            }
            Err(error) => Figure::missing("P12", what, goal, format!("no Tryton: {error:#}")),
        }
    }
}

/// A running Tryton; dropping it ends it.
#[derive(Debug)]
struct Tryton {
    server: Process,
    clerk: Clerk,
    database: PgPool,
    note: String,
}

impl Tryton {
    async fn start(room: &Room) -> Result<Self> {
        room.progress.say("P12", "installing Tryton, and filling its database");
        let packages: Vec<&str> = PACKAGES.lines().collect();
        let programs = python::environment("bench-tryton", &packages).await?;
        for statement in ["drop database if exists bench_tryton with (force)", "create database bench_tryton"]
        {
            sqlx::query(statement).execute(&room.billing).await.context(statement)?;
        }
        let superuser = room.stack.facts().postgres.superuser_url;
        let (server, _) = superuser.rsplit_once('/').context("the superuser's URL names a database")?;
        let uri = format!("{}/", server.replacen("postgres://", "postgresql://", 1));
        let home = room.stack.home();
        let launch = |program: &str| {
            Launch::new("tryton", programs.join(program), &home.dir, home.log("tryton"))
                .env("TRYTOND_DATABASE_URI", &uri)
                .env("TRYTOND_DATABASE_NAMES", DATABASE)
                .env("DB_NAME", DATABASE)
        };
        let (script, ground) = (room.file("tryton.py"), room.file("tryton.json"));
        std::fs::write(&script, SCRIPT)?;
        launch("python").arg(&script).arg("prepare").arg(&ground).run(FILL_PATIENCE).await?;

        // Taken by Tryton a moment later; nobody else on this machine is likely to ask in between.
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let address = format!("127.0.0.1:{port}");
        // One process serves one clerk best: each keeps caches of its own.
        let server =
            launch("gunicorn").args(["--workers", "1", "--bind", &address, "trytond.application:app"]);
        let server = server.spawn().await?;
        let answers = async || TcpStream::connect(&address).await.ok().map(drop);
        eventually(PATIENCE, "Tryton to answer", answers)
            .await
            .with_context(|| room.stack.log("tryton", 10))?;
        let mut sell = Command::new(programs.join("python"));
        sell.arg(&script).arg("sell").arg(&ground).arg(format!("http://{address}/{DATABASE}/rpc/"));
        let mut clerk = Clerk::hire(sell, home.log("clerk"))?;
        // What a start leaves to do, and what fills the caches.
        clerk.sell(room.span / 3).await?;
        let database = pool(&superuser, DATABASE)?;
        Ok(Self { server, clerk, database, note: String::new() })
    }

    /// Sells for the time of a round; answers the processor time of a chain, in milliseconds.
    async fn round(&mut self, room: &Room) -> Result<f64> {
        let postgres = room.stack.pid("postgres")?;
        let postgres = postgres.context("the processor time of a PostgreSQL in a container is not known")?;
        let meter = Meter::start(vec![("tryton".into(), self.server.pid()), ("postgres".into(), postgres)]);
        let done = self.clerk.sell(room.span).await?;
        let used = meter.stop();
        self.note = cpu_note("a chain of Tryton", &used, done);
        Ok(used.values().sum::<f64>() / done as f64)
    }

    /// Holds its database to what the clerk was told, and removes it.
    async fn finish(self, room: &Room) -> Result<String> {
        let (invoices, paid, numbers, last): (i64, i64, i64, Option<i64>) = sqlx::query_as(
            "select count(*), count(*) filter (where state = 'paid'), count(distinct number), max(number::bigint) \
             from account_invoice",
        )
        .fetch_one(&self.database)
        .await?;
        let told = i64::try_from(self.clerk.sold)?;
        ensure!(
            [invoices, paid, numbers, last.unwrap_or_default()] == [told; 4],
            "{told} chains were finished: {invoices} invoices, {paid} paid, {numbers} numbers up to {last:?}"
        );
        self.database.close().await;
        drop(self.server);
        sqlx::query("drop database bench_tryton with (force)").execute(&room.billing).await?;
        Ok(format!("{}; its {told} invoices are paid and numbered 1 to n", self.note))
    }
}

/// Somebody who sells when told to.
#[derive(Debug)]
struct Clerk {
    orders: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
    log: PathBuf,
    sold: u64,
    _child: Child,
}

impl Clerk {
    fn hire(mut sell: Command, log: PathBuf) -> Result<Self> {
        let complaints = std::fs::File::create(&log)?;
        let mut child = sell
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(complaints)
            .kill_on_drop(true)
            .spawn()
            .context("Python cannot be started")?;
        let orders = child.stdin.take().context("the clerk has a standard input")?;
        let answers = child.stdout.take().context("the clerk has a standard output")?;
        Ok(Self { orders, answers: BufReader::new(answers).lines(), log, sold: 0, _child: child })
    }

    /// Chains for so long, one after the other; answers how many they were.
    async fn sell(&mut self, span: Duration) -> Result<u64> {
        let order = format!("{}\n", span.as_secs_f64());
        self.orders.write_all(order.as_bytes()).await?;
        let answer = tokio::time::timeout(span + PATIENCE, self.answers.next_line()).await;
        let answer = answer.context("a chain of Tryton takes too long")??;
        let answer = answer.with_context(|| format!("the clerk gave up:\n{}", logs::tail(&self.log, 10)))?;
        let done: u64 = answer.trim().parse()?;
        self.sold += done;
        Ok(done)
    }
}

/// Does some work while our programs stand still, so that nothing of theirs is counted as its own.
async fn alone<T>(room: &Room, work: impl Future<Output = Result<T>>) -> Result<T> {
    let done = async {
        for program in PROGRAMS {
            room.stack.pause(program).await?;
        }
        work.await
    };
    let done = done.await;
    for program in PROGRAMS {
        room.stack.resume(program).await?;
    }
    // The broker gave up on them meanwhile.
    for program in PROGRAMS {
        room.stack.wait_ready(program, PATIENCE).await?;
    }
    done
}

/// Version of Tryton.
fn version() -> Option<&'static str> {
    PACKAGES.lines().find_map(|package| package.strip_prefix("trytond=="))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peer_is_the_same_every_time() {
        assert!(version().is_some_and(|version| version.starts_with("8.")), "the goal is about Tryton 8");
        let loose: Vec<&str> = PACKAGES.lines().filter(|package| !package.contains("==")).collect();
        assert!(loose.is_empty(), "{loose:?} may be of any version");
    }
}
