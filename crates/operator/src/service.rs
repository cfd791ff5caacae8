//! A service's program, run with the variables of the installation: whole, or line by line.

use std::{
    collections::BTreeMap,
    env,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
};

use anyhow::{Context as _, Result, bail};
use futures::{Stream, StreamExt as _, TryStreamExt as _};
use serde::de::DeserializeOwned;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWriteExt as _, BufReader, BufWriter},
    process::{Child, ChildStdout, Command},
    task::JoinHandle,
};

/// Exit code of a program whose configuration cannot be used.
pub const BAD_CONFIGURATION: i32 = 64;

/// A service of the installation. Its variables are secrets: there is no way to print them by mistake.
pub struct Service {
    /// Its name, which is that of its folder.
    pub name: String,
    /// The variables its program gets.
    pub variables: BTreeMap<String, String>,
    /// The login that reads its whole database.
    pub backup_url: Option<String>,
}

/// How a program ended, and what it said.
#[derive(Debug)]
pub struct Said {
    /// How it ended.
    pub status: ExitStatus,
    /// Standard output.
    pub output: String,
    /// Standard error.
    pub errors: String,
}

impl Said {
    /// What it said when it succeeded; else an error with what it complained of.
    pub fn ok(self) -> Result<String> {
        if self.status.success() {
            return Ok(self.output);
        }
        bail!("{}", complaint(self.status, &self.errors))
    }
}

impl Service {
    /// True when it keeps data.
    pub fn has_database(&self) -> bool {
        self.variables.contains_key("TRATO_DATABASE__URL")
    }

    /// A variable.
    pub fn variable(&self, name: &str) -> Result<&str> {
        let value = self.variables.get(name).map(String::as_str).filter(|value| !value.is_empty());
        value.with_context(|| format!("the installation does not give {name} of {}", self.name))
    }

    /// Its program: beside this one, or on PATH.
    pub fn program(&self) -> Result<PathBuf> {
        let name = format!("trato-{}", self.name);
        find(&name).with_context(|| format!("there is no program {name} beside this one or on PATH"))
    }

    fn command(&self, arguments: &[&str]) -> Result<Command> {
        let mut command = Command::new(self.program()?);
        // What this program was told is not meant for services, which refuse what they do not know.
        let ours = env::vars_os().map(|(name, _)| name);
        for name in ours.filter(|name| name.to_string_lossy().starts_with("TRATO_")) {
            command.env_remove(name);
        }
        command.envs(&self.variables).args(arguments).kill_on_drop(true);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Ok(command)
    }

    fn cannot(&self, arguments: &[&str]) -> String {
        format!("{} {}", self.name, arguments.iter().take(2).copied().collect::<Vec<_>>().join(" "))
    }

    /// Runs a subcommand to its end.
    pub async fn run(&self, arguments: &[&str]) -> Result<Said> {
        let output = self.command(arguments)?.output().await.with_context(|| self.cannot(arguments))?;
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Ok(Said { status: output.status, output: text(output.stdout), errors: text(output.stderr) })
    }

    /// Runs a subcommand that reads these lines, to its end.
    pub async fn give(&self, arguments: &[&str], lines: impl Stream<Item = Result<String>>) -> Result<Said> {
        let what = self.cannot(arguments);
        let mut child =
            self.command(arguments)?.stdin(Stdio::piped()).spawn().with_context(|| what.clone())?;
        let input = child.stdin.take().context("its input is piped")?;
        let output = child.stdout.take().context("its output is piped")?;
        let errors = child.stderr.take().context("its errors are piped")?;
        let writing = async move {
            let mut input = BufWriter::new(input);
            let mut lines = std::pin::pin!(lines);
            while let Some(line) = lines.try_next().await? {
                input.write_all(line.as_bytes()).await?;
                input.write_all(b"\n").await?;
            }
            input.shutdown().await?;
            anyhow::Ok(())
        };
        let (written, output, errors) = tokio::join!(writing, text(output), text(errors));
        let status = child.wait().await?;
        if status.success() {
            written.with_context(|| what.clone())?;
        }
        // Else why it ended explains why it could not be written to.
        Ok(Said { status, output: output.with_context(|| what.clone())?, errors: errors.context(what)? })
    }

    /// The same, and answers the lines it prints.
    pub async fn feed(
        &self,
        arguments: &[&str],
        lines: impl Stream<Item = Result<String>>,
    ) -> Result<Vec<String>> {
        let said = self.give(arguments, lines).await?.ok().with_context(|| self.cannot(arguments))?;
        Ok(said.lines().map(str::to_owned).collect())
    }

    /// Runs a subcommand that says line by line how far it is. What it said is its last line, which is its answer.
    pub async fn follow(&self, arguments: &[&str], mut look: impl FnMut(&str)) -> Result<Said> {
        let mut child = self.command(arguments)?.spawn().with_context(|| self.cannot(arguments))?;
        let output = child.stdout.take().context("its output is piped")?;
        let errors = child.stderr.take().context("its errors are piped")?;
        let reading = async {
            let mut last = String::new();
            let mut lines = std::pin::pin!(lines_of(output));
            while let Some(line) = lines.try_next().await? {
                look(&line);
                last = line + "\n";
            }
            anyhow::Ok(last)
        };
        let (output, errors) = tokio::try_join!(reading, text(errors))?;
        Ok(Said { status: child.wait().await?, output, errors })
    }

