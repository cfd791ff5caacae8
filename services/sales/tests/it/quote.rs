//! Quotes, from draft to outcome.

use tonic::{Code, Response, Status};
use trato_platform::testing::TestCaller;
use trato_proto::sales::v1::{
    AcceptQuoteRequest, ApprovalRule, ApproveQuoteRequest, CancelQuoteRequest, CreateApprovalRuleRequest,
    CreateQuoteRequest, CreateSalesNumberSeriesRequest, DeclineQuoteRequest, DeleteQuoteRequest,
    GetQuoteRequest, ListQuotesRequest, Quote, RecordQuoteViewRequest, RejectQuoteRequest,
    ReviseQuoteRequest, SalesDocument, SalesNumberSeries, SendQuoteRequest, SubmitQuoteRequest,
    UpdateQuoteRequest,
    approval_rule_service_client::ApprovalRuleServiceClient,
    quote::{DeclineReason, State},
    quote_service_client::QuoteServiceClient,
    sales_document::Line,
    sales_number_series::DocumentKind,
    sales_number_series_service_client::SalesNumberSeriesServiceClient,
};
use uuid::Uuid;

use crate::{
    harness::{Sales, date, field, paths, refusal, violations},
    pricing::cents,
    promotion::{percent, promotion},
};

impl Sales {
    pub fn quotes(&self) -> QuoteServiceClient<tonic::transport::Channel> {
        QuoteServiceClient::new(self.service.channel.clone())
    }
    pub fn number_series(&self) -> SalesNumberSeriesServiceClient<tonic::transport::Channel> {
        SalesNumberSeriesServiceClient::new(self.service.channel.clone())
    }
    pub fn approval_rules(&self) -> ApprovalRuleServiceClient<tonic::transport::Channel> {
        ApprovalRuleServiceClient::new(self.service.channel.clone())
    }

    /// Sales with prices and taxes, a default series of quotes, and a desk that is listed at 100.00 EUR.
    pub async fn start_quoting() -> (Self, String) {
        let (sales, list) = Self::start_pricing().await;
        let desk = sales.good("Desk", "ES-S").await;
        sales.price(&list, &desk, "", "100").await;
        sales.create_number_series(quotes("Q")).await.expect("a series");
        (sales, desk)
    }

    pub async fn create_number_series(&self, series: SalesNumberSeries) -> Result<SalesNumberSeries, Status> {
        let request =
            CreateSalesNumberSeriesRequest { sales_number_series: Some(series), ..Default::default() };
        let request = self.admin.request(request);
        self.number_series().create_sales_number_series(request).await.map(Response::into_inner)
    }

    pub async fn create_approval_rule(&self, rule: ApprovalRule) -> Result<ApprovalRule, Status> {
        let request = CreateApprovalRuleRequest { approval_rule: Some(rule), ..Default::default() };
        self.approval_rules()
            .create_approval_rule(self.admin.request(request))
            .await
            .map(Response::into_inner)
    }

    pub async fn create_quote(&self, quote: Quote) -> Result<Quote, Status> {
        self.create_quote_as(&self.admin, quote).await
    }

    pub async fn create_quote_as(&self, caller: &TestCaller, quote: Quote) -> Result<Quote, Status> {
        let request = CreateQuoteRequest { quote: Some(quote), ..Default::default() };
        self.quotes().create_quote(caller.request(request)).await.map(Response::into_inner)
    }

    /// Changes the masked fields of whatever is there.
    pub async fn update_quote(&self, quote: Quote, mask: &[&str]) -> Result<Quote, Status> {
        let (quote, update_mask) = (Quote { etag: String::new(), ..quote }, Some(paths(mask)));
        let request = UpdateQuoteRequest { quote: Some(quote), update_mask, ..Default::default() };
        self.quotes().update_quote(self.admin.request(request)).await.map(Response::into_inner)
    }

    pub async fn get_quote(&self, name: &str) -> Quote {
        let request = GetQuoteRequest { name: name.into() };
        self.quotes().get_quote(self.admin.request(request)).await.expect("it is there").into_inner()
    }

