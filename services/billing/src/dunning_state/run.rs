//! One run of dunning: each account in a transaction of its own, after whoever else works on it. One that fails is parked.

use std::collections::HashSet;

use trato_platform::db::{
    Database, NewEvent, Record, Tx, from_sqlx,
    statement::{Statements, column_list},
};
use trato_proto::billing::v1 as pb;
use trato_types::{Context, Date, Error, Ref, Result};
use uuid::Uuid;

use super::{
    books::{Books, bill_to, dunned_later, latest_today, require_living},
    job::NAME,
    model::{Claim, DunningState, EnteredStep, Move},
    rules::Item,
    wire,
};
use crate::{
    credit_profile::{Holder, Holds},
    foreign::Account,
    parked_task::{Parking, is_parked},
};

/// What is asked of a run.
#[derive(Clone, Copy, Debug, Default)]
pub struct Asked {
    /// The day; today without one.
    pub as_of: Option<Date>,
    /// Only this account.
    pub account: Option<Ref<Account>>,
    /// Most accounts that are looked at.
    pub size: usize,
    /// Go on behind this account.
    pub after: Option<Uuid>,
    /// Nothing is done, and only said.
    pub is_trial: bool,
}

/// What became of a page of accounts.
#[derive(Debug, Default)]
pub struct Page {
    /// Each of them.
    pub done: Vec<(Ref<Account>, Result<Vec<pb::run_dunning_response::Outcome>>)>,
    /// Those of which not all was tried, since another run had brought dunning to a later day.
    pub passed_over: HashSet<Ref<Account>>,
    /// The last account, where there are more.
    pub next: Option<Uuid>,
}

/// What was done for one account.
struct Dunned {
    outcomes: Vec<pb::run_dunning_response::Outcome>,
    /// The latest day to which another run had brought books, which were left to it.
    later: Option<Date>,
}

/// Brings dunning to what the books say.
#[derive(Clone, Debug)]
pub struct Runner {
    /// The service's database.
    pub database: Database,
    /// Where accounts are parked that failed.
    pub parking: Parking,
    states: Statements,
    holds: Holds,
}

impl Runner {
    /// A runner over a database.
    pub fn new(database: &Database) -> Self {
        Self {
            database: database.clone(),
            parking: Parking::new(database, NAME),
            states: Statements::of::<DunningState>(),
            holds: Holds::prepare(),
        }
    }

    /// One page. What fails for an account is its outcome and is parked, and others are done all the same, also where somebody
    /// holds what the account needs for too long; that the database is away ends the run, and what was done stays done.
    pub async fn run(&self, cx: &Context, asked: &Asked) -> Result<Page> {
        if !asked.is_trial && asked.as_of.is_some_and(|day| day > latest_today(cx)) {
            return Err(Error::invalid("as_of", "OUT_OF_RANGE", "must not be to come"));
        }
        let mut tx = Tx::of(&self.database, cx).await?;
        let books = Books::open(&mut tx, asked.as_of, asked.is_trial).await?;
        if !asked.is_trial {
            books.advance(&mut tx, asked.as_of).await?;
            // Looking for accounts takes its time, for which no other run should wait.
            tx.commit().await?;
            tx = Tx::of(&self.database, cx).await?;
        }
        let limit = asked.size.saturating_add(1);
        let mut accounts = books.accounts(&mut tx, asked.account, asked.after, limit).await?;
        tx.roll_back().await?;
        let next = if accounts.len() > asked.size {
            accounts.truncate(asked.size);
            accounts.last().copied()
        } else {
            None
        };
        let parked = if asked.is_trial { HashSet::new() } else { self.parking.open(cx).await? };
        let mut page = Page { done: Vec::with_capacity(accounts.len()), passed_over: HashSet::new(), next };
        for account in accounts.into_iter().map(Ref::from_uuid) {
            let mut tried = self.dun(cx, &books, account, asked.is_trial).await;
            if tried.as_ref().is_err_and(is_conflict) {
                tried = self.dun(cx, &books, account, asked.is_trial).await;
            }
            match &tried {
                Err(error) if !is_parked(error) && !is_conflict(error) => {
                    return tried.map(|_| Page::default());
                }
                Err(error) if !asked.is_trial => self.parking.park(cx, &account.name(), error).await?,
                Ok(dunned) if dunned.later.is_some() => {
                    page.passed_over.insert(account);
                }
                Ok(_) if parked.contains(&account.name()) => self.parking.finish(cx, &account.name()).await?,
                _ => {}
            }
            page.done.push((account, tried.map(|dunned| dunned.outcomes)));
        }
        Ok(page)
    }

    /// One account, as of today; nothing is parked when it fails. FAILED_PRECONDITION `DUNNED_LATER` where not all of it was tried.
    pub async fn run_one(&self, cx: &Context, account: Ref<Account>) -> Result<()> {
        let mut tx = Tx::of(&self.database, cx).await?;
        let books = Books::open(&mut tx, None, false).await?;
        books.advance(&mut tx, None).await?;
        tx.commit().await?;
        match self.dun(cx, &books, account, false).await?.later {
            Some(later) => Err(dunned_later(later)),
            None => Ok(()),
        }
    }

