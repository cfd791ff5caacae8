//! Booking what a statement says has come, and parking what cannot be booked, all of it in one transaction.

use std::collections::{BTreeSet, HashSet};

use trato_platform::db::{Database, NewEvent, Record, Tx, from_sqlx};
use trato_proto::{
    billing::v1::{
        self as pb,
        import_bank_statement_response::{Entry, Outcome, Reason},
    },
    wire,
};
use trato_types::{Context, Currency, Date, Error, Id, Kind, Minor, Ref, Result};
use uuid::Uuid;

use super::{
    known::{Known, known},
    matching::{Candidates, Match, Open, find, words},
    model::Line,
    parked::{BankEntry, KIND, Unbooked, subject},
};
use crate::{
    books::Chart,
    invoice::Invoice,
    legal_entity::LegalEntity,
    parked_task::{Failure, Parking},
    payment::{Payment, Till, Wish, record},
};

/// Most invoices that are looked at for an amount. Where there are more, an amount is ambiguous even with a name.
const MOST_ALIKE: i64 = 1000;
/// The turn of parking entries of a legal entity, which payments that may be of them share.
pub const TURN: &str = "bank entries";

/// Books what statements say.
#[derive(Clone, Debug)]
pub struct Importer {
    /// Records payments.
    pub till: Till,
    /// Keeps what cannot be booked.
    pub parking: Parking,
}

/// An entry, and why it is not booked where it should be.
struct Booked {
    entry: Entry,
    left: Option<Error>,
}

impl Importer {
    /// Over a database.
    pub fn new(database: &Database) -> Self {
        Self { till: Till::new(database), parking: Parking::new(database, KIND) }
    }

    /// Books what came, parks what cannot be booked, and says of each entry why. What somebody has given up is left alone.
    pub async fn import(
        &self,
        tx: &mut Tx,
        legal_entity: Id<LegalEntity>,
        lines: &[Line],
    ) -> Result<pb::ImportBankStatementResponse> {
        let chart = open(tx, legal_entity).await?;
        let subjects: Vec<String> = lines.iter().map(|line| subject(legal_entity, &line.key)).collect();
        let names: Vec<&str> = subjects.iter().map(String::as_str).collect();
        let given_up = self.parking.given_up(tx, names.clone()).await?;
        let mut booked = self.book(tx, &chart, lines, &given_up).await?;

        tx.take_turn(TURN, &legal_entity.uuid().to_string()).await?;
        let recorded = known(tx, &chart, lines).await?;
        let mut latest = self.parking.latest(tx, names).await?;
        let (mut failures, mut done) = (Vec::new(), Vec::new());
        for ((line, subject), Booked { entry, left }) in lines.iter().zip(&subjects).zip(&mut booked) {
            let known = recorded.get(&line.key).filter(|known| known.is_of(line, &chart));
            match (left.as_ref(), known) {
                (Some(error), None) => {
                    entry.failure_reason = error.reason().to_owned();
                    let bank_entry = Some(BankEntry { legal_entity, line: line.clone() });
                    failures.push(Failure { subject, error, bank_entry, asked: None });
                }
                (left, known) => {
                    // Somebody has recorded it at this moment.
                    if let Some(known) = known.filter(|_| left.is_some()) {
                        entry.allocations.clear();
                        entry.set_reason(Reason::Unspecified);
                        entry.set_outcome(Outcome::RecordedBefore);
                        entry.payment = known.name();
                    }
                    done.extend(latest.remove(subject));
                }
            }
        }
        self.parking.note_done(tx, done).await?;
        let mut tasks = self.parking.note_failed(tx, latest, failures).await?;
        let mut entries = Vec::with_capacity(booked.len());
        for (subject, Booked { entry, .. }) in subjects.iter().zip(booked) {
            entries.push(Entry { parked_task: tasks.remove(subject).unwrap_or_default(), ..entry });
        }
        Ok(pb::ImportBankStatementResponse { entries })
    }

    /// Books an entry that is parked, or answers why it still is not.
    pub async fn book_one(&self, tx: &mut Tx, entry: &BankEntry) -> Result<Option<Error>> {
        let chart = open(tx, entry.legal_entity).await?;
        let booked = self.book(tx, &chart, std::slice::from_ref(&entry.line), &HashSet::new()).await?;
        Ok(booked.into_iter().find_map(|booked| booked.left))
    }

    /// Books entries, but for those of these subjects.
    async fn book(
        &self,
        tx: &mut Tx,
        chart: &Chart,
        lines: &[Line],
        given_up: &HashSet<String>,
    ) -> Result<Vec<Booked>> {
        let mut candidates = candidates(tx, chart.legal_entity, lines).await?;
        // Only now: who held one of these invoices may have recorded what it was paid with.
        let known = known(tx, chart, lines).await?;
        let mut all = Vec::with_capacity(lines.len());
        for line in lines {
            let mut booked = Booked { entry: entry(line), left: None };
            let Booked { entry, left } = &mut booked;
            match known.get(&line.key) {
                Some(known) if known.is_proved_by(line) => {
                    entry.payment = known.name();
                    entry.set_outcome(Outcome::Settled);
                    *left = self.settle(tx, chart, line, known).await?;
                }
                _ if !line.is_credit && !line.is_reversal => entry.set_outcome(Outcome::Outgoing),
                Some(known) if known.is_of(line, chart) => {
                    entry.payment = known.name();
                    entry.set_outcome(Outcome::RecordedBefore);
                }
                _ if given_up.contains(&subject(chart.legal_entity, &line.key)) => {
                    entry.set_outcome(Outcome::Dropped);
                }
                Some(known) => {
                    entry.payment = known.name();
                    entry.set_reason(Reason::KeyTaken);
                    *left = Some(Unbooked::KeyTaken(known.name()).into());
                }
                None if line.is_reversal => {
                    entry.set_reason(Reason::Reversal);
                    *left = Some(Unbooked::Reversal.into());
                }
                None if !line.currency.exists() => {
                    *left = Some(Unbooked::UnknownCurrency(line.currency).into());
                }
                None => *left = self.match_one(tx, chart, line, &mut candidates, entry).await?,
            }
            if left.is_some() {
                // What it is for was known, or could be guessed.
                entry.set_outcome(match entry.outcome() {
                    Outcome::Unspecified => Outcome::Unmatched,
                    Outcome::Proposed => Outcome::Proposed,
                    _ => Outcome::Refused,
                });
            }
            all.push(booked);
        }
        Ok(all)
    }

