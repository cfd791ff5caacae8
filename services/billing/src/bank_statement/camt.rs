//! CAMT.053 of ISO 20022, in any of its versions: the statement of an account. Pure.

use trato_types::{Currency, Date, Minor};

use super::{
    model::{Line, Statement, StatementError, amount, plain},
    xml::{Element, read},
};
use crate::fields;

/// What the namespaces of all versions begin with.
const SPACE: &str = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.";

/// Reads the booked entries of all statements in a file. Where a statement has both balances, its entries must lead from one to
/// the other.
pub fn parse(content: &[u8]) -> Result<Statement, StatementError> {
    let root = read(content, SPACE)?;
    let report = root.at("BkToCstmrStmt").ok_or_else(|| missing("BkToCstmrStmt"))?;
    let mut lines = Vec::new();
    for statement in report.all("Stmt") {
        let account = statement.text_at("Acct/Id/IBAN").or_else(|| statement.text_at("Acct/Id/Othr/Id"));
        let account = account.ok_or_else(|| missing("Acct/Id"))?;
        let id = statement.text_at("Id").ok_or_else(|| missing("Stmt/Id"))?;
        let mut moved: i128 = 0;
        for (number, entry) in statement.all("Ntry").enumerate() {
            let status = entry.text_at("Sts/Cd").or_else(|| entry.text_at("Sts")).unwrap_or("BOOK");
            if status != "BOOK" {
                continue;
            }
            let (total, currency) = money(entry.at("Amt").ok_or_else(|| missing("Ntry/Amt"))?)?;
            let is_credit = is_credit(entry)?;
            moved += if is_credit { i128::from(total.0) } else { -i128::from(total.0) };
            let is_reversal = matches!(entry.text_at("RvslInd"), Some("true" | "1"));
            let key = key(entry, (account, id, number), is_reversal);
            let whole = Whole { key, date: day(entry)?, currency, is_credit, is_reversal };
            lines.extend(parts(entry, total, &whole)?);
        }
        if let Some((opening, closing)) = balance(statement, "OPBD")?.zip(balance(statement, "CLBD")?)
            && opening + moved != closing
        {
            return Err(StatementError::NotEven);
        }
    }
    Statement::new(lines)
}

/// What an entry is called in every statement it stands in. The bank's own reference is unique within the account. Others are
/// told apart within their statement only, where many banks number them from one, so the statement stands before them.
fn key(entry: &Element, (account, statement, number): (&str, &str, usize), is_reversal: bool) -> String {
    let own = |name: &str| entry.text_at(name).filter(|own| !is_no_reference(own));
    let key = match (own("AcctSvcrRef"), own("NtryRef")) {
        (Some(own), _) => format!("{account}/{own}"),
        (None, Some(own)) => format!("{account}/{statement}/{own}"),
        // No reference looks like this, so that an entry without one is never taken for an entry that has one.
        (None, None) => format!("{account}/{statement}//{number}"),
    };
    // It may have the reference of what it takes back.
    if is_reversal { format!("{key}/reversal") } else { key }
}

/// True for what banks write where they have no reference.
fn is_no_reference(text: &str) -> bool {
    ["NONREF", "NOTPROVIDED"].iter().any(|none| text.eq_ignore_ascii_case(none))
}

/// What the parts of an entry have in common.
struct Whole {
    key: String,
    date: Date,
    currency: Currency,
    is_credit: bool,
    is_reversal: bool,
}

