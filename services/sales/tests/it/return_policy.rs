//! Return policies: drafts, and versions of which one is published.

use futures::future::join_all;
use tonic::{Code, Response, Status};
use trato_proto::sales::v1::{
    CreateReturnPolicyRequest, DeleteReturnPolicyRequest, ListReturnPoliciesRequest,
    PublishReturnPolicyRequest, RetireReturnPolicyRequest, ReturnPolicy, UpdateReturnPolicyRequest,
    return_policy::{Payer, State},
    return_policy_service_client::ReturnPolicyServiceClient,
};

use crate::{
    harness::{Sales, field, paths, refusal, violations},
    order::precondition,
};

impl Sales {
    fn return_policies(&self) -> ReturnPolicyServiceClient<tonic::transport::Channel> {
        ReturnPolicyServiceClient::new(self.service.channel.clone())
    }

    async fn create_policy(&self, return_policy: ReturnPolicy) -> Result<ReturnPolicy, Status> {
        let request = CreateReturnPolicyRequest { return_policy: Some(return_policy), ..Default::default() };
        self.return_policies()
            .create_return_policy(self.admin.request(request))
            .await
            .map(Response::into_inner)
    }

    async fn publish(&self, name: &str) -> Result<ReturnPolicy, Status> {
        let request = PublishReturnPolicyRequest { name: name.into(), ..Default::default() };
        self.return_policies()
            .publish_return_policy(self.admin.request(request))
            .await
            .map(Response::into_inner)
    }

    /// A published version of the code `STANDARD`.
    pub async fn published_policy(&self, window_days: i32) -> ReturnPolicy {
        let draft = self.create_policy(standard(window_days)).await.expect("a draft");
        self.publish(&draft.name).await.expect("published")
    }

    async fn policies(&self, filter: &str) -> Vec<ReturnPolicy> {
        let request = ListReturnPoliciesRequest { filter: filter.into(), ..Default::default() };
        let page = self.return_policies().list_return_policies(self.admin.request(request)).await;
        page.expect("a page").into_inner().return_policies
    }
}

fn standard(window_days: i32) -> ReturnPolicy {
    ReturnPolicy {
        display_name: "Standard".into(),
        code: "STANDARD".into(),
        window_days,
        conditions: "Unopened, with its invoice.".into(),
        payer: Payer::Buyer.into(),
        ..Default::default()
    }
}

/// DOC-17: the next version takes the place of the one before; neither changes any more.
#[tokio::test]
async fn versions_are_published_one_after_the_other() {
    let sales = Sales::start().await;
    let first = sales.create_policy(standard(14)).await.expect("a draft");
    let first = sales.publish(&first.name).await.expect("published");
    let again = sales.publish(&first.name).await;
    let second = sales.published_policy(30).await;

    let change = ReturnPolicy { name: second.name.clone(), window_days: 1, ..Default::default() };
    let update = UpdateReturnPolicyRequest {
        return_policy: Some(change),
        update_mask: Some(paths(&["window_days"])),
        ..Default::default()
    };
    let updated = sales.return_policies().update_return_policy(sales.admin.request(update)).await;
    let delete = DeleteReturnPolicyRequest { name: first.name.clone(), ..Default::default() };
    let deleted = sales.return_policies().delete_return_policy(sales.admin.request(delete)).await;

    assert_eq!((first.state(), first.version, first.window_days), (State::Published, 1, 14));
    assert_eq!(refusal(again), precondition("RETURN_POLICY_PUBLISHED"));
    assert_eq!((second.state(), second.version), (State::Published, 2));
    assert_eq!(refusal(updated), precondition("RETURN_POLICY_PUBLISHED"));
    assert_eq!(refusal(deleted), precondition("RETURN_POLICY_PUBLISHED"));
    assert_eq!(sales.policies("code = STANDARD AND state = PUBLISHED").await, std::slice::from_ref(&second));
    let retired = sales.policies("state = RETIRED").await;
    assert_eq!((retired.len(), retired[0].name.as_str()), (1, first.name.as_str()));
    assert!(retired[0].retire_time.is_some());
    let retire = RetireReturnPolicyRequest { name: second.name.clone(), ..Default::default() };
    let gone = sales.return_policies().retire_return_policy(sales.admin.request(retire.clone())).await;
    assert_eq!(gone.expect("retired").get_ref().state(), State::Retired);
    let twice = sales.return_policies().retire_return_policy(sales.admin.request(retire)).await;
    assert_eq!(refusal(twice), precondition("RETURN_POLICY_NOT_PUBLISHED"));
}

/// DOC-17: of many versions that are published at once, one is published in the end, and each has a number of its own.
#[tokio::test]
async fn one_version_of_a_code_is_published() {
    let sales = Sales::start().await;
    let drafts = join_all((0..8).map(|days| sales.create_policy(standard(days)))).await;
    let drafts: Vec<ReturnPolicy> = drafts.into_iter().map(|draft| draft.expect("a draft")).collect();

    let answers = join_all(drafts.iter().map(|draft| sales.publish(&draft.name))).await;

    let (published, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
    for answer in refused {
        assert_eq!(refusal(answer), (Code::Aborted, "CONCURRENT_CHANGE".to_owned()));
    }
    let mut versions: Vec<i32> =
        published.into_iter().map(|answer| answer.expect("published").version).collect();
    versions.sort_unstable();
    let expected: Vec<i32> = (1..).take(versions.len()).collect();
    assert!(!versions.is_empty());
    assert_eq!(versions, expected);
    assert_eq!(sales.policies("state = PUBLISHED").await.len(), 1);
}

#[tokio::test]
async fn a_policy_is_refused_as_a_whole() {
    let sales = Sales::start().await;
    let wrong = ReturnPolicy {
        code: "a b".into(),
        window_days: 3651,
        conditions: "x".repeat(5_001),
        payer: 7,
        ..standard(0)
    };
    let expected = [
        field("return_policy.code", "INVALID_CODE"),
        field("return_policy.conditions", "TOO_LONG"),
        field("return_policy.payer", "UNKNOWN_VALUE"),
        field("return_policy.window_days", "OUT_OF_RANGE"),
    ];
    assert_eq!(violations(sales.create_policy(wrong).await), expected);
}
