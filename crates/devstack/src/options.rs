//! What a stack shall be made of.

use crate::{backing::Servers, checkout::Profile, programs::PROGRAMS, progress::Progress, variables};

/// How to start a stack.
#[derive(Clone, Debug)]
pub struct StackOptions {
    /// Name; it is part of the folder's name.
    pub name: String,
    /// Which folder it lives in.
    pub place: Place,
    /// Processes of each business service.
    pub replicas: usize,
    /// Processes of the gateway. Clients of a stack know the first one only, unless they ask for all.
    pub gateways: usize,
    /// Which build of the programs.
    pub profile: Profile,
    /// Where PostgreSQL and RabbitMQ come from.
    pub servers: Servers,
    /// Programs to run; all unless set. An empty list leaves the servers and the issuer.
    pub only: Option<Vec<String>>,
    /// Further variables of a program: its name, variable, value.
    pub env: Vec<(String, String, String)>,
    /// True when programs speak to each other, and to the broker, by TLS only.
    pub tls: bool,
    /// True when a process that dies is started again.
    pub supervise: bool,
    /// Where progress is told.
    pub progress: Progress,
}

/// Where a stack keeps what it remembers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Place {
    /// `target/dev`, kept between runs.
    Dev,
    /// `target/dev-test`, begun afresh.
    Test,
    /// A folder of its own, deleted at the end.
    Private,
}

impl StackOptions {
    /// What `cargo dev up` starts.
    pub fn dev() -> Self {
        Self { name: "dev".into(), place: Place::Dev, ..Self::private("dev") }.supervised()
    }

    /// What `cargo dev test` starts and all tests share.
    pub fn test() -> Self {
        let mut options = Self { name: "test".into(), place: Place::Test, ..Self::private("test") };
        // Tests side by side overload a small machine. None of them waits for as long, but for a stall of all.
        for program in PROGRAMS.iter().filter(|program| program.database) {
            options = options.env(program.name, "TRATO_DATABASE__ACQUIRE_TIMEOUT_MS", "15000");
        }
        options.supervised()
    }

    /// A stack of one test, which may break it: servers and data of its own, nothing is started again by itself.
    pub fn private(name: &str) -> Self {
        // Where the shared stack runs in containers, there may be no programs to run a private one by.
        let containers = variables::get(variables::CONTAINERS).is_some();
        Self {
            name: name.to_owned(),
            place: Place::Private,
            replicas: 1,
            gateways: 1,
            // The full figures are those of programs as they are shipped.
            profile: if variables::is_long_run() { Profile::Release } else { Profile::Debug },
            servers: if containers { Servers::Containers } else { Servers::Private },
            only: None,
            env: Vec::new(),
            tls: false,
            supervise: false,
            progress: Progress::silent(),
        }
    }

    /// So many processes of each business service.
    #[must_use]
    pub fn replicas(mut self, replicas: usize) -> Self {
        self.replicas = replicas;
        self
    }

    /// Programs speak to each other, and to the broker, by TLS: with certificates of an authority of the stack's own, which
    /// lie in [`Home::tls`](crate::Home::tls).
    #[must_use]
    pub fn tls(mut self) -> Self {
        self.tls = true;
        self
    }

    /// So many processes of the gateway.
    #[must_use]
    pub fn gateways(mut self, gateways: usize) -> Self {
        self.gateways = gateways;
        self
    }

    /// Only these programs.
    #[must_use]
    pub fn only(mut self, programs: &[&str]) -> Self {
        self.only = Some(programs.iter().map(|program| (*program).to_owned()).collect());
        self
    }

    /// A variable for a program, `TRATO_EVENTS__…` for one.
    #[must_use]
    pub fn env(mut self, program: &str, name: &str, value: &str) -> Self {
        self.env.push((program.into(), name.into(), value.into()));
        self
    }

    fn supervised(self) -> Self {
        Self { supervise: true, servers: Servers::Any, progress: Progress::terminal(), ..self }
    }
}
