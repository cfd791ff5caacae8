//! `cargo dev images`: an image of every program, by deploy/Dockerfile.

use std::{ffi::OsString, fs, path::Path, process::ExitCode};

use anyhow::{Context as _, Result, bail};
use tokio::process::Command;
use trato_devstack::{
    Checkout, Profile,
    programs::{self, Program},
    progress::{Progress, print},
};

use super::signals::Signals;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Pack programs that are compiled already on this machine, instead of compiling them in a container
    #[arg(long)]
    prebuilt: bool,
    /// With --prebuilt: pack the programs of the dev profile, which tests use, instead of those of the release profile
    #[arg(long, requires = "prebuilt")]
    debug: bool,
    /// What the images' names begin with: trato makes trato/customers
    #[arg(long, default_value = "trato")]
    prefix: String,
    /// Tag of the images
    #[arg(long, default_value = "dev")]
    tag: String,
    /// Passed on to `docker build`, for example: -- --build-arg RUNTIME_BASE=registry.example.com/debian:12
    #[arg(last = true)]
    arguments: Vec<OsString>,
}

pub async fn run(args: Args) -> Result<ExitCode> {
    let mut signals = Signals::catch()?;
    let checkout = Checkout::find()?;
    let progress = Progress::terminal();
    let built = async {
        for program in programs::select(None)? {
            let image = format!("{}/{}:{}", args.prefix, program.name, args.tag);
            progress.say(program.name, format!("building {image}"));
            build(&checkout, program, &image, &args).await?;
            print(image);
        }
        anyhow::Ok(())
    };
    tokio::select! {
        built = built => built?,
        code = signals.next() => return Ok(ExitCode::from(code)),
    }
    Ok(ExitCode::SUCCESS)
}

async fn build(checkout: &Checkout, program: &Program, image: &str, args: &Args) -> Result<()> {
    let mut docker = Command::new("docker");
    docker.args(["build", "--tag", image, "--build-arg"]).arg(format!("PROGRAM={}", program.binary));
    docker.arg("--file").arg(checkout.root.join("deploy/Dockerfile")).args(&args.arguments);
    if args.prebuilt {
        let profile = if args.debug { Profile::Debug } else { Profile::Release };
        let compiled = checkout.programs(profile).join(program.binary);
        let context = checkout.target.join("images").join(program.name);
        pack(&compiled, &context)?;
        docker.args(["--target", "prebuilt"]).arg(context);
    } else {
        docker.arg(&checkout.root);
    }
    // Its answers are for people: ours go to standard output, its to standard error.
    docker.stdout(std::io::stderr()).kill_on_drop(true);
    let status = docker.status().await.context("`docker` cannot be started; is it installed?")?;
    if !status.success() {
        bail!("the image {image} could not be built");
    }
    Ok(())
}

/// A folder with nothing but the program, so that nothing else is sent to the engine.
fn pack(program: &Path, context: &Path) -> Result<()> {
    fs::create_dir_all(context)?;
    fs::copy(program, context.join("service")).with_context(|| {
        format!("{} is not compiled; `cargo build --workspace --bins --release` does", program.display())
    })?;
    Ok(())
}
