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
    /// The programs it holds. Of several each has its own name in it.
    programs: Vec<&'static str>,
}

/// The program for operators, in an image with those it runs.
const OPERATOR: &str = "trato";

/// Those of the services and of the gateway, the operator's, and the issuer of the compose file, which is no part of an
/// installation.
fn images() -> Vec<Image> {
    let one = |name, program| Image { name, programs: vec![program] };
    let all = [OPERATOR].into_iter().chain(PROGRAMS.iter().map(|program| program.binary)).collect();
    let mut images: Vec<_> = PROGRAMS.iter().map(|program| one(program.name, program.binary)).collect();
    images.push(Image { name: "operator", programs: all });
    images.push(one("trial-issuer", "trato-trial-issuer"));
    images
}

pub async fn run(args: Args) -> Result<ExitCode> {
    let mut signals = Signals::catch()?;
    let checkout = Checkout::find()?;
    let progress = Progress::terminal();
    let built = async {
        for image in images() {
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

/// The commit of the sources, with a `+` where they were changed since; empty where there is no repository.
async fn revision(checkout: &Checkout) -> String {
    let git = async |arguments: &[&str]| {
        let output = Command::new("git").arg("-C").arg(&checkout.root).args(arguments).output().await.ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let commit = git(&["rev-parse", "HEAD"]).await.unwrap_or_default();
    let changed = git(&["status", "--porcelain"]).await.is_some_and(|status| !status.is_empty());
    format!("{commit}{}", if changed { "+" } else { "" })
}

async fn build(checkout: &Checkout, image: &Image, tag: &str, args: &Args) -> Result<()> {
    let mut docker = Command::new("docker");
    docker.args(["build", "--tag", tag]).arg("--file").arg(checkout.root.join("deploy/Dockerfile"));
    docker.args(["--build-arg", &format!("VERSION={}", args.tag)]);
    docker.args(["--build-arg", &format!("REVISION={}", revision(checkout).await)]);
    docker.args(&args.arguments);
    let several = image.programs.len() > 1;
    if args.prebuilt {
        let profile = if args.debug { Profile::Debug } else { Profile::Release };
        let context = checkout.target.join("images").join(image.name);
        pack(&checkout.programs(profile), &image.programs, &context)?;
        docker.args(["--target", if several { "prebuilt-operator" } else { "prebuilt" }]).arg(context);
    } else if several {
        let programs = format!("PROGRAMS={}", image.programs.join(" "));
        docker.args(["--target", "operator", "--build-arg", &programs]).arg(&checkout.root);
    } else {
        docker.args(["--build-arg", &format!("PROGRAM={}", image.programs[0])]).arg(&checkout.root);
    }
    // Its answers are for people: ours go to standard output, its to standard error.
    docker.stdout(std::io::stderr()).kill_on_drop(true);
    let status = docker.status().await.context("`docker` cannot be started; is it installed?")?;
    if !status.success() {
        bail!("the image {tag} could not be built");
    }
    Ok(())
}

/// Makes a folder with nothing but the programs, so that nothing else is sent to the engine. A single one is called
/// `service`.
fn pack(compiled: &Path, programs: &[&str], context: &Path) -> Result<()> {
    if context.exists() {
        fs::remove_dir_all(context)?;
    }
    fs::create_dir_all(context)?;
    for &program in programs {
        let name = if programs.len() > 1 { program } else { "service" };
        let program = compiled.join(program);
        fs::copy(&program, context.join(name)).with_context(|| {
            format!("{} is not compiled; `cargo build --workspace --bins --release` does", program.display())
        })?;
    }
    Ok(())
}
