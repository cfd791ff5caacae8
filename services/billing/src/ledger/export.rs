//! What is read off the books: the journal, line by line and page by page, also as a file, and the sums of the accounts.

use sqlx::Row as _;
use trato_platform::db::{Database, Tx, from_sqlx};
use trato_proto::{
    billing::v1::{
        self as pb,
        export_postings_request::Format,
        journal_line::{Kind, Role},
    },
    google::value::Money,
    wire,
};
use trato_types::{Context, Currency, Date, Error, Id, Minor, Ref, Result, Violations};
use uuid::Uuid;

use super::parquet_file;
use crate::{fields::day, foreign::Account, legal_entity::LegalEntity};

/// Postings of a page, unless said.
const PAGE: i32 = 200;
/// Most postings of a page.
const MOST: i32 = 1000;

/// The head of the CSV.
const HEAD: &str = "posting,line,date,kind,document,description,account,account_code,tax,currency,debit,credit,\
                    base_currency,base_debit,base_credit,rate\r\n";

struct Asked {
    legal_entity: Id<LegalEntity>,
    from: Date,
    to: Date,
    size: i32,
    after: Option<(Date, Uuid)>,
    format: Format,
}

/// A page of the journal.
pub async fn postings(
    database: &Database,
    cx: &Context,
    body: &pb::ExportPostingsRequest,
) -> Result<pb::ExportPostingsResponse> {
    let asked = parse(body)?;
    let mut tx = Tx::of(database, cx).await?;
    let (after_date, after) = asked.after.unzip();
    let rows = sqlx::query(include_str!("../../sql/list_journal_lines.sql"))
        .bind(cx.tenant)
        .bind(asked.legal_entity.uuid())
        .bind(asked.from)
        .bind(asked.to)
        .bind(after_date)
        .bind(after)
        .bind(i64::from(asked.size) + 1)
        .fetch_all(tx.connection())
        .await
        .map_err(from_sqlx)?;
    tx.roll_back().await?;
    let mut lines = Vec::with_capacity(rows.len());
    let (mut seen, mut last, mut next_page_token) = (0, None, String::new());
    for row in &rows {
        let (id, date): (Uuid, Date) =
            (row.try_get(0).map_err(from_sqlx)?, row.try_get(2).map_err(from_sqlx)?);
        if last != Some((date, id)) {
            if seen == asked.size {
                next_page_token = last.map(|(date, id)| format!("{date}/{id}")).unwrap_or_default();
                break;
            }
            seen += 1;
            last = Some((date, id));
        }
        lines.push(line(row)?);
    }
    let (mut csv, mut parquet) = (String::new(), Vec::new());
    match asked.format {
        Format::Unspecified => {}
        Format::Csv => csv = write_csv(&lines, asked.after.is_none()),
        Format::Parquet => parquet = parquet_file::write(&lines)?,
    }
    Ok(pb::ExportPostingsResponse { lines, csv, parquet, next_page_token })
}

fn parse(body: &pb::ExportPostingsRequest) -> Result<Asked> {
    let mut violations = Violations::new();
    let legal_entity = violations.keep("legal_entity", Id::parse(&body.legal_entity));
    let mut required = |field: &str, date: Option<&trato_proto::google::value::Date>| match date {
        Some(date) => violations.keep(field, wire::parse_date(date)),
        None => {
            violations.add(field, "REQUIRED", "is required");
            None
        }
    };
    let from = required("from_date", body.from_date.as_ref());
    let to = required("to_date", body.to_date.as_ref());
    let size = page_size(body.page_size, PAGE, MOST, &mut violations);
    let after = if body.page_token.is_empty() {
        None
    } else {
        let token = body.page_token.split_once('/');
        let token = token.and_then(|(date, id)| Some((day(date)?, Uuid::parse_str(id).ok()?)));
        if token.is_none() {
            violations.add("page_token", "INVALID_PAGE_TOKEN", "is no token of this method");
        }
        token
    };
    let format = violations.keep("format", Format::try_from(body.format).map_err(|_| wire::UnknownName));
    let asked = legal_entity.zip(from).zip(to).zip(size).zip(format);
    let ((((legal_entity, from), to), size), format) = violations.into_result(asked)?;
    Ok(Asked { legal_entity, from, to, size, after, format })
}

/// The size of a page: as many as are asked for, at most so many.
pub fn page_size(asked: i32, default: i32, most: i32, violations: &mut Violations) -> Option<i32> {
    if asked < 0 {
        violations.add("page_size", "INVALID_PAGE_SIZE", "must not be negative");
        return None;
    }
    Some(if asked == 0 { default } else { asked.min(most) })
}

fn line(row: &sqlx::postgres::PgRow) -> Result<pb::JournalLine> {
    let text = |at: usize| row.try_get::<String, _>(at).map_err(from_sqlx);
    let currency = Currency::parse(&text(9)?).map_err(Error::internal)?;
    let base = Currency::parse(&text(12)?).map_err(Error::internal)?;
    let money = |at: usize, currency: Currency| -> Result<Option<Money>> {
        let amount: i64 = row.try_get(at).map_err(from_sqlx)?;
        Ok((amount != 0).then(|| wire::money(Minor(amount), currency)))
    };
    let id: Uuid = row.try_get(0).map_err(from_sqlx)?;
    let account: Uuid = row.try_get(6).map_err(from_sqlx)?;
    let rate: rust_decimal::Decimal = row.try_get(15).map_err(from_sqlx)?;
    Ok(pb::JournalLine {
        posting: id.to_string(),
        line: row.try_get(1).map_err(from_sqlx)?,
        date: Some(wire::date(row.try_get(2).map_err(from_sqlx)?)),
        kind: Kind::from_str_name(&text(3)?).unwrap_or_default().into(),
        document: text(4)?,
        description: text(5)?,
        account: Ref::<Account>::from_uuid(account).name(),
        account_code: text(7)?,
        tax: text(8)?,
        debit: money(10, currency)?,
        credit: money(11, currency)?,
        base_debit: money(13, base)?,
        base_credit: money(14, base)?,
        rate: rate.normalize().to_string(),
        role: Role::from_str_name(&text(16)?).unwrap_or_default().into(),
    })
}