    /// One account, whole or not at all.
    async fn dun(
        &self,
        cx: &Context,
        books: &Books,
        account: Ref<Account>,
        is_trial: bool,
    ) -> Result<Dunned> {
        let mut tx = Tx::of(&self.database, cx).await?;
        let current;
        let (books, later) = if is_trial {
            (books, None)
        } else {
            // Each run sees what the one before it did to the account.
            tx.take_turn("dunning", &account.uuid().to_string()).await?;
            current = books.current(&mut tx).await?;
            (&current.0, current.1)
        };
        let states = self.states_of(&mut tx, account).await?;
        let mut now: Vec<DunningState> = states.iter().map(|state| state.value.clone()).collect();
        let mut outcomes = Vec::new();
        let (mut is_moved, mut is_held) = (false, false);
        for claim in books.claims(&mut tx, account, &states).await? {
            let is_of = |state: &DunningState| {
                (state.legal_entity, state.currency_code) == (claim.legal_entity, claim.currency_code)
            };
            let before = states.iter().find(|state| is_of(&state.value));
            let policy = books.policy(claim.legal_entity);
            let named = policy.map(|policy| (trato_types::Id::from_uuid(policy.id), &policy.value));
            let (asked, moves) = claim.moves(before.map(|before| &before.value), named)?;
            if asked.since.is_none() && before.is_none_or(|before| before.value.level == 0) {
                continue;
            }
            let steps: Vec<&EnteredStep> = moves.iter().filter_map(Move::entered).collect();
            if !steps.is_empty() {
                require_living(&mut tx, account).await?;
            }
            is_held |= steps.iter().any(|step| step.action.holds_credit());
            is_moved |= !moves.is_empty();
            let name = policy.map(Record::name);
            outcomes.push(wire::outcome(&claim, before.map(|before| &before.value), name, &asked, &moves));
            if let Some(last) = moves.last() {
                now.retain(|state| !is_of(state));
                now.push(last.state().clone());
            }
            if !is_trial {
                self.write(&mut tx, before.cloned(), &claim, &asked.items, moves).await?;
            }
        }
        if is_trial || !is_moved {
            tx.roll_back().await?;
            return Ok(Dunned { outcomes, later });
        }
        if is_held {
            self.holds.hold(&mut tx, account, Holder::Dunning).await?;
        }
        if !now.iter().any(|state| state.holds_credit) {
            self.holds.release(&mut tx, account, Holder::Dunning).await?;
        }
        tx.commit().await?;
        Ok(Dunned { outcomes, later })
    }

    /// Each move is a revision with its event; `items` are all that are asked for, of which a state keeps the oldest.
    async fn write(
        &self,
        tx: &mut Tx,
        mut before: Option<Record<DunningState>>,
        claim: &Claim,
        items: &[Item],
        moves: Vec<Move>,
    ) -> Result<()> {
        let cx = &tx.cx().clone();
        let has_letter = moves.iter().any(|one| one.entered().is_some());
        let bill_to = if has_letter { bill_to(tx, items).await? } else { None };
        for one in moves {
            let entered = one.entered().cloned();
            let state = one.state().clone();
            debug_assert_eq!(state.account, claim.account);
            let after = match &before {
                Some(before) => before.next(cx, state),
                None => Record::new(cx, state, None),
            };
            let event = match (&one, entered) {
                (Move::Entered(state), Some(step)) => {
                    let facts = wire::entered(state, &step, bill_to.as_ref());
                    NewEvent::with_facts(cx, "step_entered", before.as_ref(), &after, facts)
                }
                (Move::Cleared(_), _) => NewEvent::of(cx, "cleared", before.as_ref(), &after),
                _ => NewEvent::of(cx, "lowered", before.as_ref(), &after),
            };
            if before.is_some() {
                tx.save(&self.states, &after, event).await?;
            } else {
                tx.insert(&self.states, &[&after], vec![event]).await?;
            }
            before = Some(after);
        }
        Ok(())
    }

    /// The states of an account, in one order.
    async fn states_of(&self, tx: &mut Tx, account: Ref<Account>) -> Result<Vec<Record<DunningState>>> {
        let tenant = tx.cx().tenant;
        // Only names that the service itself lists.
        let sql = format!(
            "select {} from dunning_state state where tenant_id = $1 and account = $2 order by id limit 10000",
            column_list::<DunningState>("state")
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(tenant)
            .bind(account.uuid())
            .fetch_all(tx.connection())
            .await
            .map_err(from_sqlx)?;
        rows.iter().map(Record::read).collect()
    }
}

/// True where the database broke a transaction off in favour of another one, or somebody held for too long what it needs: it may
/// pass when it is tried again, and says nothing of other accounts.
pub fn is_conflict(error: &Error) -> bool {
    error.reason() == "DATABASE_CONFLICT"
}
