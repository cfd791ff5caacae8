//! The documents in `docs/reference`: made from what the programs are made from, and compared with what is committed.
//!
//! `TRATO_UPDATE=1 cargo test -p trato-tests contract::references` writes them in place of comparing.

mod comments;
mod errors;
mod events;
mod permissions;
mod sources;

use std::fs;

use trato_devstack::Checkout;

/// Says in each document where it comes from.
const MADE: &str = "\
Made by a test from the contract and the sources, see [how to change the contract](../how-to/change-the-contract.md).
Changes made by hand are lost.";

/// Compares a document with the committed one, or writes it when `TRATO_UPDATE` is set.
fn keep(name: &str, text: &str) {
    let path =
        Checkout::find().expect("tests run inside the checkout").root.join("docs/reference").join(name);
    if std::env::var_os("TRATO_UPDATE").is_some() {
        fs::write(&path, text).unwrap_or_else(|error| panic!("{name} cannot be written: {error}"));
        return;
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    let differing = committed.lines().zip(text.lines()).find(|(old, new)| old != new);
    assert!(
        committed == text,
        "{name} is out of date, at {differing:#?}; run `TRATO_UPDATE=1 cargo test -p trato-tests contract::references`"
    );
}

/// A table of Markdown.
fn table<const COLUMNS: usize>(
    head: [&str; COLUMNS],
    rows: impl IntoIterator<Item = [String; COLUMNS]>,
) -> String {
    let line = |cells: [String; COLUMNS]| {
        let cells = cells.map(|cell| cell.replace('|', "\\|"));
        format!("| {} |\n", cells.join(" | "))
    };
    let mut text = line(head.map(str::to_owned));
    text.push_str(&format!("|{}\n", "---|".repeat(COLUMNS)));
    text.extend(rows.into_iter().map(line));
    text
}

/// Words set as code, with commas between them.
fn code_list<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    words.into_iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}