    pub async fn list_quotes(&self, filter: &str) -> Vec<Quote> {
        let request = ListQuotesRequest { filter: filter.into(), page_size: 1_000, ..Default::default() };
        self.quotes().list_quotes(self.admin.request(request)).await.expect("a page").into_inner().quotes
    }

    /// A draft of so many desks for an account that is known.
    pub async fn draft(&self, desk: &str, quantity: &str) -> Quote {
        let quote = quote(&self.account().await, vec![line(desk, quantity)]);
        self.create_quote(quote).await.expect("a quote")
    }

    pub async fn submit(&self, name: &str) -> Result<Quote, Status> {
        let request = SubmitQuoteRequest { name: name.into(), ..Default::default() };
        self.quotes().submit_quote(self.admin.request(request)).await.map(Response::into_inner)
    }

    pub async fn send(&self, name: &str) -> Result<Quote, Status> {
        self.send_by(name, "").await
    }

    pub async fn send_by(&self, name: &str, series: &str) -> Result<Quote, Status> {
        let request = SendQuoteRequest {
            name: name.into(),
            number_series: series.into(),
            request_id: Uuid::new_v4().to_string(),
            ..Default::default()
        };
        self.quotes().send_quote(self.admin.request(request)).await.map(Response::into_inner)
    }

    /// A quote of so many desks that is with the customer.
    pub async fn sent(&self, desk: &str, quantity: &str) -> Quote {
        let draft = self.draft(desk, quantity).await;
        self.send_draft(&draft).await
    }

    /// Submits and sends a draft that nobody need approve.
    pub async fn send_draft(&self, draft: &Quote) -> Quote {
        self.submit(&draft.name).await.expect("a draft");
        self.send(&draft.name).await.expect("nobody need approve")
    }

    pub async fn view(&self, name: &str) -> Result<Quote, Status> {
        let request = RecordQuoteViewRequest { name: name.into(), ..Default::default() };
        self.quotes().record_quote_view(self.admin.request(request)).await.map(Response::into_inner)
    }

    pub async fn accept(&self, request: AcceptQuoteRequest) -> Result<Quote, Status> {
        self.quotes().accept_quote(self.admin.request(request)).await.map(Response::into_inner)
    }

    pub async fn decline(&self, name: &str, reason: DeclineReason) -> Result<Quote, Status> {
        let request = DeclineQuoteRequest { name: name.into(), reason: reason.into(), ..Default::default() };
        self.quotes().decline_quote(self.admin.request(request)).await.map(Response::into_inner)
    }

    pub async fn cancel(&self, name: &str) -> Result<Quote, Status> {
        let request =
            CancelQuoteRequest { name: name.into(), reason: "No need".into(), ..Default::default() };
        self.quotes().cancel_quote(self.admin.request(request)).await.map(Response::into_inner)
    }

    pub async fn revise(&self, name: &str) -> Result<Quote, Status> {
        let request = ReviseQuoteRequest { name: name.into(), ..Default::default() };
        self.quotes().revise_quote(self.admin.request(request)).await.map(Response::into_inner)
    }
}

/// The default series of quotes.
pub fn quotes(prefix: &str) -> SalesNumberSeries {
    SalesNumberSeries {
        display_name: "Quotes".into(),
        document_kind: DocumentKind::Quote.into(),
        prefix: prefix.into(),
        padding: 4,
        is_default: true,
        ..Default::default()
    }
}

pub fn line(product: &str, quantity: &str) -> Line {
    Line { product: product.into(), quantity: quantity.into(), ..Default::default() }
}

/// A quote in euros for an account.
pub fn quote(account: &str, lines: Vec<Line>) -> Quote {
    let document = SalesDocument { currency_code: "EUR".into(), lines, ..Default::default() };
    Quote { account: account.into(), document: Some(document), ..Default::default() }
}

