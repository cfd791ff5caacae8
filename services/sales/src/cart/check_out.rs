//! A cart becomes an order, once: whoever asks holds the lock of the cart, and an order that is there closes it. The order is a
//! draft, priced and stored as any other.

use tonic::Request;
use trato_platform::{
    App,
    db::{Database, NewEvent, Record, RequestKey, Resource as _, Tx, statement::Statements},
    rpc::Caller,
    standard::{Reply, answer, finish, once, require_living},
};
use trato_proto::sales::v1 as pb;
use trato_types::{Context, Error, Id, Ref, Result, error::FieldError as _};
use uuid::Uuid;

use super::{
    model::{Cart, CartError, State},
    requests::FIELD,
};
use crate::{
    account::Accounts,
    document::{self, Document, Sale},
    foreign::Account,
    order::{Order, insert_order},
};

/// Makes carts orders.
pub struct CheckOut {
    database: Database,
    carts: Statements,
    orders: Statements,
    accounts: Accounts,
}

impl CheckOut {
    /// Over the app's database; asks customers for accounts that nobody here has heard of.
    pub fn new(app: &App) -> Self {
        Self {
            database: app.database.clone(),
            carts: Statements::of::<Cart>(),
            orders: Statements::of::<Order>(),
            accounts: Accounts::new(app),
        }
    }

    /// `CheckOutCart`.
    pub async fn check_out(&self, request: Request<pb::CheckOutCartRequest>) -> Reply<pb::Order> {
        let caller = Caller::of(&request);
        answer(request, async |cx, mut body| {
            let caller = caller?;
            let key = RequestKey::parse(&std::mem::take(&mut body.request_id), &body)?;
            let attempt = self.check_out_one(cx, &caller, key.as_ref(), &body);
            once(&self.database, cx, key.as_ref(), attempt).await
        })
        .await
    }

    async fn check_out_one(
        &self,
        cx: &Context,
        caller: &Caller,
        key: Option<&RequestKey>,
        body: &pb::CheckOutCartRequest,
    ) -> Result<pb::Order> {
        let account = Ref::<Account>::parse_optional(&body.account)
            .map_err(|error| Error::invalid("account", error.reason(), error.to_string()))?;
        self.accounts.learn(cx, caller, "account", [body.account.as_str()]).await?;
        let mut tx = Tx::of(&self.database, cx).await?;
        let cart = tx.lock::<Cart>(&self.carts, &body.name).await?;
        cart.require_etag(&body.etag)?;
        require_living(&cart)?;
        cart.value.require_unordered().map_err(|error| error.about(cart.name()))?;
        let cart = self.recover(&mut tx, cart).await?;
        let (order, event_id) = self.place_order(&mut tx, &cart, account).await?;
        finish(tx, key, event_id, body.validate_only).await?;
        Ok(Order::render(&order))
    }

    /// One that was abandoned is open again before it is closed: whoever counts what comes back hears of it.
    async fn recover(&self, tx: &mut Tx, cart: Record<Cart>) -> Result<Record<Cart>> {
        if cart.value.state != State::Abandoned {
            return Ok(cart);
        }
        let mut value = cart.value.clone();
        value.touch(tx.cx().now);
        let open = cart.next(tx.cx(), value);
        let event = NewEvent::of(tx.cx(), "recovered", Some(&cart), &open);
        tx.save(&self.carts, &open, event).await?;
        Ok(open)
    }

    /// Stores the order of an open cart that is locked, and closes the cart; answers the order with its event.
    async fn place_order(
        &self,
        tx: &mut Tx,
        cart: &Record<Cart>,
        account: Option<Ref<Account>>,
    ) -> Result<(Record<Order>, Uuid)> {
        let account = account.or(cart.value.account).ok_or_else(|| {
            Error::invalid("account", "REQUIRED", "the cart has no account; say which one buys")
        })?;
        let mut value = cart.value.clone();
        let order = Order {
            owner: value.owner.clone(),
            team: value.team,
            bill_to: value.bill_to.clone(),
            ship_to: value.ship_to.clone(),
            ..Order::draft(account, priced(tx, &value.document, account).await?)
        };
        let (order, event_id) = insert_order(&self.orders, tx, order).await?;
        value.check_out(account, Id::from_uuid(order.id), tx.cx().now);
        let closed = cart.next(tx.cx(), value);
        let event = NewEvent::of(tx.cx(), "checked_out", Some(cart), &closed);
        tx.save(&self.carts, &closed, event).await?;
        Ok((order, event_id))
    }
}

/// The document as it is priced now for who buys; FAILED_PRECONDITION when it comes to something else than he was shown.
async fn priced(tx: &mut Tx, shown: &Document, account: Ref<Account>) -> Result<Document> {
    let mut priced = shown.clone();
    let sale = Sale { document: &mut priced, account: Some(account), legal_entity: None };
    document::complete(tx, FIELD, vec![sale]).await?.into_iter().collect::<Result<()>>()?;
    if !document::same_price(shown, &priced) {
        return Err(CartError::PriceChanged.into());
    }
    Ok(priced)
}
