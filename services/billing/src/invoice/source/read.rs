//! The synchronous edge to sales: the document that is invoiced, as the caller may see it. Asked with the caller's token and what
//! is left of its deadline, never inside a transaction.

use trato_platform::{
    App,
    rpc::{Caller, Upstream, elsewhere},
};
use trato_proto::{
    customers::v1::{Account, GetAccountRequest, account_service_client::AccountServiceClient},
    sales::v1::{
        GetDeliveryNoteRequest, GetOrderRequest, GetQuoteRequest,
        delivery_note_service_client::DeliveryNoteServiceClient, order_service_client::OrderServiceClient,
        quote_service_client::QuoteServiceClient,
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

    /// The document of this name.
    pub async fn sold(&self, cx: &Context, caller: &Caller, name: &str) -> Result<Sold> {
        let sold = async {
            match name.split_once('/').map(|(collection, _)| collection) {
                Some("quotes") => Sold::quote(self.quote(cx, caller, name).await?),
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
        answer.map(tonic::Response::into_inner).map_err(|status| told(self.customers.error(status), name))
    }

    async fn quote(
        &self,
        cx: &Context,
        caller: &Caller,
        name: &str,
    ) -> Result<trato_proto::sales::v1::Quote> {
        let request = self.sales.request(cx, caller, GetQuoteRequest { name: name.to_owned() })?;
        let client = QuoteServiceClient::new(self.sales.clone());
        let answer = client.max_decoding_message_size(LONGEST).get_quote(request).await;
        answer.map(tonic::Response::into_inner).map_err(|status| told(self.sales.error(status), name))
    }

    async fn order(
        &self,
        cx: &Context,
        caller: &Caller,
        name: &str,
    ) -> Result<trato_proto::sales::v1::Order> {
        let request = self.sales.request(cx, caller, GetOrderRequest { name: name.to_owned() })?;
        let client = OrderServiceClient::new(self.sales.clone());
        let answer = client.max_decoding_message_size(LONGEST).get_order(request).await;
        answer.map(tonic::Response::into_inner).map_err(|status| told(self.sales.error(status), name))
    }

    async fn delivery_note(
        &self,
        cx: &Context,
        caller: &Caller,
        name: &str,
    ) -> Result<trato_proto::sales::v1::DeliveryNote> {
        let request = self.sales.request(cx, caller, GetDeliveryNoteRequest { name: name.to_owned() })?;
        let client = DeliveryNoteServiceClient::new(self.sales.clone());
        let answer = client.max_decoding_message_size(LONGEST).get_delivery_note(request).await;
        answer.map(tonic::Response::into_inner).map_err(|status| told(self.sales.error(status), name))
    }
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
