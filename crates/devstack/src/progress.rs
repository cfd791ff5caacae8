//! What a person at the terminal sees while something takes time. The only place that writes to the terminal.

use std::{
    io::{self, Write as _},
    sync::Arc,
    time::Instant,
};

/// Says what is going on, on standard error; or nothing, inside tests.
#[derive(Clone, Debug)]
pub struct Progress(Option<Arc<Instant>>);

impl Progress {
    /// Lines with the seconds since the start.
    pub fn terminal() -> Self {
        Self(Some(Arc::new(Instant::now())))
    }

    /// Says nothing.
    pub fn silent() -> Self {
        Self(None)
    }

    /// One line about `subject`.
    pub fn say(&self, subject: &str, text: impl std::fmt::Display) {
        if let Some(start) = &self.0 {
            let seconds = start.elapsed().as_secs_f64();
            // A closed terminal must not stop the work.
            let _ = writeln!(io::stderr().lock(), "{seconds:7.1} s  {subject:<11} {text}");
        }
    }
}

/// Writes a result to standard output; a reader that has gone away is no error.
pub fn print(text: impl std::fmt::Display) {
    let _ = writeln!(io::stdout().lock(), "{text}");
}

/// Writes to standard output as it is, without a line break.
pub fn print_raw(bytes: &[u8]) {
    let mut out = io::stdout().lock();
    let _ = out.write_all(bytes).and_then(|()| out.flush());
}

/// Writes why a command failed, with every cause, to standard error.
pub fn print_error(error: &anyhow::Error) {
    let _ = writeln!(io::stderr().lock(), "error: {error:#}");
}
