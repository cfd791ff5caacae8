//! The synchronous edge to sales: the document that is invoiced, as the caller may see it. Asked with the caller's token and what
//! is left of its deadline, never inside a transaction.

use tonic::Response;
use trato_platform::{
    App,
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

/// Longest document that is read, in bytes.
const LONGEST: usize = 8 << 20;

/// Asks sales for documents, and customers for who bought.
#[derive(Clone, Debug)]
pub struct Reader {
    sales: Upstream,
    customers: Upstream,
}

impl Reader {
    /// Asks where the settings say that they are.
    pub fn new(app: &App) -> Self {
        Self { sales: app.upstream("trato.sales"), customers: app.upstream("trato.customers") }
    }

    /// The document of this name; of a quote that has become an order, as the order says.
    pub async fn sold(&self, cx: &Context, caller: &Caller, name: &str) -> Result<Sold> {
        let sold = async {
            match name.split_once('/').map(|(collection, _)| collection) {
                Some("quotes") => {
                    let quote = self.quote(cx, caller, name).await?;
                    let order = quote.order.clone();
                    let sold = Sold::quote(quote)?;
                    if order.is_empty() {
                        Ok(sold)
                    } else {
                        sold.ordered(self.order(cx, caller, &order).await?)
                    }
                }
                Some("orders") => Sold::order(self.order(cx, caller, name).await?),
                Some("deliveryNotes") => {
                    let note = self.delivery_note(cx, caller, name).await?;
                    let order = self.order(cx, caller, &note.order).await?;
                    Sold::delivery_note(note, order)
                }
                _ => Err(Error::invalid(
                    "source_document",
                    "INVALID_RESOURCE_NAME",
                    "must be the name of a quote, an order or a delivery note",
                )),
            }
        };
        elsewhere(sold).await.map_err(|error| error.with("source_document", name))
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
