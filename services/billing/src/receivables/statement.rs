//! A statement: what moved the balance of an account, line by line.

use trato_platform::db::{Database, Tx, from_sqlx};
use trato_proto::{
    billing::v1::{self as pb, journal_line::Kind},
    wire,
};
use trato_types::{Context, Currency, Date, Error, Id, Minor, Ref, Result, Violations};

use crate::{foreign::Account, legal_entity::LegalEntity};

/// Most lines of a statement.
const MOST: i64 = 5000;

struct Asked {
    account: Ref<Account>,
    legal_entity: Option<Id<LegalEntity>>,
    currency: Currency,
    from: Option<Date>,
    to: Option<Date>,
}

/// The statement that is asked for.
pub async fn query(
    database: &Database,
    cx: &Context,
    body: &pb::QueryStatementRequest,
) -> Result<pb::QueryStatementResponse> {
    let asked = parse(body)?;
    let legal_entity = asked.legal_entity.map(Id::uuid);
    let mut tx = Tx::of(database, cx).await?;
    let opening: i64 = match asked.from {
        None => 0,
        Some(from) => sqlx::query_scalar(include_str!("../../sql/sum_movements.sql"))
            .bind(cx.tenant)
            .bind(asked.account.uuid())
            .bind(asked.currency.code())
            .bind(legal_entity)
            .bind(from)
            .fetch_one(tx.connection())
            .await
            .map_err(from_sqlx)?,
    };
    let rows: Vec<(Date, String, String, String, i64)> =
        sqlx::query_as(include_str!("../../sql/list_movements.sql"))
            .bind(cx.tenant)
            .bind(asked.account.uuid())
            .bind(asked.currency.code())
            .bind(legal_entity)
            .bind(asked.from)
            .bind(asked.to)
            .bind(MOST + 1)
            .fetch_all(tx.connection())
            .await
            .map_err(from_sqlx)?;
    tx.roll_back().await?;
    if i64::try_from(rows.len()).is_ok_and(|lines| lines > MOST) {
        let message = format!("the period has more than {MOST} lines; ask for a shorter one");
        return Err(Error::invalid("from_date", "STATEMENT_TOO_LONG", message));
    }
    let money = |amount: i64| Some(wire::money(Minor(amount), asked.currency));
    let mut balance = opening;
    let line = |(date, kind, document, description, amount): (Date, String, String, String, i64)| {
        balance = balance.saturating_add(amount);
        pb::query_statement_response::Line {
            date: Some(wire::date(date)),
            kind: Kind::from_str_name(&kind).unwrap_or_default().into(),
            document,
            description,
            amount: money(amount),
            balance: money(balance),
        }
    };
    let lines: Vec<_> = rows.into_iter().map(line).collect();
    Ok(pb::QueryStatementResponse {
        account: asked.account.name(),
        opening_balance: money(opening),
        lines,
        closing_balance: money(balance),
    })
}

fn parse(body: &pb::QueryStatementRequest) -> Result<Asked> {
    let mut violations = Violations::new();
    let account = violations.keep("account", Ref::parse(&body.account));
    let legal_entity = violations.keep("legal_entity", Id::parse_optional(&body.legal_entity));
    let currency = violations.keep("currency_code", Currency::parse_existing(&body.currency_code));
    let from = body.from_date.as_ref().and_then(|date| violations.keep("from_date", wire::parse_date(date)));
    let to = body.to_date.as_ref().and_then(|date| violations.keep("to_date", wire::parse_date(date)));
    if from.zip(to).is_some_and(|(from, to)| to < from) {
        violations.add("to_date", "END_BEFORE_START", "must not be before from_date");
    }
    let asked = account.zip(legal_entity).zip(currency);
    let asked =
        asked.map(|((account, legal_entity), currency)| Asked { account, legal_entity, currency, from, to });
    violations.into_result(asked)
}
