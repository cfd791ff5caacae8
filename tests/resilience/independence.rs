//! One program stopped at a time: what does not need it goes on answering.

use std::time::Instant;

use serde_json::json;

use crate::{
    flows::orders::trade,
    harness::{
        answer::Refusal,
        breakable::on_a_breakable_stack,
        client::channel,
        dynamic::{self, method},
        eventually::{SOON, eventually},
        report::say,
        values::{dollars, name, text},
        writers::Subjects,
    },
};

/// CRD-01, CRD-02: with sales stopped, everything of customers answers; what needs sales is told so at once.
#[test]
fn with_sales_stopped_customers_goes_on() {
    on_a_breakable_stack(async |stack| {
        let subjects = Subjects::make(stack.tenant().await).await;
        let director = subjects.tenant.director();
        let account = &subjects.accounts[0];

        stack.kill("sales").await;

        let made = director.post("/v1/accounts", json!({ "displayName": "Alone" })).await.ok();
        director.get(&format!("/v1/{}", name(&made))).await.ok();
        director.get(&format!("/v1/{account}/timelineEntries")).await.ok();
        director.get("/v1/members").await.ok();
        director.get("/v1/caller").await.ok();
        let begun = Instant::now();
        let refusal = director.get("/v1/opportunities").await.refused();
        say(format!("sales was missed within {:.1?}", begun.elapsed()));
        assert_eq!(refusal.code, "UNAVAILABLE", "{refusal:?}");
        assert!(refusal.says_when_to_retry, "{refusal:?}");
        stack.revive("sales").await;
        let back = || async { director.get("/v1/opportunities").await.status };
        eventually(SOON, "sales to answer again", back, |status| *status == 200).await;
    });
}

/// CRD-01, CRD-02, DOC-07: with sales stopped, whoever invoices what was sold is told when to try again, and nothing is written; the
/// same request makes one invoice then, however often it is asked.
#[test]
fn with_sales_stopped_an_invoice_waits_for_what_was_sold() {
    on_a_breakable_stack(async |stack| {
        let (trade, product) = trade(&stack.tenant().await).await;
        trade.numbers("QUOTE", "Q").await;
        let series = trade.billing_numbers("INVOICE", "F").await;
        let document = json!({ "currencyCode": "USD", "lines": [{ "product": product, "quantity": "2" }] });
        let quote = trade.accepted_quote(document).await;
        let request = trade.invoicing(&quote, &series);

        stack.kill("sales").await;

        let refusal = trade.invoice(request.clone()).await.refused();
        assert_eq!(refusal.code, "UNAVAILABLE", "{refusal:?}");
        assert!(refusal.says_when_to_retry, "{refusal:?}");
        let written = trade.biller.list_all("/v1/invoices", "invoices", &[]).await;
        assert!(written.is_empty(), "{written:?}");
        stack.revive("sales").await;
        let again = || async { trade.invoice(request.clone()).await.status };
        eventually(SOON, "sales to answer again", again, |status| *status == 200).await;
        let invoice = trade.invoice(request.clone()).await.ok();
        assert_eq!(text(&invoice, "number"), "F1");
        let all = trade.biller.list_all("/v1/invoices", "invoices", &[]).await;
        assert_eq!(all.len(), 1, "{all:?}");
    });
}

/// CRD-01, CRD-02: with customers stopped, sales goes on with the accounts it knows, and says what it cannot verify.
#[test]
fn with_customers_stopped_sales_goes_on_with_the_accounts_it_knows() {
    on_a_breakable_stack(async |stack| {
        let subjects = Subjects::make(stack.tenant().await).await;
        let director = subjects.tenant.director();
        let with = |account: &str| {
            json!({
                "displayName": "Deal", "account": account, "pipeline": subjects.pipeline, "amount": dollars(5),
            })
        };
        let stranger = format!("accounts/{}", uuid::Uuid::now_v7());

        stack.kill("customers").await;

        let deal = name(&director.post("/v1/opportunities", with(&subjects.accounts[0])).await.ok());
        director
            .post("/v1/opportunities", json!({ "displayName": "Bare", "pipeline": subjects.pipeline }))
            .await
            .ok();
        director.post(&format!("/v1/{deal}:win"), json!({})).await.ok();
        director.get("/v1/funnel:query").await.ok();
        let refusal =
            director.post("/v1/opportunities", with(&stranger)).await.refused_as("ACCOUNT_UNVERIFIED");
        assert_eq!(refusal.code, "UNAVAILABLE");
        assert!(refusal.says_when_to_retry, "{refusal:?}");
        assert_eq!(director.get("/v1/accounts").await.refused().code, "UNAVAILABLE");

        stack.revive("customers").await;
        let verified =
            || async { director.post("/v1/opportunities", with(&stranger)).await.refused().reason };
        eventually(SOON, "the account to be looked for", verified, |reason| reason == "ACCOUNT_NOT_FOUND")
            .await;
        let account = &subjects.accounts[0];
        let kinds = || async { director.get(&format!("/v1/{account}")).await.ok()["kinds"].clone() };
        eventually(SOON, "the win to arrive", kinds, |kinds| *kinds == json!(["CUSTOMER"])).await;
    });
}

/// CRD-01, CRD-07: with the gateway stopped, an internal system calls the services natively.
#[test]
fn with_the_gateway_stopped_services_answer_native_calls() {
    on_a_breakable_stack(async |stack| {
        let subjects = Subjects::make(stack.tenant().await).await;
        let director = subjects.tenant.director();
        let facts = stack.facts().await;

        stack.kill("gateway").await;

        for (service, list) in [
            ("customers", "trato.customers.v1.AccountService.ListAccounts"),
            ("sales", "trato.sales.v1.OpportunityService.ListOpportunities"),
        ] {
            let direct = channel(&facts.service(service).expect("it runs").grpc);
            let answer =
                dynamic::bytes(&direct, Some(director.token()), &method(list), bytes::Bytes::new()).await;
            assert!(answer.is_ok(), "{service}: {answer:?}");
            let refused = dynamic::bytes(&direct, None, &method(list), bytes::Bytes::new()).await;
            let refusal = Refusal::of(&refused.expect_err("a service asks for a token itself"));
            assert_eq!(refusal.code, "UNAUTHENTICATED", "{service}");
        }
        stack.revive("gateway").await;
        director.get("/v1/accounts").await.ok();
    });
}
