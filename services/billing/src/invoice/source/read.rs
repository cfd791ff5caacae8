//! The synchronous edge to sales: the document that is invoiced, as the caller may see it. Asked with the caller's token and what
//! is left of its deadline, never inside a transaction.

use tonic::Response;
use trato_platform::{
    App,
    db::{Database, Tx},
    rpc::{Caller, Upstream, elsewhere},
};
use trato_proto::{
    customers::v1::{Account, GetAccountRequest, account_service_client::AccountServiceClient},
    sales::v1::{
        self as sales, delivery_note_service_client::DeliveryNoteServiceClient,
        order_service_client::OrderServiceClient, quote_service_client::QuoteServiceClient,
        sales_return_service_client::SalesReturnServiceClient,
    },
};
use trato_types::{Context, Error, Kind, Result};

use super::sold::Sold;
use crate::credit_reservation;

/// Longest document that is read, in bytes.
const LONGEST: usize = 8 << 20;

/// Asks sales for documents, and customers for who bought.
#[derive(Clone, Debug)]
pub struct Reader {
    database: Database,
    sales: Upstream,
    customers: Upstream,
}

impl Reader {
    /// Asks where the settings say that they are.
    pub fn new(app: &App) -> Self {
        Self {
            database: app.database.clone(),
            sales: app.upstream("trato.sales"),
            customers: app.upstream("trato.customers"),
        }
    }

    /// The document of this name; of a quote that has become an order, as the order says.
    pub async fn sold(&self, cx: &Context, caller: &Caller, name: &str) -> Result<Sold> {
        let sold = match name.split_once('/').map(|(collection, _)| collection) {
            Some("quotes") => self.quoted(cx, caller, name).await,
            Some("orders") => elsewhere(self.order(cx, caller, name)).await.and_then(Sold::order),
            Some("deliveryNotes") => elsewhere(self.delivered(cx, caller, name)).await,
            _ => Err(Error::invalid(
                "source_document",
                "INVALID_RESOURCE_NAME",
                "must be the name of a quote, an order or a delivery note",
            )),
        };
        sold.map_err(|error| error.with("source_document", name))
    }

    async fn quoted(&self, cx: &Context, caller: &Caller, name: &str) -> Result<Sold> {
        let mut quote = elsewhere(self.quote(cx, caller, name)).await?;
        let order = std::mem::take(&mut quote.order);
        let sold = Sold::quote(quote)?;
        let order = if order.is_empty() { self.order_by_credit(cx, name).await? } else { Some(order) };
        match order {
            Some(order) => sold.ordered(elsewhere(self.order(cx, caller, &order)).await?),
            None => Ok(sold),
        }
    }

    /// The order of a quote of which sales names none, by the credit that was asked for it: during an upgrade a sales of the release
    /// before may have answered, which names none of any quote. For this release only.
    async fn order_by_credit(&self, cx: &Context, quote: &str) -> Result<Option<String>> {
        let mut tx = Tx::of(&self.database, cx).await?;
        let order = credit_reservation::order_of_quote(&mut tx, quote).await?;
        tx.roll_back().await?;
        Ok(order)
    }

    async fn delivered(&self, cx: &Context, caller: &Caller, name: &str) -> Result<Sold> {
        let note = self.delivery_note(cx, caller, name).await?;
        let order = self.order(cx, caller, &note.order).await?;
        Sold::delivery_note(note, order)
    }

    /// Who bought.
    pub async fn account(&self, cx: &Context, caller: &Caller, name: &str) -> Result<Account> {
        let request = self.customers.request(cx, caller, GetAccountRequest { name: name.to_owned() })?;
        let mut client = AccountServiceClient::new(self.customers.clone());
        let answer = elsewhere(client.get_account(request)).await;
        answer.map(Response::into_inner).map_err(|status| told(self.customers.error(status), name))
    }
}

/// Questions of one kind of document each: how it is asked for, and by which client.
macro_rules! questions {
    ($($document:ident: $message:ident, $request:ident by $client:ident::$get:ident;)*) => {
        impl Reader {$(
            /// The one of this name.
            pub async fn $document(&self, cx: &Context, caller: &Caller, name: &str) -> Result<sales::$message> {
                let request = self.sales.request(cx, caller, sales::$request { name: name.to_owned() })?;
                let mut client = $client::new(self.sales.clone()).max_decoding_message_size(LONGEST);
                let answer = client.$get(request).await;
                answer.map(Response::into_inner).map_err(|status| told(self.sales.error(status), name))
            }
        )*}
    };
}
questions! {
    quote: Quote, GetQuoteRequest by QuoteServiceClient::get_quote;
    order: Order, GetOrderRequest by OrderServiceClient::get_order;
    delivery_note: DeliveryNote, GetDeliveryNoteRequest by DeliveryNoteServiceClient::get_delivery_note;
    sales_return: SalesReturn, GetSalesReturnRequest by SalesReturnServiceClient::get_sales_return;
}

/// What an answer of another service means here. That it is away, and that the time is over, means the same.
fn told(error: Error, name: &str) -> Error {
    match error.kind() {
        Kind::NotFound => {
            Error::new(Kind::Precondition, "SOURCE_NOT_FOUND", format!("there is no {name}")).about(name)
        }
        Kind::Forbidden => {
            Error::new(Kind::Forbidden, "SOURCE_NOT_VISIBLE", format!("the caller may not see {name}"))
                .about(name)
        }
        _ => error,
    }
}
