//! `cargo dev images`: an image of every program, by deploy/Dockerfile.

use std::{ffi::OsString, fs, path::Path, process::ExitCode};

use anyhow::{Context as _, Result, bail};
use tokio::process::Command;
use trato_devstack::{
    Checkout, Profile,
    programs::PROGRAMS,
    progress::{Progress, print},
    signals::Signals,
};

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

/// One image.
struct Image {
    /// Last part of its name.
    name: &'static str,
    /// The program it holds.
    program: &'static str,
}

/// The issuer of the compose file, which is no program of an installation.
const TRIAL_ISSUER: Image = Image { name: "trial-issuer", program: "trato-trial-issuer" };

pub async fn run(args: Args) -> Result<ExitCode> {
    let mut signals = Signals::catch()?;
    let checkout = Checkout::find()?;
    let progress = Progress::terminal();
    let services = PROGRAMS.iter().map(|program| Image { name: program.name, program: program.binary });
    let built = async {
        for image in services.chain([TRIAL_ISSUER]) {
            let tag = format!("{}/{}:{}", args.prefix, image.name, args.tag);
            progress.say(image.name, format!("building {tag}"));
            build(&checkout, &image, &tag, &args).await?;
            print(tag);
        }
        anyhow::Ok(())
    };
    tokio::select! {
        built = built => built?,
        code = signals.next() => return Ok(ExitCode::from(code)),
    }
    Ok(ExitCode::SUCCESS)
}

async fn build(checkout: &Checkout, image: &Image, tag: &str, args: &Args) -> Result<()> {
    let mut docker = Command::new("docker");
    docker.args(["build", "--tag", tag, "--build-arg"]).arg(format!("PROGRAM={}", image.program));
    docker.arg("--file").arg(checkout.root.join("deploy/Dockerfile")).args(&args.arguments);
    if args.prebuilt {
        let profile = if args.debug { Profile::Debug } else { Profile::Release };
        let compiled = checkout.programs(profile).join(image.program);
        let context = checkout.target.join("images").join(image.name);
        pack(&compiled, &context)?;
        docker.args(["--target", "prebuilt"]).arg(context);
    } else {
        docker.arg(&checkout.root);
    }
    // Its answers are for people: ours go to standard output, its to standard error.
    docker.stdout(std::io::stderr()).kill_on_drop(true);
    let status = docker.status().await.context("`docker` cannot be started; is it installed?")?;
    if !status.success() {
        bail!("the image {tag} could not be built");
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
