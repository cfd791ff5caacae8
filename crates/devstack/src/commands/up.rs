//! `cargo dev up`: starts everything, says where it is, and stops it again at Ctrl-C.

use std::{fmt::Write as _, process::ExitCode};

use anyhow::{Result, bail};
use trato_devstack::{
    Checkout, Facts, Profile, Servers, Stack, StackOptions, cargo,
    home::Home,
    progress::{Progress, print},
    signals::Signals,
};

/// Role of the first call that is shown.
const SHOWN_ROLE: &str = "sales-manager";

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Run PostgreSQL and RabbitMQ in containers (images: TRATO_STACK_POSTGRES_IMAGE, TRATO_STACK_RABBITMQ_IMAGE)
    #[arg(long)]
    containers: bool,
    /// Processes of each business service
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=16))]
    replicas: u8,
    /// Run optimised programs
    #[arg(long)]
    release: bool,
}

pub async fn run(args: Args) -> Result<ExitCode> {
    let mut signals = Signals::catch()?;
    let checkout = Checkout::find()?;
    let home = Home::dev(&checkout);
    if let Some(holder) = home.holder() {
        bail!("it runs already (process {holder}); see `cargo dev status`");
    }
    let mut options = StackOptions::dev().replicas(args.replicas.into());
    options.profile = if args.release { Profile::Release } else { Profile::Debug };
    if args.containers {
        options.servers = Servers::Containers;
    }
    let progress = options.progress.clone();
    let started = async {
        progress.say("programs", "building (cargo shows its own progress)");
        cargo::build_programs(&checkout, options.profile).await?;
        Stack::start(options).await
    };
    let stack = tokio::select! {
        stack = started => stack?,
        code = signals.next() => {
            progress.say("stop", "interrupted while starting");
            return Ok(ExitCode::from(code));
        }
    };
    print(table(&stack.facts())?);

    stack.attend(signals.next()).await?;
    stop(stack, &mut signals, &progress).await;
    Ok(ExitCode::SUCCESS)
}

/// Stops in order; a second signal kills what is left.
pub async fn stop(stack: Stack, signals: &mut Signals, progress: &Progress) {
    progress.say("stop", "stopping everything; Ctrl-C again kills it");
    tokio::select! {
        () = stack.stop(progress) => {}
        _ = signals.next() => progress.say("stop", "killed"),
    }
}

fn table(facts: &Facts) -> Result<String> {
    let mut text = String::from("\nTrato is running; Ctrl-C stops it, data is kept.\n\n");
    if let Some(gateway) = &facts.gateway {
        writeln!(text, "  {:<11} {:<28} JSON, gRPC, gRPC-Web", "gateway", gateway.url)?;
    }
    for replica in facts.services.values().flat_map(|service| &service.replicas) {
        writeln!(
            text,
            "  {:<11} {:<28} gRPC; readiness at {}/readyz",
            replica.name, replica.grpc, replica.admin
        )?;
    }
    writeln!(text, "  {:<11} {:<28} OpenID discovery and keys", "issuer", facts.issuer.url)?;
    let server = format!("{}:{}", facts.postgres.host, facts.postgres.port);
    let names: Vec<_> = facts.databases.keys().map(String::as_str).collect();
    writeln!(
        text,
        "  {:<11} {server:<28} databases {}; `cargo dev psql SERVICE`",
        "postgres",
        names.join(", ")
    )?;
    writeln!(text, "  {:<11} {}", "rabbitmq", facts.broker.url)?;
    writeln!(
        text,
        "  {:<11} {:<28} `cargo dev logs [SERVICE] -f`",
        "logs",
        facts.home.join("logs").display()
    )?;
    writeln!(text, "  {:<11} {}", "facts", facts.home.join("stack.json").display())?;

    text.push_str(
        "\nTokens, good for 12 hours; others by `cargo dev token --tenant TENANT --role ROLE`:\n\n",
    );
    for (tenant, facts) in &facts.tenants {
        for (role, token) in &facts.tokens {
            writeln!(text, "  {tenant} {role}\n    {token}")?;
        }
    }
    let tokens = facts.tenants.values().next().map(|tenant| &tenant.tokens);
    let token = tokens.and_then(|tokens| tokens.get(SHOWN_ROLE).or_else(|| tokens.values().next()));
    if let (Some(gateway), Some(token)) = (&facts.gateway, token) {
        write!(
            text,
            "\nA first call, to paste:\n\n  curl -s -H 'authorization: Bearer {token}' {}/v1/accounts\n",
            gateway.url
        )?;
    }
    Ok(text)
}
