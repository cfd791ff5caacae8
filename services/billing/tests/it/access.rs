//! Access and events: the platform's answers are served for the resources of billing.

use trato_proto::{access::v1::ExplainAccessRequest, events::v1::ReplayEventsRequest};

use crate::harness::{Billing, vat};

#[tokio::test]
async fn access_to_a_tax_code_is_explained() {
    let billing = Billing::start().await;
    let name = billing.create_tax_code(vat("ES-S")).await.expect("a tax code").name;
    let seller = billing.caller("ana", &["sales-representative"]);
    let mut access = billing.access();

    let mut explain = async |permission: &str| {
        let request = ExplainAccessRequest { permission: permission.into(), name: name.clone() };
        access.explain_access(seller.request(request)).await.map(|answer| answer.into_inner().reason)
    };

    let refused = explain("billing.taxCodes.get").await.expect_err("sellers do not ask who may see what");
    assert_eq!(refused.code(), tonic::Code::PermissionDenied);
    let accountant = billing.caller("eva", &["accountant"]);
    let request = ExplainAccessRequest { permission: "billing.taxCodes.update".into(), name };
    let answer = billing.access().explain_access(accountant.request(request)).await.expect("an answer");
    assert_eq!(answer.into_inner().reason, "GRANTED");
}

#[tokio::test]
async fn the_event_log_is_streamed_to_its_present_end() {
    let billing = Billing::start().await;
    billing.create_tax_code(vat("ES-S")).await.expect("a tax code");

    let request = ReplayEventsRequest { limit: 10, ..Default::default() };
    let stream = billing.events().replay_events(billing.admin.request(request)).await;

    // Without a relay nothing is numbered yet, so the log reads as empty.
    let mut replay = stream.expect("a stream").into_inner();
    assert_eq!(replay.message().await.expect("no error"), None);
}

#[tokio::test]
async fn an_event_carries_the_whole_resource() {
    let billing = Billing::start().await;
    billing.create_tax_code(vat("ES-S")).await.expect("a tax code");

    let published = billing.service.published(billing.admin.tenant).await;
    let resource = published[0].resource::<trato_proto::billing::v1::TaxCode>().expect("the whole resource");
    assert_eq!((resource.code.as_str(), resource.rates.len()), ("ES-S", 2), "enough to keep a projection");
}
