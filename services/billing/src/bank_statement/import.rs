//! Recording what a statement says has come, all of it in one transaction.

use std::collections::{BTreeSet, HashMap};

use trato_platform::db::{NewEvent, Record, Tx, from_sqlx};
use trato_proto::{
    billing::v1::{
        self as pb,
        import_bank_statement_response::{Entry, Outcome, Reason},
    },
    wire,
};
use trato_types::{Context, Currency, Error, Id, Minor, Ref, Result};
use uuid::Uuid;

use super::{
    matching::{Match, Open, find, words},
    model::{Line, Statement},
};
use crate::{
    books::Chart,
    invoice::Invoice,
    legal_entity::LegalEntity,
    payment::{Payment, Till, Wish, record},
};

/// Records what came, and says of each entry why.
pub async fn import(
    till: &Till,
    tx: &mut Tx,
    legal_entity: Id<LegalEntity>,
    statement: &Statement,
) -> Result<pb::ImportBankStatementResponse> {
    let chart = Chart::open(tx, legal_entity).await?;
    let known = known(tx, statement).await?;
    let mut open = candidates(tx, legal_entity, statement).await?;
    let mut entries = Vec::with_capacity(statement.lines.len());
    for line in &statement.lines {
        let mut entry = entry(line);
        match known.get(&line.key) {
            _ if !line.is_credit => entry.set_outcome(Outcome::Outgoing),
            Some(payment) => {
                entry.set_outcome(Outcome::RecordedBefore);
                entry.payment = Id::<Payment>::from_uuid(*payment).name();
            }
            None => {
                let (reason, invoices, is_certain) = match find(line, &open) {
                    Match::Number(invoices) => (Reason::Number, invoices, true),
                    Match::AmountAndName(invoice) => (Reason::AmountAndName, vec![invoice], true),
                    Match::AmountOnly(invoice) => (Reason::AmountOnly, vec![invoice], false),
                    Match::Ambiguous => (Reason::Ambiguous, Vec::new(), false),
                    Match::Nothing => (Reason::Nothing, Vec::new(), false),
                };
                entry.set_reason(reason);
                entry.set_outcome(match (is_certain, invoices.is_empty()) {
                    (true, _) => Outcome::Recorded,
                    (false, false) => Outcome::Proposed,
                    (false, true) => Outcome::Unmatched,
                });
                let wishes = wishes(line, &invoices);
                entry.allocations = wishes.iter().map(|wish| allocation(*wish, line.currency)).collect();
                if let Some(first) = invoices.first().filter(|_| is_certain) {
                    let account = Ref::from_uuid(first.account);
                    let date = line.date.min(chart.today(tx.cx()));
                    let payment = Payment::transfer(
                        (account, legal_entity),
                        (line.amount, line.currency),
                        line.key.clone(),
                        line.reference.clone(),
                        date,
                    );
                    let payment = write(till, tx, payment, &wishes).await?;
                    entry.payment = payment.name();
                    settle(&mut open, &wishes);
                }
            }
        }
        entries.push(entry);
    }
    Ok(pb::ImportBankStatementResponse { entries })
}

async fn write(till: &Till, tx: &mut Tx, payment: Payment, wishes: &[Wish]) -> Result<Record<Payment>> {
    let cx: Context = tx.cx().clone();
    let mut new = Record::new(&cx, payment, None);
    let rows = record(till, tx, &mut new, wishes).await?;
    let event = NewEvent::of(&cx, "succeeded", None, &new);
    tx.insert(&till.payments, &[&new], vec![event]).await?;
    till.write(tx, new.id, &rows).await?;
    Ok(new)
}

/// The payments of entries that were recorded before, by their keys.
async fn known(tx: &mut Tx, statement: &Statement) -> Result<HashMap<String, Uuid>> {
    let tenant = tx.cx().tenant;
    let keys: Vec<&str> = statement.lines.iter().map(|line| line.key.as_str()).collect();
    let rows: Vec<(String, Uuid)> = sqlx::query_as(
        "select external_key, id from payment
         where tenant_id = $1 and external_key = any($2) and external_key <> '' and delete_time is null",
    )
    .bind(tenant)
    .bind(keys)
    .fetch_all(tx.connection())
    .await
    .map_err(from_sqlx)?;
    Ok(rows.into_iter().collect())
}

/// The open invoices that entries may be for. They stay locked, in the order of their identifiers.
async fn candidates(tx: &mut Tx, legal_entity: Id<LegalEntity>, statement: &Statement) -> Result<Vec<Open>> {
    let tenant = tx.cx().tenant;
    let credits = statement.lines.iter().filter(|line| line.is_credit);
    let numbers: BTreeSet<String> = credits.clone().flat_map(|line| words(&line.reference)).collect();
    let amounts: BTreeSet<i64> = credits.map(|line| line.amount.0).collect();
    let rows: Vec<(Uuid, String, Uuid, String, String, i64)> =
        sqlx::query_as(include_str!("../../sql/lock_open_invoices.sql"))
            .bind(tenant)
            .bind(legal_entity.uuid())
            .bind(numbers.into_iter().collect::<Vec<_>>())
            .bind(amounts.into_iter().collect::<Vec<_>>())
            .fetch_all(tx.connection())
            .await
            .map_err(from_sqlx)?;
    let open = |(id, number, account, name, currency, open): (Uuid, String, Uuid, String, String, i64)| {
        let currency = Currency::parse(&currency).map_err(Error::internal)?;
        Ok(Open { id, number, account, name, currency, open: Minor(open) })
    };
    rows.into_iter().map(open).collect()
}

/// How much of an entry goes to which invoice: to each as much as is open, while there is any left.
fn wishes(line: &Line, invoices: &[Open]) -> Vec<Wish> {
    let mut left = line.amount;
    let mut wishes = Vec::with_capacity(invoices.len());
    for invoice in invoices {
        let amount = invoice.open.min(left);
        if amount > Minor(0) {
            left = Minor(left.0 - amount.0);
            wishes.push(Wish { invoice: Id::from_uuid(invoice.id), amount: Some(amount) });
        }
    }
    wishes
}

/// Notes what is still open, for the entries to come.
fn settle(open: &mut Vec<Open>, wishes: &[Wish]) {
    for wish in wishes {
        let paid = open.iter_mut().find(|known| known.id == wish.invoice.uuid());
        if let (Some(known), Some(amount)) = (paid, wish.amount) {
            known.open = Minor(known.open.0 - amount.0);
        }
    }
    open.retain(|known| known.open > Minor(0));
}

fn allocation(wish: Wish, currency: Currency) -> pb::payment::Allocation {
    let amount = wish.amount.map(|amount| wire::money(amount, currency));
    pb::payment::Allocation { invoice: Id::<Invoice>::name(wish.invoice), amount }
}

fn entry(line: &Line) -> Entry {
    let amount = if line.is_credit { line.amount } else { Minor(-line.amount.0) };
    Entry {
        key: line.key.clone(),
        date: Some(wire::date(line.date)),
        amount: Some(wire::money(amount, line.currency)),
        reference: line.reference.clone(),
        counterparty: line.counterparty.clone(),
        ..Entry::default()
    }
}
