//! One CSV file of an export, read by the names in its first line.
//!
//! A byte order mark, CRLF and blanks around cells are taken away; a file that lacks a column stops everything, a row
//! that cannot be read is set aside with its line.

use std::{fs, path::Path};

use anyhow::{Context as _, Result, bail};

use super::report::Unplaced;

/// A file with its rows.
#[derive(Debug)]
pub struct Table {
    /// Name of the file, without its folder.
    pub file: String,
    /// Rows that could be read.
    pub rows: Vec<Row>,
    /// Rows that could not.
    pub unreadable: Vec<Unplaced>,
}

/// One row: the cells of the columns asked for, in the order they were asked for.
#[derive(Debug)]
pub struct Row {
    /// Line of the file it begins at; the header is line 1.
    pub line: u64,
    /// Trimmed cells.
    pub cells: Vec<String>,
}

impl Table {
    /// Reads `columns` of a file; other columns are left out.
    pub fn read(path: &Path, columns: &[&str]) -> Result<Self> {
        let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Self::parse(file, &bytes, columns)
    }

    fn parse(file: String, bytes: &[u8], columns: &[&str]) -> Result<Self> {
        let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
        let mut reader = csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::All).from_reader(bytes);
        let header = reader.byte_headers().with_context(|| format!("{file} line 1"))?.clone();
        let places = find(&file, &header, columns)?;
        let mut table = Self { file, rows: Vec::new(), unreadable: Vec::new() };
        let mut lines = Lines { bytes, place: 0, line: 1 };
        let mut record = csv::ByteRecord::new();
        while reader.read_byte_record(&mut record).with_context(|| format!("cannot read {}", table.file))? {
            let line = lines.at(record.position().map_or(0, csv::Position::byte));
            match cells(&record, header.len(), &places) {
                Ok(cells) => table.rows.push(Row { line, cells }),
                Err(reason) => {
                    let key = record.get(0).map(|cell| String::from_utf8_lossy(cell).into_owned());
                    table.unreadable.push(Unplaced::new(&table.file, line, key.unwrap_or_default(), reason));
                }
            }
        }
        Ok(table)
    }
}

/// Counts lines. The reader's own count begins a row before the line feed of a CRLF and before blank lines.
struct Lines<'a> {
    bytes: &'a [u8],
    place: usize,
    line: u64,
}

impl Lines<'_> {
    /// Line of the row that the reader says begins at this byte; bytes only go up.
    fn at(&mut self, start: u64) -> u64 {
        let start = usize::try_from(start).unwrap_or(usize::MAX);
        while let Some(byte) = self.bytes.get(self.place) {
            if self.place >= start && !matches!(byte, b'\r' | b'\n') {
                break;
            }
            self.line += u64::from(*byte == b'\n');
            self.place += 1;
        }
        self.line
    }
}

/// Where each column stands, whatever the case its name is written in.
fn find(file: &str, header: &csv::ByteRecord, columns: &[&str]) -> Result<Vec<usize>> {
    let names: Vec<String> =
        header.iter().map(|name| String::from_utf8_lossy(name).trim().to_lowercase()).collect();
    let missing: Vec<&str> =
        columns.iter().copied().filter(|column| !names.iter().any(|name| name == column)).collect();
    if !missing.is_empty() {
        bail!(
            "{file} line 1: no column {}; there are {}",
            missing.join(", "),
            if names.concat().is_empty() { "none".to_owned() } else { names.join(", ") }
        );
    }
    let twice = columns.iter().find(|column| names.iter().filter(|name| name == *column).count() > 1);
    if let Some(column) = twice {
        bail!("{file} line 1: the column {column} is there twice");
    }
    Ok(columns.iter().filter_map(|column| names.iter().position(|name| name == column)).collect())
}

fn cells(record: &csv::ByteRecord, width: usize, places: &[usize]) -> Result<Vec<String>, String> {
    if record.len() != width {
        return Err(format!("has {} cells where the first line has {width}", record.len()));
    }
    let cell = |place: &usize| {
        let bytes = record.get(*place).unwrap_or_default();
        std::str::from_utf8(bytes).map(str::to_owned).map_err(|_| "is not UTF-8 text".to_owned())
    };
    places.iter().map(cell).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &[u8]) -> Result<Table> {
        Table::parse("sales.csv".into(), text, &["name", "value"])
    }

    #[test]
    fn columns_are_found_by_name_and_marks_and_line_ends_do_not_matter() {
        let table =
            parse("\u{feff}Value,Other,name\r\n 5 ,x,\"a, b\"\r\n\r\n7,,c\r\n".as_bytes()).expect("a table");

        let rows: Vec<_> = table.rows.iter().map(|row| (row.line, row.cells.join("|"))).collect();
        assert_eq!(rows, [(2, "a, b|5".to_owned()), (4, "c|7".to_owned())]);
        assert!(table.unreadable.is_empty());
    }

    #[test]
    fn a_missing_column_is_named_with_its_file_and_line() {
        let error = parse(b"name,valeu\na,1\n").expect_err("no such column");

        assert_eq!(error.to_string(), "sales.csv line 1: no column value; there are name, valeu");
        assert_eq!(
            parse(b"").expect_err("nothing").to_string(),
            "sales.csv line 1: no column name, value; there are none"
        );
        assert!(parse(b"name,value,name\n").is_err(), "twice");
    }

    #[test]
    fn a_row_that_cannot_be_read_is_set_aside_and_the_others_are_kept() {
        let table = parse(b"name,value\na\nb,2\nc\xff,3\n").expect("a table");

        assert_eq!(table.rows.len(), 1);
        let lines: Vec<_> = table.unreadable.iter().map(|row| (row.line, row.reason.as_str())).collect();
        assert_eq!(lines, [(2, "has 1 cells where the first line has 2"), (4, "is not UTF-8 text")]);
    }
}
