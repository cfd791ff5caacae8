//! What accepted documents take of promotions, and give back when they are cancelled: of their budgets, and of the times
//! they may be used.

use trato_platform::db::{NewEvent, Tx, from_sqlx, statement::Statements};
use trato_types::{Context, Error, Id, Minor, Result, Scope};
use uuid::Uuid;

use super::model::Promotion;

/// What promotions give to a document.
type Given = Vec<(Id<Promotion>, Minor)>;

/// Takes so much of each of these promotions for a document, and uses each once: all of it or, with FAILED_PRECONDITION
/// `PROMOTION_USED_UP`, nothing. Their rows stay locked until the transaction ends, so that no budget is spent twice; they are
/// locked in one order, so that nobody waits in a circle. Who may accept a document may do this, whether or not he sees
/// promotions.
pub async fn take(tx: &mut Tx, statements: &Statements, document: Uuid, given: Given) -> Result<()> {
    let caller = see_all(tx);
    let taken = take_each(tx, statements, document, in_order(given)).await;
    tx.set_cx(caller);
    taken
}

/// Gives back what the document took of the budgets of these promotions, and one use of each: it is cancelled. Locks as `take`
/// does.
pub async fn give_back(tx: &mut Tx, statements: &Statements, document: Uuid, given: Given) -> Result<()> {
    let caller = see_all(tx);
    let given_back = give_each_back(tx, statements, document, in_order(given)).await;
    tx.set_cx(caller);
    given_back
}

async fn take_each(tx: &mut Tx, statements: &Statements, document: Uuid, given: Given) -> Result<()> {
    for (promotion, amount) in given {
        let name = promotion.name();
        let before = tx.lock::<Promotion>(statements, &name).await?;
        let mut value = before.value.clone();
        let taken = value
            .take(amount)
            .map_err(|used_up| Error::from(used_up).with("promotion", &name).about(&name))?;
        remember(tx, promotion, document, taken).await?;
        let after = before.next(tx.cx(), value);
        let event = NewEvent::of(tx.cx(), "taken", Some(&before), &after);
        tx.save(statements, &after, event).await?;
    }
    Ok(())
}

async fn give_each_back(tx: &mut Tx, statements: &Statements, document: Uuid, given: Given) -> Result<()> {
    for (promotion, _) in given {
        let before = tx.lock::<Promotion>(statements, &promotion.name()).await?;
        let mut value = before.value.clone();
        value.give_back(forget(tx, promotion, document).await?);
        let after = before.next(tx.cx(), value);
        let event = NewEvent::of(tx.cx(), "given_back", Some(&before), &after);
        tx.save(statements, &after, event).await?;
    }
    Ok(())
}

/// Notes what a document has taken of a budget.
async fn remember(tx: &mut Tx, promotion: Id<Promotion>, document: Uuid, taken: Minor) -> Result<()> {
    if taken == Minor(0) {
        return Ok(());
    }
    let tenant = tx.cx().tenant;
    let sql = "insert into taken_budget (tenant_id, promotion, document, amount) values ($1, $2, $3, $4)
        on conflict (tenant_id, promotion, document) do update set amount = taken_budget.amount + excluded.amount";
    sqlx::query(sql)
        .bind(tenant)
        .bind(promotion.uuid())
        .bind(document)
        .bind(taken.0)
        .execute(tx.connection())
        .await
        .map_err(from_sqlx)?;
    Ok(())
}

/// What a document has taken of a budget, which it does not have any more from now on.
async fn forget(tx: &mut Tx, promotion: Id<Promotion>, document: Uuid) -> Result<Minor> {
    let tenant = tx.cx().tenant;
    let sql = "delete from taken_budget where tenant_id = $1 and promotion = $2 and document = $3
        returning amount";
    let taken: Option<i64> = sqlx::query_scalar(sql)
        .bind(tenant)
        .bind(promotion.uuid())
        .bind(document)
        .fetch_optional(tx.connection())
        .await
        .map_err(from_sqlx)?;
    Ok(Minor(taken.unwrap_or_default()))
}

fn in_order(mut given: Given) -> Given {
    given.sort_by_key(|(promotion, _)| promotion.uuid());
    given
}

/// Lets the transaction see all promotions; answers for whom it was.
fn see_all(tx: &mut Tx) -> Context {
    let caller = tx.cx().clone();
    tx.set_cx(Context { scope: Scope::All, ..caller.clone() });
    caller
}