/// Somebody takes a quote.
pub fn accepting(name: &str) -> AcceptQuoteRequest {
    AcceptQuoteRequest {
        name: name.into(),
        request_id: Uuid::new_v4().to_string(),
        accepter: "Eva Soler".into(),
        signature: "envelope-4711".into(),
        ..Default::default()
    }
}

fn document(quote: &Quote) -> &SalesDocument {
    quote.document.as_ref().expect("a quote has a document")
}

pub fn gross(quote: &Quote) -> i64 {
    cents(document(quote).totals.as_ref().expect("it is priced").gross.as_ref())
}

pub fn refused(reason: &str) -> (Code, String) {
    (Code::FailedPrecondition, reason.to_owned())
}

/// DOC-01, DOC-02, DOC-10, DOC-11: a quote draws on the catalogue, and keeps what it came to when it was written, with the
/// promotion that gave each discount.
#[tokio::test]
async fn a_quote_keeps_prices_promotions_and_taxes_of_when_it_was_written() {
    let (sales, desk) = Sales::start_quoting().await;
    let spring = sales.create_promotion(promotion("Spring", percent("10"))).await.expect("a promotion");
    let account = sales.account().await;
    let with_terms = |quote: &mut Quote| {
        let document = quote.document.as_mut().expect("a document");
        document.payment_terms = "30 days".into();
        document.lines[0].description = "Oak, 160 cm".into();
        document.lines[0].promised_date = date(2027, 1, 15);
    };
    let mut given = quote(&account, vec![line(&desk, "2")]);
    with_terms(&mut given);

    let created = sales.create_quote(given).await.expect("a quote");

    assert_eq!((created.state(), created.version, &created.root), (State::Draft, 1, &created.name));
    assert_eq!((created.owner.as_str(), gross(&created)), ("members/admin", 21_780));
    let line = &document(&created).lines[0];
    let amounts = line.amounts.as_ref().expect("it is priced");
    assert_eq!((line.key.as_str(), line.product_display_name.as_str()), ("1", "Desk"));
    assert_eq!((line.description.as_str(), line.unit_price.as_str()), ("Oak, 160 cm", ""));
    assert_eq!((amounts.unit_price.as_str(), cents(amounts.net.as_ref())), ("100", 18_000));
    assert_eq!(amounts.adjustments[0].promotion, spring.name);
    assert_eq!((amounts.adjustments[0].reason.as_str(), document(&created).given.len()), ("Spring", 1));

    // What becomes of the catalogue changes nothing on it, until it is written again.
    sales.create_promotion(promotion("Summer", percent("5"))).await.expect("a promotion");
    assert_eq!(sales.get_quote(&created.name).await, created);
}