/// The transactions of an entry, where they say what each comes to and add up; else the entry as one.
fn parts(entry: &Element, total: Minor, whole: &Whole) -> Result<Vec<Line>, StatementError> {
    let transactions: Vec<&Element> =
        entry.all("NtryDtls").flat_map(|details| details.all("TxDtls")).collect();
    let amounts = transactions.iter().map(|transaction| {
        let own = transaction.at("Amt").or_else(|| transaction.at("AmtDtls/TxAmt/Amt"))?;
        let (amount, currency) = money(own).ok()?;
        (currency == whole.currency).then_some(amount)
    });
    let amounts: Option<Vec<Minor>> = amounts.collect();
    let amounts = amounts.filter(|amounts| {
        amounts.iter().map(|amount| i128::from(amount.0)).sum::<i128>() == i128::from(total.0)
    });
    let line = |key: String, amount: Minor, transactions: &[&Element]| Line {
        key: plain(&key, 200),
        date: whole.date,
        amount,
        currency: whole.currency,
        is_credit: whole.is_credit,
        is_reversal: whole.is_reversal,
        reference: plain(&reference(entry, transactions), 500),
        counterparty: plain(&counterparty(transactions, whole.is_credit), 200),
    };
    if total.is_zero() {
        return Ok(Vec::new());
    }
    match amounts {
        Some(amounts) if transactions.len() > 1 => {
            let parts =
                transactions.iter().zip(amounts).enumerate().filter(|(_, (_, amount))| !amount.is_zero());
            let part = |(number, (transaction, amount)): (usize, (&&Element, Minor))| {
                line(format!("{}/{number}", whole.key), amount, &[*transaction])
            };
            Ok(parts.map(part).collect())
        }
        _ => Ok(vec![line(whole.key.clone(), total, &transactions)]),
    }
}

/// What the payer wrote: free text, references of creditors, and the identifier from end to end.
fn reference(entry: &Element, transactions: &[&Element]) -> String {
    let mut texts: Vec<&str> = Vec::new();
    for transaction in transactions {
        for remittance in transaction.all("RmtInf") {
            texts.extend(remittance.all("Ustrd").map(|text| text.text.trim()));
            texts.extend(remittance.all("Strd").filter_map(|part| part.text_at("CdtrRefInf/Ref")));
            let numbers = remittance.all("Strd").flat_map(|part| part.all("RfrdDocInf"));
            texts.extend(numbers.filter_map(|document| document.text_at("Nb")));
        }
        texts.extend(transaction.text_at("Refs/EndToEndId").filter(|id| *id != "NOTPROVIDED"));
    }
    if texts.is_empty() {
        texts.extend(entry.text_at("AddtlNtryInf"));
    }
    texts.join(" ")
}

fn counterparty(transactions: &[&Element], is_credit: bool) -> String {
    let party = if is_credit { "Dbtr" } else { "Cdtr" };
    let name = |transaction: &&Element| {
        let parties = transaction.at("RltdPties")?;
        let name =
            parties.text_at(&format!("{party}/Nm")).or_else(|| parties.text_at(&format!("{party}/Pty/Nm")));
        name.map(str::to_owned)
    };
    match transactions {
        [only] => name(only).unwrap_or_default(),
        _ => String::new(),
    }
}

fn balance(statement: &Element, code: &str) -> Result<Option<i128>, StatementError> {
    let is_of = |balance: &&Element| balance.text_at("Tp/CdOrPrtry/Cd") == Some(code);
    let Some(balance) = statement.all("Bal").find(is_of) else { return Ok(None) };
    let (amount, _) = money(balance.at("Amt").ok_or_else(|| missing("Bal/Amt"))?)?;
    let amount = i128::from(amount.0);
    Ok(Some(if is_credit(balance)? { amount } else { -amount }))
}

fn is_credit(of: &Element) -> Result<bool, StatementError> {
    match of.text_at("CdtDbtInd") {
        Some("CRDT") => Ok(true),
        Some("DBIT") => Ok(false),
        _ => Err(missing("CdtDbtInd")),
    }
}

fn money(element: &Element) -> Result<(Minor, Currency), StatementError> {
    let invalid = || StatementError::Field(format!("an amount cannot be read: {}", plain(&element.text, 40)));
    let currency = Currency::parse(&element.currency).map_err(|_| invalid())?;
    Ok((amount(&element.text, currency).ok_or_else(invalid)?, currency))
}

fn day(entry: &Element) -> Result<Date, StatementError> {
    let paths = ["ValDt/Dt", "ValDt/DtTm", "BookgDt/Dt", "BookgDt/DtTm"];
    let text = paths.iter().find_map(|path| entry.text_at(path)).ok_or_else(|| missing("BookgDt"))?;
    text.get(..10)
        .and_then(fields::day)
        .ok_or_else(|| StatementError::Field(format!("a day cannot be read: {}", plain(text, 40))))
}

