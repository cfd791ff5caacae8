//! Winning together with a document: within its transaction, or not at all.

use trato_platform::{
    db::{Facts, NewEvent, Tx, statement::Statements},
    standard::require_living,
};
use trato_types::{Currency, Id, Minor, Ref, Result};

use super::model::Opportunity;
use crate::foreign::Account;

/// Wins an opportunity that the caller sees. Where it has no account, or is not known to be worth anything, it gets those of
/// what it was won by.
pub async fn win_by(
    tx: &mut Tx,
    statements: &Statements,
    opportunity: Id<Opportunity>,
    account: Ref<Account>,
    (amount, currency): (Minor, Currency),
) -> Result<()> {
    let before = tx.lock::<Opportunity>(statements, &opportunity.name()).await?;
    require_living(&before)?;
    let mut value = before.value.clone();
    value.account.get_or_insert(account);
    if value.amount.is_none() {
        (value.amount, value.currency) = (Some(amount), Some(currency));
    }
    let won = value.win(None, tx.cx())?;
    let facts = Facts::of(&won).at(value.history.last_event_time());
    let after = before.next(tx.cx(), value);
    let event = NewEvent::with_facts(tx.cx(), "won", Some(&before), &after, facts);
    tx.save(statements, &after, event).await
}
