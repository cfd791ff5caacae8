//! What accepted documents take of promotions, and give back when they are cancelled: of their budgets, and of the times
//! they may be used.

use trato_platform::db::{NewEvent, Tx, statement::Statements};
use trato_types::{Context, Error, Id, Minor, Result, Scope};

use super::model::Promotion;

/// What promotions give to a document.
type Given = Vec<(Id<Promotion>, Minor)>;

/// Takes so much of each of these promotions, and uses each once: all of it or, with FAILED_PRECONDITION `PROMOTION_USED_UP`,
/// nothing. Their rows stay locked until the transaction ends, so that no budget is spent twice; they are locked in one order,
/// so that nobody waits in a circle. Who may accept a document may do this, whether or not he sees promotions.
pub async fn take(tx: &mut Tx, statements: &Statements, given: Given) -> Result<()> {
    let take = |promotion: &mut Promotion, amount| promotion.take(amount).map_err(Error::from);
    change_each(tx, statements, given, "taken", take).await
}

/// Gives back so much of each of these promotions, and one use of each: the document that took it is cancelled. Locks as
/// `take` does.
pub async fn give_back(tx: &mut Tx, statements: &Statements, given: Given) -> Result<()> {
    let give_back = |promotion: &mut Promotion, amount| {
        promotion.give_back(amount);
        Ok(())
    };
    change_each(tx, statements, given, "given_back", give_back).await
}

async fn change_each(
    tx: &mut Tx,
    statements: &Statements,
    mut given: Given,
    participle: &'static str,
    change: impl Fn(&mut Promotion, Minor) -> Result<()>,
) -> Result<()> {
    given.sort_by_key(|(promotion, _)| promotion.uuid());
    let caller = tx.cx().clone();
    tx.set_cx(Context { scope: Scope::All, ..caller.clone() });
    let changed = change_in_order(tx, statements, given, participle, change).await;
    tx.set_cx(caller);
    changed
}

async fn change_in_order(
    tx: &mut Tx,
    statements: &Statements,
    given: Given,
    participle: &'static str,
    change: impl Fn(&mut Promotion, Minor) -> Result<()>,
) -> Result<()> {
    for (promotion, amount) in given {
        let name = promotion.name();
        let before = tx.lock::<Promotion>(statements, &name).await?;
        let mut value = before.value.clone();
        change(&mut value, amount).map_err(|error: Error| error.with("promotion", &name).about(&name))?;
        let after = before.next(tx.cx(), value);
        let event = NewEvent::of(tx.cx(), participle, Some(&before), &after);
        tx.save(statements, &after, event).await?;
    }
    Ok(())
}