fn missing(what: &str) -> StatementError {
    StatementError::Field(format!("{what} is missing"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = include_str!("../../tests/data/camt053.xml");

    /// XTR-05: what a bank says is read: entries, parts of a collective one, references and payers.
    #[test]
    fn a_statement_is_read() {
        let statement = parse(FILE.as_bytes()).expect("a statement");

        let brief: Vec<_> = statement
            .lines
            .iter()
            .map(|line| {
                (
                    line.key.as_str(),
                    line.amount.0,
                    line.is_credit,
                    line.reference.as_str(),
                    line.counterparty.as_str(),
                )
            })
            .collect();
        assert_eq!(
            brief,
            [
                (
                    "ES9121000418450200051332/A1",
                    12_100,
                    true,
                    "Invoice F0001, thank you & bye",
                    "Hotel Miramar"
                ),
                ("ES9121000418450200051332/A2/0", 5_000, true, "F0002", "Bar Azul"),
                ("ES9121000418450200051332/A2/1", 2_500, true, "RF18539007547034", "Casa Verde"),
                ("ES9121000418450200051332/A3", 990, false, "Account fee", ""),
            ]
        );
        assert_eq!(statement.lines[0].date.to_string(), "2026-11-27");
    }

    /// XTR-05: what begins again in each statement is no key without the statement, and what says that there is no reference is
    /// none.
    #[test]
    fn entries_of_two_statements_are_never_taken_for_one() {
        let keys = |content: &str| -> Vec<String> {
            parse(content.as_bytes()).expect("a statement").lines.into_iter().map(|line| line.key).collect()
        };
        let numbered = FILE.replace("AcctSvcrRef>A", "NtryRef>").replace("AcctSvcrRef", "NtryRef");
        let next = numbered.replace("2026-231", "2026-232");
        let unnamed = FILE.replace(">A1</", ">NONREF</").replace(">A3</", ">notprovided</");

        assert_eq!(keys(&numbered)[0], "ES9121000418450200051332/2026-231/1");
        assert!(keys(&numbered).iter().all(|key| !keys(&next).contains(key)));
        let keys = keys(&unnamed);
        assert_eq!(keys[0], "ES9121000418450200051332/2026-231//0");
        assert_eq!(keys[3], "ES9121000418450200051332/2026-231//2");
    }

    /// XTR-05: what takes an entry back says so, and may have its reference.
    #[test]
    fn a_reversal_is_told_from_what_it_takes_back() {
        let back = FILE.replace("<AcctSvcrRef>A3", "<RvslInd>true</RvslInd><AcctSvcrRef>A1");

        let statement = parse(back.as_bytes()).expect("a statement");

        let brief: Vec<_> =
            statement.lines.iter().map(|line| (line.key.as_str(), line.is_reversal)).collect();
        assert_eq!(brief[0], ("ES9121000418450200051332/A1", false));
        assert_eq!(brief[3], ("ES9121000418450200051332/A1/reversal", true));
    }

    /// XTR-05: a file that was cut anywhere is refused as a whole; so is one with entities, or whose entries were left out.
    #[test]
    fn what_is_not_whole_is_refused() {
        for end in (0..FILE.trim_end().len() - 1).step_by(7) {
            assert!(parse(&FILE.as_bytes()[..end]).is_err(), "cut at {end}");
        }
        let refused = |from: &str, to: &str| parse(FILE.replace(from, to).as_bytes()).expect_err(to);
        let head = "<Document xmlns";
        let dtd = refused(head, "<!DOCTYPE x [<!ENTITY e \"boom\">]><Document xmlns");
        assert_eq!(dtd, StatementError::DtdNotAllowed);
        assert_eq!(refused("thank you &amp; bye", "&e;"), StatementError::DtdNotAllowed);
        assert_eq!(
            refused("<Amt Ccy=\"EUR\">121.00</Amt>", "<Amt Ccy=\"EUR\">120.00</Amt>"),
            StatementError::NotEven
        );
        assert!(matches!(refused("Ccy=\"EUR\">121.00", "Ccy=\"E1R\">121.00"), StatementError::Field(_)));
        assert!(matches!(refused("camt.053.001", "pain.001.001"), StatementError::Malformed(_)));
        assert!(matches!(refused("A3", "A1"), StatementError::Twice(_)));
        let deep = format!("{}{}", "<Stmt>".repeat(40), "</Stmt>".repeat(40));
        assert_eq!(refused("<Stmt>", &format!("{deep}<Stmt>")), StatementError::TooLarge);
    }
}
