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
use trato_types::{Context, Currency, Date, Error, Id, Minor, Ref, Result, Timestamp};
use uuid::Uuid;

use super::{
    matching::{Candidates, Match, Open, find, words},
    model::{Line, Statement},
};
use crate::{
    books::Chart,
    invoice::Invoice,
    legal_entity::LegalEntity,
    payment::{Payment, Till, Wish, record},
};

/// Most invoices that are looked at for an amount. Where there are more, an amount is ambiguous even with a name.
const MOST_ALIKE: i64 = 1000;
/// Days that a bank values an entry ahead, at most.
const AHEAD: u64 = 7;

/// Records what came, and says of each entry why.
pub async fn import(
    till: &Till,
    tx: &mut Tx,
    legal_entity: Id<LegalEntity>,
    statement: &Statement,
) -> Result<pb::ImportBankStatementResponse> {
    // Imports of one legal entity come one after the other, so that each knows what the ones before it recorded.
    tx.take_turn("statements", &legal_entity.uuid().to_string()).await?;
    let chart = Chart::open(tx, legal_entity).await?;
    let mut candidates = candidates(tx, legal_entity, statement).await?;
    // Only now: who held one of these invoices may have recorded what it was paid with.
    let known = known(tx, legal_entity, statement).await?;
    let mut entries = Vec::with_capacity(statement.lines.len());
    for line in &statement.lines {
        let mut entry = entry(line);
        if line.is_reversal {
            entry.set_reason(Reason::Reversal);
        }
        match known.get(&line.key) {
            _ if !line.is_credit => entry.set_outcome(Outcome::Outgoing),
            Some(known) => {
                entry.payment = Id::<Payment>::from_uuid(known.payment).name();
                if known.is_of(line, &chart) {
                    entry.set_outcome(Outcome::RecordedBefore);
                } else {
                    entry.set_reason(Reason::KeyTaken);
                    entry.set_outcome(Outcome::Unmatched);
                }
            }
            None if line.is_reversal => entry.set_outcome(Outcome::Unmatched),
            None => {
                let (reason, invoices, is_certain) = match find(line, &candidates) {
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
                    settle(&mut candidates.open, &wishes);
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

/// A payment that has the key of an entry.
struct Known {
    payment: Uuid,
    /// It came in, whatever became of it since.
    has_come: bool,
    amount: (i64, String),
    date: Option<Date>,
    create_time: Timestamp,
}

/// Its key, itself, whether it has come, how much it is, and its times.
type KnownRow = (String, Uuid, bool, i64, String, Option<Date>, Timestamp);

impl Known {
    /// True when it is of this entry: an entry is dated by its day of value, or by the day on which it was recorded where it was
    /// valued ahead or recorded by hand. Anything else has the key of an entry that it is not of.
    fn is_of(&self, line: &Line, chart: &Chart) -> bool {
        let recorded = chart.day_of(self.create_time);
        let latest = recorded.checked_add_days(chrono::Days::new(AHEAD)).unwrap_or(recorded);
        let suits = |date: Date| date == line.date || (date == recorded && line.date <= latest);
        self.has_come
            && (self.amount.0, self.amount.1.as_str()) == (line.amount.0, line.currency.code())
            && self.date.is_some_and(suits)
    }
}

/// The payments of the legal entity that have keys of entries, by these.
async fn known(
    tx: &mut Tx,
    legal_entity: Id<LegalEntity>,
    statement: &Statement,
) -> Result<HashMap<String, Known>> {
    let tenant = tx.cx().tenant;
    let keys: Vec<&str> = statement.lines.iter().map(|line| line.key.as_str()).collect();
    let rows: Vec<KnownRow> = sqlx::query_as(
        "select external_key, id,
           direction = 'IN' and state in ('SUCCEEDED', 'PARTLY_REFUNDED', 'REFUNDED', 'CHARGED_BACK'),
           amount, currency_code, date, create_time
         from payment
         where tenant_id = $1 and legal_entity = $2 and external_key = any($3) and external_key <> ''
           and delete_time is null",
    )
    .bind(tenant)
    .bind(legal_entity.uuid())
    .bind(keys)
    .fetch_all(tx.connection())
    .await
    .map_err(from_sqlx)?;
    let known = |(key, payment, has_come, amount, currency, date, create_time): KnownRow| {
        (key, Known { payment, has_come, amount: (amount, currency), date, create_time })
    };
    Ok(rows.into_iter().map(known).collect())
}

/// The open invoices that entries may be for. Those that may be paid stay locked, in the order of their identifiers.
async fn candidates(tx: &mut Tx, legal_entity: Id<LegalEntity>, statement: &Statement) -> Result<Candidates> {
    let payments: Vec<&Line> = statement.lines.iter().filter(|line| line.is_payment()).collect();
    let mut candidates = read_candidates(tx, legal_entity, &payments).await?;
    let meant = candidates.meant(&payments);
    let tenant = tx.cx().tenant;
    let locked: Vec<(Uuid, i64)> = sqlx::query_as(include_str!("../../sql/lock_open_invoices.sql"))
        .bind(tenant)
        .bind(&meant)
        .fetch_all(tx.connection())
        .await
        .map_err(from_sqlx)?;
    candidates.refresh(&meant, &locked.into_iter().map(|(id, open)| (id, Minor(open))).collect());
    Ok(candidates)
}

/// An open invoice, its number, who owes it and under which name, its currency, what is open, and how many have that open.
type OpenRow = (Uuid, String, Uuid, String, String, i64, i64);

async fn read_candidates(
    tx: &mut Tx,
    legal_entity: Id<LegalEntity>,
    payments: &[&Line],
) -> Result<Candidates> {
    let tenant = tx.cx().tenant;
    let numbers: BTreeSet<String> = payments.iter().flat_map(|line| words(&line.reference)).collect();
    let amounts: BTreeSet<(i64, &str)> =
        payments.iter().map(|line| (line.amount.0, line.currency.code())).collect();
    let rows: Vec<OpenRow> = sqlx::query_as(include_str!("../../sql/find_open_invoices.sql"))
        .bind(tenant)
        .bind(legal_entity.uuid())
        .bind(numbers.into_iter().collect::<Vec<_>>())
        .bind(amounts.iter().map(|(amount, _)| *amount).collect::<Vec<_>>())
        .bind(amounts.iter().map(|(_, currency)| *currency).collect::<Vec<_>>())
        .bind(MOST_ALIKE + 1)
        .fetch_all(tx.connection())
        .await
        .map_err(from_sqlx)?;
    let mut candidates = Candidates::default();
    for (id, number, account, name, currency, open, alike) in rows {
        let currency = Currency::parse(&currency).map_err(Error::internal)?;
        let open = Open { id, number, account, name, currency, open: Minor(open) };
        if alike > MOST_ALIKE && !candidates.crowded.contains(&(open.open, currency)) {
            candidates.crowded.push((open.open, currency));
        }
        candidates.open.push(open);
    }
    Ok(candidates)
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