    /// Records what is certain to be for some invoices, or answers why not.
    async fn match_one(
        &self,
        tx: &mut Tx,
        chart: &Chart,
        line: &Line,
        candidates: &mut Candidates,
        entry: &mut Entry,
    ) -> Result<Option<Error>> {
        let (reason, invoices, left) = match find(line, candidates) {
            Match::Number(invoices) => (Reason::Number, invoices, None),
            Match::NumberOnly(invoices) => {
                let first = invoices.first().map(|invoice| Id::<Invoice>::from_uuid(invoice.id).name());
                (Reason::NumberOnly, invoices, first.map(Unbooked::NumberOnly))
            }
            Match::AmountAndName(invoice) => (Reason::AmountAndName, vec![invoice], None),
            Match::AmountOnly(invoice) => {
                let left = Unbooked::AmountOnly(Id::<Invoice>::from_uuid(invoice.id).name());
                (Reason::AmountOnly, vec![invoice], Some(left))
            }
            Match::Ambiguous => (Reason::Ambiguous, Vec::new(), Some(Unbooked::Ambiguous)),
            Match::Nothing => (Reason::Nothing, Vec::new(), Some(Unbooked::NoMatch)),
        };
        entry.set_reason(reason);
        let wishes = wishes(line, &invoices);
        entry.allocations = wishes.iter().map(|wish| allocation(*wish, line.currency)).collect();
        let first = match (left, invoices.first()) {
            (None, Some(first)) => first,
            (left, None) => return Ok(Some(left.unwrap_or(Unbooked::NoMatch).into())),
            (Some(left), Some(_)) => {
                entry.set_outcome(Outcome::Proposed);
                return Ok(Some(left.into()));
            }
        };
        entry.set_outcome(Outcome::Recorded);
        let date = day(tx, chart, line);
        if let Some(error) = refusal(tx, chart, line, date).await? {
            return Ok(Some(error));
        }
        let payment = Payment::transfer(
            (Ref::from_uuid(first.account), chart.legal_entity),
            (line.amount, line.currency),
            line.key.clone(),
            line.reference.clone(),
            date,
        );
        let payment = write(&self.till, tx, payment, &wishes).await?;
        entry.payment = payment.name();
        settle(&mut candidates.open, &wishes);
        Ok(None)
    }

    /// Settles the payment that an entry proves, or answers why not.
    async fn settle(&self, tx: &mut Tx, chart: &Chart, line: &Line, known: &Known) -> Result<Option<Error>> {
        let date = day(tx, chart, line);
        if let Some(error) = refusal(tx, chart, line, date).await? {
            return Ok(Some(error));
        }
        known.settle(&self.till, tx, chart, (&line.key, date)).await.map(|()| None)
    }
}

/// Imports of one legal entity come one after the other, so that each knows what the ones before it recorded.
async fn open(tx: &mut Tx, legal_entity: Id<LegalEntity>) -> Result<Chart> {
    tx.take_turn("statements", &legal_entity.uuid().to_string()).await?;
    Chart::open(tx, legal_entity).await
}

/// The day of an entry in the books: its day of value, where that is not to come.
fn day(tx: &Tx, chart: &Chart, line: &Line) -> Date {
    line.date.min(chart.today(tx.cx()))
}

/// Why the books take nothing of an entry. It is asked before anything is written, so that the other entries are booked.
async fn refusal(tx: &mut Tx, chart: &Chart, line: &Line, date: Date) -> Result<Option<Error>> {
    let taken = match chart.require_open(date) {
        Ok(()) => chart.rate(tx, line.currency, date).await.map(drop),
        refused => refused,
    };
    match taken {
        Ok(()) => Ok(None),
        Err(error) if error.kind() == Kind::Precondition => Ok(Some(error)),
        Err(error) => Err(error),
    }
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

/// The open invoices that entries may be for. Those that may be paid stay locked, in the order of their identifiers.
async fn candidates(tx: &mut Tx, legal_entity: Id<LegalEntity>, lines: &[Line]) -> Result<Candidates> {
    let payments: Vec<&Line> = lines.iter().filter(|line| line.is_payment()).collect();
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
    Entry {
        key: line.key.clone(),
        date: Some(wire::date(line.date)),
        amount: Some(wire::money(line.signed(), line.currency)),
        reference: line.reference.clone(),
        counterparty: line.counterparty.clone(),
        ..Entry::default()
    }
}
