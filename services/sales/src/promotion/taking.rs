//! What accepted documents take of promotions: of their budgets, and of the times they may be used.

use trato_platform::db::{NewEvent, Tx, statement::Statements};
use trato_types::{Context, Error, Id, Minor, Result, Scope};

use super::model::Promotion;

/// Takes so much of each of these promotions, and uses each once: all of it or, with FAILED_PRECONDITION `PROMOTION_USED_UP`,
/// nothing. Their rows stay locked until the transaction ends, so that no budget is spent twice; they are locked in one order,
/// so that nobody waits in a circle. Who may accept a document may do this, whether or not he sees promotions.
pub async fn take(
    tx: &mut Tx,
    statements: &Statements,
    mut given: Vec<(Id<Promotion>, Minor)>,
) -> Result<()> {
    given.sort_by_key(|(promotion, _)| promotion.uuid());
    let caller = tx.cx().clone();
    tx.set_cx(Context { scope: Scope::All, ..caller.clone() });
    let taken = take_in_order(tx, statements, given).await;
    tx.set_cx(caller);
    taken
}

async fn take_in_order(
    tx: &mut Tx,
    statements: &Statements,
    given: Vec<(Id<Promotion>, Minor)>,
) -> Result<()> {
    for (promotion, amount) in given {
        let name = promotion.name();
        let before = tx.lock::<Promotion>(statements, &name).await?;
        let mut value = before.value.clone();
        value.take(amount).map_err(|error| Error::from(error).with("promotion", &name).about(&name))?;
        let after = before.next(tx.cx(), value);
        let event = NewEvent::of(tx.cx(), "taken", Some(&before), &after);
        tx.save(statements, &after, event).await?;
    }
    Ok(())
}