/// DOC-02: whom it is offered to, and what is offered, must be there; all that is wrong is named by its field.
#[tokio::test]
async fn what_is_wrong_with_a_quote_is_named_and_nothing_is_written() {
    let (sales, desk) = Sales::start_quoting().await;
    let account = sales.account().await;
    let with = |change: &dyn Fn(&mut SalesDocument)| {
        let mut quote = quote(&account, vec![line(&desk, "1")]);
        change(quote.document.as_mut().expect("a document"));
        quote
    };
    let thirty = format!("1.{}1", "0".repeat(28));
    let cases = [
        (
            with(&|document| document.lines[0].quantity = thirty.clone()),
            "lines[0].quantity",
            "TOO_MANY_DECIMALS",
        ),
        (with(&|document| document.lines[0].quantity = "0".into()), "lines[0].quantity", "NOT_POSITIVE"),
        (with(&|document| document.lines[0].quantity = "-1".into()), "lines[0].quantity", "NOT_POSITIVE"),
        (
            with(&|document| document.lines[0].unit_price = "-1".into()),
            "lines[0].unit_price",
            "NEGATIVE_AMOUNT",
        ),
        (with(&|document| document.currency_code = "ABC".into()), "currency_code", "UNKNOWN_CURRENCY"),
        (
            with(&|document| document.coupon_codes = vec!["A".into(), "A".into()]),
            "coupon_codes[1]",
            "COUPON_TWICE",
        ),
        (with(&|document| document.lines = vec![line(&desk, "1"); 10_000]), "lines", "TOO_MANY"),
        (with(&|document| document.lines.clear()), "lines", "REQUIRED"),
        (
            with(&|document| document.lines[0].product = format!("products/{}", Uuid::now_v7())),
            "lines[0].product",
            "PRODUCT_NOT_FOUND",
        ),
        (
            with(&|document| document.lines[0].description = "x".repeat(1_001)),
            "lines[0].description",
            "TOO_LONG",
        ),
    ];
    for (quote, path, reason) in cases {
        let expected = field(&format!("quote.document.{path}"), reason);
        assert_eq!(violations(sales.create_quote(quote).await), [expected], "{path}");
    }
    let nobody = quote(&format!("accounts/{}", Uuid::now_v7()), vec![line(&desk, "1")]);
    assert_eq!(
        refusal(sales.create_quote(nobody).await),
        (Code::Unavailable, "ACCOUNT_UNVERIFIED".to_owned())
    );
    let gone = format!("accounts/{}", Uuid::now_v7());
    sales.hear_account(&gone, 1, true).await;
    let deleted = quote(&gone, vec![line(&desk, "1")]);
    assert_eq!(refusal(sales.create_quote(deleted).await), refused("ACCOUNT_DELETED"));
    let lost = Quote {
        opportunity: format!("opportunities/{}", Uuid::now_v7()),
        ..quote(&account, vec![line(&desk, "1")])
    };
    assert_eq!(refusal(sales.create_quote(lost).await), refused("OPPORTUNITY_NOT_FOUND"));
    assert!(sales.list_quotes("").await.is_empty());
}

/// DOC-01: what was submitted does not change; a draft is written again by field.
#[tokio::test]
async fn a_draft_is_changed_and_a_submitted_quote_is_not() {
    let (sales, desk) = Sales::start_quoting().await;
    let draft = sales.draft(&desk, "1").await;

    let mut changed = draft.clone();
    changed.document.as_mut().expect("a document").lines[0].quantity = "3".into();
    let written = sales.update_quote(changed.clone(), &["document.lines"]).await.expect("it is a draft");
    assert_eq!((gross(&draft), gross(&written)), (12_100, 36_300));
    assert_eq!(sales.update_quote(written.clone(), &["*"]).await.expect("nothing differs"), written);

    let submitted = sales.submit(&draft.name).await.expect("a draft");
    assert_eq!(submitted.state(), State::Approved);
    assert_eq!(refusal(sales.update_quote(changed, &["document.lines"]).await), refused("QUOTE_NOT_DRAFT"));
    let request = DeleteQuoteRequest { name: draft.name.clone(), ..Default::default() };
    let deleted = sales.quotes().delete_quote(sales.admin.request(request)).await;
    assert_eq!(refusal(deleted), refused("QUOTE_NOT_DRAFT"));
    let mut tx = sales.service.transaction(sales.admin.tenant).await;
    let forged = sqlx::query("update quote set gross = 1 where tenant_id = $1")
        .bind(sales.admin.tenant)
        .execute(tx.connection())
        .await;
    assert!(format!("{forged:?}").contains("quote_immutable"), "{forged:?}");
}

/// DOC-10: a draft whose prices are no longer those of now is not submitted unseen.
#[tokio::test]
async fn a_draft_whose_price_has_changed_is_written_again_first() {
    let (sales, desk) = Sales::start_quoting().await;
    let draft = sales.draft(&desk, "1").await;
    sales.create_promotion(promotion("Spring", percent("10"))).await.expect("a promotion");

    assert_eq!(refusal(sales.submit(&draft.name).await), refused("PRICE_CHANGED"));
    let written = sales.update_quote(draft.clone(), &["document"]).await.expect("it is a draft");
    assert_eq!((gross(&draft), gross(&written)), (12_100, 10_890));
    assert_eq!(sales.submit(&draft.name).await.expect("it is as of now").state(), State::Approved);
}

