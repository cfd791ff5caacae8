//! A statement as CSV (RFC 4180): a head that names the columns, in any order, and a line for each entry. Pure.
//!
//! `key`, `date`, `amount` and `currency` must be there, `reference` and `counterparty` may be. Commas or semicolons divide the
//! fields, as the head does. An amount below zero went out. The last line ends like all others, so that a file that was cut within
//! a line is told from one that is whole.

use trato_types::Currency;

use super::model::{Line, MOST_LINES, Statement, StatementError, amount, plain};
use crate::fields::day;

/// Most fields of a line.
const MOST_FIELDS: usize = 100;

/// Reads all entries of a file.
pub fn parse(content: &[u8]) -> Result<Statement, StatementError> {
    let text =
        std::str::from_utf8(content).map_err(|error| StatementError::Malformed(error.valid_up_to()))?;
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
    let head_end = text.find(['\r', '\n']).ok_or(StatementError::Malformed(text.len()))?;
    let divider = if text[..head_end].contains(';') { ';' } else { ',' };
    let mut rows = rows(text, divider)?.into_iter();
    let head = rows.next().ok_or(StatementError::Malformed(0))?;
    let column = |name: &str| head.iter().position(|own| own.trim().eq_ignore_ascii_case(name));
    let needed =
        |name: &str| column(name).ok_or_else(|| StatementError::Field(format!("there is no column {name}")));
    let (key, date, sum, currency) =
        (needed("key")?, needed("date")?, needed("amount")?, needed("currency")?);
    let (reference, counterparty) = (column("reference"), column("counterparty"));
    let mut lines = Vec::new();
    for (number, row) in rows.enumerate() {
        if row.len() != head.len() {
            let message = format!("line {} has {} fields and the head {}", number + 2, row.len(), head.len());
            return Err(StatementError::Field(message));
        }
        let invalid =
            |what: &str| StatementError::Field(format!("line {}: the {what} cannot be read", number + 2));
        let own = Currency::parse(row[currency].trim()).map_err(|_| invalid("currency"))?;
        let given = row[sum].trim();
        let (is_credit, unsigned) = match given.strip_prefix('-') {
            Some(rest) => (false, rest),
            None => (true, given),
        };
        let amount =
            amount(unsigned, own).filter(|amount| !amount.is_zero()).ok_or_else(|| invalid("amount"))?;
        let date = day(row[date].trim()).ok_or_else(|| invalid("date"))?;
        let key = plain(&row[key], 200);
        if key.is_empty() {
            return Err(invalid("key"));
        }
        let text = |at: Option<usize>, most| at.map(|at| plain(&row[at], most)).unwrap_or_default();
        lines.push(Line {
            key,
            date,
            amount,
            currency: own,
            is_credit,
            is_reversal: false,
            reference: text(reference, 500),
            counterparty: text(counterparty, 200),
        });
    }
    Statement::new(lines)
}

/// The fields of each line. Each line ends with a break; one without anything in it is passed over.
fn rows(text: &str, divider: char) -> Result<Vec<Vec<String>>, StatementError> {
    let mut rows: Vec<Vec<String>> = Vec::new();
    let mut row: Vec<String> = Vec::new();
    let mut field = String::new();
    let (mut is_quoted, mut was_quoted) = (false, false);
    let mut chars = text.char_indices().peekable();
    while let Some((at, char)) = chars.next() {
        if is_quoted {
            if char != '"' {
                field.push(char);
            } else if chars.next_if(|(_, next)| *next == '"').is_some() {
                field.push('"');
            } else {
                (is_quoted, was_quoted) = (false, true);
            }
            continue;
        }
        match char {
            '"' if field.is_empty() && !was_quoted => is_quoted = true,
            '\r' | '\n' => {
                chars.next_if(|(_, next)| char == '\r' && *next == '\n');
                row.push(std::mem::take(&mut field));
                was_quoted = false;
                let full = std::mem::take(&mut row);
                if full.len() > 1 || !full[0].is_empty() {
                    rows.push(full);
                }
            }
            _ if char == divider => {
                row.push(std::mem::take(&mut field));
                was_quoted = false;
            }
            // After a field in quotes nothing but its end may follow.
            _ if was_quoted => return Err(StatementError::Malformed(at)),
            _ => field.push(char),
        }
        if rows.len() > MOST_LINES + 1 || row.len() > MOST_FIELDS {
            return Err(StatementError::TooLarge);
        }
    }
    if is_quoted || !row.is_empty() || !field.is_empty() {
        return Err(StatementError::Malformed(text.len()));
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "Date;Amount;Currency;Key;Reference\r\n\
                        2026-11-27;121.00;EUR;A1;\"Invoice F0001; \"\"thanks\"\"\"\r\n\
                        \r\n\
                        2026-11-28;-9.90;EUR;A2;Fee\r\n";

    /// XTR-05: columns stand in any order, fields may be quoted, and what is below zero went out.
    #[test]
    fn a_statement_is_read() {
        let lines = parse(FILE.as_bytes()).expect("a statement").lines;

        let brief: Vec<_> = lines
            .iter()
            .map(|line| (line.key.as_str(), line.amount.0, line.is_credit, line.reference.as_str()))
            .collect();
        assert_eq!(brief, [("A1", 12_100, true, "Invoice F0001; \"thanks\""), ("A2", 990, false, "Fee")]);
    }

    /// XTR-05: a file that was cut within a line is refused as a whole, and so is one line that cannot be read.
    #[test]
    fn what_is_not_whole_is_refused() {
        let whole_at: Vec<usize> = FILE.match_indices("\r\n").map(|(at, _)| at).collect();
        for end in 0..FILE.len() - 2 {
            let is_boundary = whole_at.iter().any(|at| (at + 1..=at + 2).contains(&end));
            assert_eq!(parse(&FILE.as_bytes()[..end]).is_ok(), is_boundary, "cut at {end}");
        }
        for (from, to) in [
            ("121.00", "121,00"),
            ("121.00", "0"),
            ("EUR", "E1R"),
            ("2026-11-27", "27.11.2026"),
            (";A1;", ";;"),
            ("A2", "A1"),
            ("Key", "Id"),
            (";Fee", ""),
        ] {
            assert!(parse(FILE.replace(from, to).as_bytes()).is_err(), "{to}");
        }
        assert!(matches!(parse(&[0xff, 0xfe]), Err(StatementError::Malformed(0))));
    }
}
