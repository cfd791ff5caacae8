//! Orders of quotes while a sales of the release before answers, which names no order of any quote: billing knows them by their
//! credit.

use tonic::{
    Code, Request, Response, Status,
    transport::{Server, server::TcpIncoming},
};
use trato_platform::testing::TestService;
use trato_proto::{
    billing::v1::CreateInvoiceFromSourceRequest,
    sales::v1::{
        self as sales,
        order::{self, HoldReason},
        order_service_server::{OrderService, OrderServiceServer},
        quote,
        quote_service_server::{QuoteService, QuoteServiceServer},
    },
};
use uuid::Uuid;

use crate::{
    credit_of_orders::order_of,
    harness::{Billing, refusal},
};

/// A sales that has one quote and one order.
#[derive(Clone)]
struct OldSales {
    quote: sales::Quote,
    order: sales::Order,
}

impl OldSales {
    /// Serves on a free port; answers with the address.
    fn serve(self) -> String {
        let incoming = TcpIncoming::bind(([127, 0, 0, 1], 0).into()).expect("a free port");
        let address = incoming.local_addr().expect("bound");
        let server = Server::builder()
            .add_service(QuoteServiceServer::new(self.clone()))
            .add_service(OrderServiceServer::new(self));
        tokio::spawn(server.serve_with_incoming(incoming));
        format!("http://{address}")
    }
}

/// Answers one question of a service, and none of the others.
macro_rules! answers {
    (
        $service:ident: $get:ident($asked:ident) -> $answer:ident of $field:ident;
        $($never:ident($request:ident) -> $response:ident;)*
    ) => {
        #[tonic::async_trait]
        impl $service for OldSales {
            async fn $get(&self, request: Request<sales::$asked>) -> Result<Response<sales::$answer>, Status> {
                if request.get_ref().name == self.$field.name {
                    Ok(Response::new(self.$field.clone()))
                } else {
                    Err(Status::not_found("there is one only"))
                }
            }
            $(
                async fn $never(
                    &self,
                    _: Request<sales::$request>,
                ) -> Result<Response<sales::$response>, Status> {
                    Err(Status::unimplemented("billing never asks for this"))
                }
            )*
        }
    };
}
answers! {
    QuoteService: get_quote(GetQuoteRequest) -> Quote of quote;
    list_quotes(ListQuotesRequest) -> ListQuotesResponse;
    create_quote(CreateQuoteRequest) -> Quote;
    update_quote(UpdateQuoteRequest) -> Quote;
    delete_quote(DeleteQuoteRequest) -> Quote;
    undelete_quote(UndeleteQuoteRequest) -> Quote;
    batch_get_quotes(BatchGetQuotesRequest) -> BatchGetQuotesResponse;
    batch_create_quotes(BatchCreateQuotesRequest) -> BatchCreateQuotesResponse;
    upsert_quote(UpsertQuoteRequest) -> Quote;
    submit_quote(SubmitQuoteRequest) -> Quote;
    approve_quote(ApproveQuoteRequest) -> Quote;
    reject_quote(RejectQuoteRequest) -> Quote;
    send_quote(SendQuoteRequest) -> Quote;
    record_quote_view(RecordQuoteViewRequest) -> Quote;
    accept_quote(AcceptQuoteRequest) -> Quote;
    decline_quote(DeclineQuoteRequest) -> Quote;
    cancel_quote(CancelQuoteRequest) -> Quote;
    revise_quote(ReviseQuoteRequest) -> Quote;
    render_quote(RenderQuoteRequest) -> RenderedDocument;
}
answers! {
    OrderService: get_order(GetOrderRequest) -> Order of order;
    list_orders(ListOrdersRequest) -> ListOrdersResponse;
    create_order(CreateOrderRequest) -> Order;
    update_order(UpdateOrderRequest) -> Order;
    delete_order(DeleteOrderRequest) -> Order;
    undelete_order(UndeleteOrderRequest) -> Order;
    batch_get_orders(BatchGetOrdersRequest) -> BatchGetOrdersResponse;
    batch_create_orders(BatchCreateOrdersRequest) -> BatchCreateOrdersResponse;
    upsert_order(UpsertOrderRequest) -> Order;
    create_order_from_quote(CreateOrderFromQuoteRequest) -> Order;
    confirm_order(ConfirmOrderRequest) -> Order;
    hold_order(HoldOrderRequest) -> Order;
    release_order(ReleaseOrderRequest) -> Order;
    release_milestone(ReleaseMilestoneRequest) -> Order;
    cancel_order_lines(CancelOrderLinesRequest) -> Order;
    cancel_order(CancelOrderRequest) -> Order;
    close_order(CloseOrderRequest) -> Order;
}

/// DOC-04, DOC-07: a quote of which sales names no order is not invoiced past the hold of the order that credit was asked for.
#[tokio::test]
async fn an_order_that_sales_does_not_name_is_known_by_its_credit() {
    let account = format!("accounts/{}", Uuid::now_v7());
    let quote = sales::Quote {
        name: format!("quotes/{}", Uuid::now_v7()),
        account: account.clone(),
        state: quote::State::Accepted.into(),
        document: Some(sales::SalesDocument::default()),
        ..Default::default()
    };
    let order = sales::Order {
        quote: quote.name.clone(),
        state: order::State::Draft.into(),
        hold_reason: HoldReason::Fraud.into(),
        ..order_of(&account, 80)
    };
    let address = OldSales { quote: quote.clone(), order: order.clone() }.serve();
    let upstreams = format!("{{ \"trato.sales\" = \"{address}\" }}");
    let variables = [("TRATO_UPSTREAMS", upstreams.as_str())];
    let service = TestService::start_with(trato_billing::service(), &variables).await;
    let admin = service.caller(Uuid::now_v7(), "admin", &["administrator"]);
    let billing = Billing { service, admin };
    billing.hear_account(&account, false).await;
    billing.limit(&account, "1000.00").await.expect("a profile");
    let invoice = async || {
        let request = CreateInvoiceFromSourceRequest {
            source_document: quote.name.clone(),
            request_id: Uuid::now_v7().to_string(),
            ..Default::default()
        };
        billing.invoices().create_invoice_from_source(billing.admin.request(request)).await
    };

    let unknown = invoice().await;
    billing.ask(&order, 60).await.expect("reserved");
    let known = invoice().await;

    assert_ne!(refusal(unknown).1, "ORDER_ON_HOLD");
    assert_eq!(refusal(known), (Code::FailedPrecondition, "ORDER_ON_HOLD".to_owned()));
}
