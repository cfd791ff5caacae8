//! What a test tells whoever reads its output: seeds, rates, counts. Shown for tests that fail, and with `--nocapture`.

/// Says one line.
#[expect(clippy::print_stdout, reason = "the one place where tests speak")]
pub fn say(line: impl std::fmt::Display) {
    println!("{line}");
}