/// DOC-01: rules that match say on the quote who must approve; the submitter cannot.
#[tokio::test]
async fn a_quote_that_rules_match_is_approved_by_others() {
    let (sales, desk) = Sales::start_quoting().await;
    let board = sales.hear_team("Board", "West").await;
    sales.hear_member("berta", "Berta", &[&board]).await;
    let rule = |display_name: &str| ApprovalRule { display_name: display_name.into(), ..Default::default() };
    let cheap = ApprovalRule {
        min_discount_percent: "10".into(),
        approver_team: board.clone(),
        sequence: 2,
        ..rule("Discount")
    };
    let large = ApprovalRule { min_net: crate::harness::euros(100_000), sequence: 1, ..rule("Large") };
    let idle = ApprovalRule { disabled: true, ..rule("Idle") };
    for rule in [cheap, large, idle] {
        sales.create_approval_rule(rule).await.expect("a rule");
    }
    let small = sales.draft(&desk, "9").await;
    assert_eq!(sales.submit(&small.name).await.expect("a draft").state(), State::Approved);

    let mut given = quote(&sales.account().await, vec![line(&desk, "12")]);
    given.document.as_mut().expect("a document").discounts = vec![discount("10")];
    let draft = sales.create_quote(given).await.expect("a quote");
    let submitted = sales.submit(&draft.name).await.expect("a draft");
    let names: Vec<_> = submitted.approvals.iter().map(|approval| approval.display_name.as_str()).collect();
    assert_eq!((submitted.state(), names), (State::InApproval, vec!["Large", "Discount"]));
    assert_eq!(submitted.approvals[1].approver_team, board);

    let approve = async |caller: &TestCaller| {
        let request = ApproveQuoteRequest { name: draft.name.clone(), ..Default::default() };
        sales.quotes().approve_quote(caller.request(request)).await.map(Response::into_inner)
    };
    let own = approve(&sales.admin).await;
    assert_eq!(refusal(own), (Code::PermissionDenied, "OWN_APPROVAL".to_owned()));
    let carl = sales.caller("carl", &["commercial-director"]);
    assert_eq!(approve(&carl).await.expect("one rule is anybody's").state(), State::InApproval);
    assert_eq!(refusal(approve(&carl).await), (Code::PermissionDenied, "NOT_APPROVER".to_owned()));
    assert_eq!(refusal(sales.send(&draft.name).await), refused("QUOTE_NOT_APPROVED"));
    let berta = sales.caller("berta", &["commercial-director"]);
    let approved = approve(&berta).await.expect("one rule is her team's");
    let by: Vec<_> = approved.approvals.iter().map(|approval| approval.approved_by.as_str()).collect();
    assert_eq!((approved.state(), by), (State::Approved, vec!["members/carl", "members/berta"]));
}

#[tokio::test]
async fn a_rejected_quote_says_why_and_is_a_draft_again_when_it_is_written() {
    let (sales, desk) = Sales::start_quoting().await;
    let all = ApprovalRule { display_name: "All".into(), ..Default::default() };
    sales.create_approval_rule(all).await.expect("a rule");
    let draft = sales.draft(&desk, "1").await;
    sales.submit(&draft.name).await.expect("a draft");
    let carl = sales.caller("carl", &["commercial-director"]);

    let request =
        RejectQuoteRequest { name: draft.name.clone(), reason: "Too cheap".into(), ..Default::default() };
    let rejected =
        sales.quotes().reject_quote(carl.request(request)).await.expect("in approval").into_inner();
    assert_eq!((rejected.state(), rejected.reject_reason.as_str()), (State::Rejected, "Too cheap"));
    let written = sales.update_quote(draft, &["document"]).await.expect("rejected");
    assert_eq!((written.state(), written.reject_reason.as_str()), (State::Draft, "Too cheap"));
    assert!(written.approvals.is_empty());
}

fn discount(percent: &str) -> trato_proto::sales::v1::price_document_request::Discount {
    use trato_proto::sales::v1::price_document_request::{Discount, discount::Value};
    Discount { value: Some(Value::Percent(percent.into())), ..Default::default() }
}