    /// Runs a subcommand that answers in JSON.
    pub async fn ask<T: DeserializeOwned>(&self, arguments: &[&str]) -> Result<T> {
        let text = self.run(arguments).await?.ok().with_context(|| self.cannot(arguments))?;
        serde_json::from_str(&text).with_context(|| format!("{} answers no JSON", self.cannot(arguments)))
    }

    /// Runs a subcommand that goes on, line by line. Ends with an error when the program fails.
    pub fn lines(&self, arguments: &[&str]) -> Result<impl Stream<Item = Result<String>> + use<>> {
        Ok(self.pieces(arguments)?.map_ok(without_end))
    }

    /// Like `lines`, but each as it came, with what ends it.
    pub fn pieces(&self, arguments: &[&str]) -> Result<impl Stream<Item = Result<String>> + use<>> {
        let what = self.cannot(arguments);
        let child = self.command(arguments)?.spawn().with_context(|| what.clone())?;
        pieces_until_end(child, what)
    }
}

/// Lines that are here already, as a stream.
pub fn given(lines: &[String]) -> impl Stream<Item = Result<String>> {
    futures::stream::iter(lines.iter().cloned().map(Ok))
}

fn lines_of(output: ChildStdout) -> impl Stream<Item = Result<String>> {
    pieces_of(output).map_ok(without_end)
}

fn pieces_of(output: ChildStdout) -> impl Stream<Item = Result<String>> {
    futures::stream::try_unfold(BufReader::new(output), async |mut output| {
        let mut line = String::new();
        let read = output.read_line(&mut line).await?;
        anyhow::Ok((read > 0).then_some((line, output)))
    })
}

/// A line without what ends it.
pub fn without_end(mut line: String) -> String {
    let length = line.strip_suffix('\n').map_or(&*line, |line| line.strip_suffix('\r').unwrap_or(line)).len();
    line.truncate(length);
    line
}

/// What a program prints, and behind it an error when the program fails.
fn pieces_until_end(mut child: Child, what: String) -> Result<impl Stream<Item = Result<String>>> {
    let output = child.stdout.take().context("its output is piped")?;
    let errors = child.stderr.take().context("its errors are piped")?;
    // Read all the time: a program that cannot say what it complains of waits until it can, and prints nothing meanwhile.
    let errors = tokio::spawn(text(errors));
    let end = futures::stream::once(async move { ended(child, errors, &what).await });
    Ok(pieces_of(output).chain(end.filter_map(async |ended: Result<()>| ended.err().map(Err))))
}

/// What a program complained of; how it ended where it said nothing.
fn complaint(status: ExitStatus, errors: &str) -> String {
    if errors.trim().is_empty() { status.to_string() } else { errors.trim().to_owned() }
}

async fn ended(mut child: Child, errors: JoinHandle<Result<String>>, what: &str) -> Result<()> {
    let errors = errors.await??;
    let status = child.wait().await?;
    if !status.success() {
        bail!("{what}: {}", complaint(status, &errors));
    }
    Ok(())
}

async fn text(mut from: impl AsyncRead + Unpin) -> Result<String> {
    let mut bytes = Vec::new();
    from.read_to_end(&mut bytes).await?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// A program beside this one, or on PATH.
pub fn find(name: &str) -> Option<PathBuf> {
    let beside = env::current_exe().ok().and_then(|program| program.parent().map(Path::to_owned));
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = beside.into_iter().chain(env::split_paths(&path));
    folders.map(|folder| folder.join(name)).find(|program| program.is_file())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    /// What a program prints that is written so.
    async fn printed(script: &str) -> Result<Vec<String>> {
        let mut command = Command::new("sh");
        command.args(["-c", script]).kill_on_drop(true).stdout(Stdio::piped()).stderr(Stdio::piped());
        let pieces = pieces_until_end(command.spawn().expect("a shell"), "it".to_owned())?;
        timeout(Duration::from_secs(60), pieces.try_collect()).await.expect("it ends")
    }

    #[tokio::test]
    async fn a_program_that_complains_at_length_is_heard_to_its_end() {
        // More than a pipe holds.
        let complaining = "head -c 300000 /dev/zero >&2; printf 'a\\r\\nb\\nc'";

        assert_eq!(printed(complaining).await.expect("it succeeds"), ["a\r\n", "b\n", "c"]);
    }

    #[tokio::test]
    async fn what_a_program_complains_of_is_the_error_when_it_fails() {
        let error = printed("echo one; echo 'no such tenant' >&2; exit 1").await.expect_err("it fails");

        assert_eq!(error.to_string(), "it: no such tenant");
    }

    #[test]
    fn a_line_loses_its_end_and_nothing_else() {
        for (line, wanted) in [("a\r\n", "a"), ("a\n", "a"), ("a\r", "a\r"), ("a\n\n", "a\n"), ("", "")] {
            assert_eq!(without_end(line.to_owned()), wanted);
        }
    }
}