/// The lines as RFC 4180: fields with commas, quotes or breaks in quotes, lines that end with CR and LF.
fn write_csv(lines: &[pb::JournalLine], with_head: bool) -> String {
    let mut text = String::from(if with_head { HEAD } else { "" });
    for line in lines {
        let currency = |one: &Option<Money>, other: &Option<Money>| {
            one.as_ref().or(other.as_ref()).map(|money| money.currency_code.clone()).unwrap_or_default()
        };
        let day =
            line.date.as_ref().map(|date| format!("{:04}-{:02}-{:02}", date.year, date.month, date.day));
        let fields = [
            line.posting.clone(),
            line.line.to_string(),
            day.unwrap_or_default(),
            line.kind().as_str_name().to_owned(),
            line.document.clone(),
            line.description.clone(),
            line.account.clone(),
            line.account_code.clone(),
            line.tax.clone(),
            currency(&line.debit, &line.credit),
            decimal(line.debit.as_ref()),
            decimal(line.credit.as_ref()),
            currency(&line.base_debit, &line.base_credit),
            decimal(line.base_debit.as_ref()),
            decimal(line.base_credit.as_ref()),
            line.rate.clone(),
        ];
        let fields: Vec<String> = fields.iter().map(|field| quoted(field)).collect();
        text.push_str(&fields.join(","));
        text.push_str("\r\n");
    }
    text
}

/// A field as it stands in CSV. One that a spreadsheet would take for a formula is told as text.
fn quoted(field: &str) -> String {
    let guarded = if field.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
    if guarded.is_empty() && !field.contains([',', '"', '\r', '\n']) {
        return field.to_owned();
    }
    format!("\"{guarded}{}\"", field.replace('"', "\"\""))
}

/// An amount as decimal text with all decimals of its currency; debits and credits are never below zero.
fn decimal(money: Option<&Money>) -> String {
    let Some(money) = money else { return String::new() };
    let places = Currency::parse(&money.currency_code).map_or(2, |currency| currency.exponent());
    let width = usize::try_from(places).unwrap_or(2);
    if width == 0 {
        return money.units.to_string();
    }
    let digits = format!("{:09}", money.nanos);
    format!("{}.{}", money.units, &digits[..width])
}

/// The sums of the accounts through a day.
pub async fn trial_balance(
    database: &Database,
    cx: &Context,
    body: &pb::QueryTrialBalanceRequest,
) -> Result<pb::QueryTrialBalanceResponse> {
    let mut violations = Violations::new();
    let legal_entity = violations.keep("legal_entity", Id::<LegalEntity>::parse(&body.legal_entity));
    let as_of = violations.keep("as_of", wire::require_date(body.as_of.as_ref()));
    let (legal_entity, as_of) = violations.into_result(legal_entity.zip(as_of))?;
    let mut tx = Tx::of(database, cx).await?;
    let rows: Vec<(String, String, i64, i64)> = sqlx::query_as(include_str!("../../sql/sum_accounts.sql"))
        .bind(cx.tenant)
        .bind(legal_entity.uuid())
        .bind(as_of)
        .fetch_all(tx.connection())
        .await
        .map_err(from_sqlx)?;
    tx.roll_back().await?;
    let balance = |(account_code, currency, debit, credit): (String, String, i64, i64)| {
        let currency = Currency::parse(&currency).map_err(Error::internal)?;
        Ok(pb::query_trial_balance_response::Balance {
            account_code,
            base_debit: Some(wire::money(Minor(debit), currency)),
            base_credit: Some(wire::money(Minor(credit), currency)),
        })
    };
    Ok(pb::QueryTrialBalanceResponse { balances: rows.into_iter().map(balance).collect::<Result<_>>()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// XTR-05: whatever stands in a description, the CSV has as many fields as its head, and no formula.
    #[test]
    fn a_line_of_csv_is_quoted_where_it_must_be() {
        for (field, written) in [
            ("F0001", "F0001"),
            ("a, b", "\"a, b\""),
            ("say \"no\"", "\"say \"\"no\"\"\""),
            ("=1+1", "\"'=1+1\""),
            ("-12", "\"'-12\""),
        ] {
            assert_eq!(quoted(field), written);
        }
    }

    #[test]
    fn an_amount_has_the_decimals_of_its_currency() {
        let money = |code: &str, minor| {
            let currency = Currency::parse(code).expect("a code");
            decimal(Some(&wire::money(Minor(minor), currency)))
        };
        assert_eq!((money("EUR", 5).as_str(), money("EUR", 12_345).as_str()), ("0.05", "123.45"));
        assert_eq!((money("JPY", 12), money("KWD", 1_001)), ("12".into(), "1.001".into()));
        assert_eq!(decimal(None), "");
    }
}
