//! Log files of the processes: the end of one, and following several as they grow.

use std::{
    fs::File,
    io::{Read as _, Seek as _, SeekFrom},
    path::{Path, PathBuf},
};

/// How far back the end of a log reaches.
const TAIL_BYTES: u64 = 64 * 1024;
/// Most bytes read at once.
const MOST_BYTES: u64 = 1024 * 1024;

/// The last lines of a log; empty when there is none.
pub fn tail(log: &Path, lines: usize) -> String {
    let length = std::fs::metadata(log).map_or(0, |found| found.len());
    let bytes = read_from(log, length.saturating_sub(TAIL_BYTES)).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let all: Vec<&str> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}

/// A log that is read as it grows.
#[derive(Debug)]
pub struct Follower {
    path: PathBuf,
    position: u64,
}

impl Follower {
    /// Begins at the present end.
    pub fn at_end(path: PathBuf) -> Self {
        let position = std::fs::metadata(&path).map_or(0, |found| found.len());
        Self { path, position }
    }

    /// The whole lines added since the last call. A log that has become shorter was begun anew and is read from its start.
    pub fn added(&mut self) -> String {
        let length = std::fs::metadata(&self.path).map_or(0, |found| found.len());
        if length < self.position {
            self.position = 0;
        }
        let Ok(mut bytes) = read_from(&self.path, self.position) else { return String::new() };
        bytes.truncate(bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1));
        self.position += bytes.len() as u64;
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

fn read_from(log: &Path, start: u64) -> std::io::Result<Vec<u8>> {
    let mut file = File::open(log)?;
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::new();
    file.take(MOST_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn a_followed_log_gives_whole_lines_once_and_begins_anew_when_it_does() {
        let path = std::env::temp_dir().join(format!("trato-log-{}", std::process::id()));
        std::fs::write(&path, "old\n").expect("the folder of temporary files can be written");
        let mut follower = Follower::at_end(path.clone());
        let mut log = File::options().append(true).open(&path).expect("it was just written");

        log.write_all(b"one\ntw").expect("it can be written");
        assert_eq!(follower.added(), "one\n");
        log.write_all(b"o\n").expect("it can be written");
        assert_eq!(follower.added(), "two\n");
        std::fs::write(&path, "new\n").expect("it can be written");
        assert_eq!(follower.added(), "new\n");
        assert_eq!(tail(&path, 5), "new");

        std::fs::remove_file(&path).expect("own file");
    }
}
