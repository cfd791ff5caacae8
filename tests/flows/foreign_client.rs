//! A client that knows nothing but an address and a token: it learns the contract by reflection and calls by it.

use std::collections::BTreeSet;

use prost::Message as _;
use prost_reflect::DescriptorPool;
use prost_types::{FileDescriptorProto, FileDescriptorSet};
use reqwest::Method;
use serde_json::json;
use tokio_stream::once;
use tonic::{Code, transport::Channel};
use tonic_reflection::pb::v1::{
    ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
    server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
};

use crate::harness::{
    answer::Refusal,
    dynamic,
    eventually::{SOON, eventually},
    tenant::Tenant,
    values::{list, text, texts},
};

async fn ask(channel: &Channel, question: MessageRequest) -> MessageResponse {
    let request = ServerReflectionRequest { host: String::new(), message_request: Some(question) };
    // Questions without a token are limited by address, which all tests share.
    let look = || async {
        let answers =
            ServerReflectionClient::new(channel.clone()).server_reflection_info(once(request.clone())).await;
        match answers {
            Ok(answers) => Some(answers.into_inner()),
            Err(status) if status.code() == Code::ResourceExhausted => None,
            Err(status) => panic!("reflection is not served: {status:?}"),
        }
    };
    let answers = eventually(SOON, "reflection to be served", look, Option::is_some).await;
    let answer = answers.expect("it was waited for").message().await.expect("an answer");
    answer.expect("one for each question").message_response.expect("an answer says something")
}

/// Every file of the contract, as the running gateway publishes it.
async fn learn(channel: &Channel, service: &str) -> DescriptorPool {
    let mut files: Vec<FileDescriptorProto> = Vec::new();
    let mut wanted = vec![MessageRequest::FileContainingSymbol(service.to_owned())];
    let (mut known, mut asked) = (BTreeSet::new(), BTreeSet::new());
    while let Some(question) = wanted.pop() {
        let MessageResponse::FileDescriptorResponse(answer) = ask(channel, question).await else {
            panic!("the gateway does not publish {service}");
        };
        for bytes in answer.file_descriptor_proto {
            let file = FileDescriptorProto::decode(bytes.as_slice()).expect("a published file can be read");
            if known.insert(file.name().to_owned()) {
                let unasked = file.dependency.iter().filter(|name| asked.insert((*name).clone()));
                wanted.extend(unasked.cloned().map(MessageRequest::FileByFilename));
                files.push(file);
            }
        }
    }
    let mut pool = DescriptorPool::new();
    pool.add_file_descriptor_set(FileDescriptorSet { file: files })
        .expect("the published files fit together");
    pool
}

/// CRD-07: a foreign client learns the contract from the running gateway and calls it natively with a service account.
#[tokio::test]
async fn a_client_without_generated_code_learns_the_contract_and_calls_it() {
    let tenant = Tenant::fresh();
    let account = tenant.caller("nightly-export", &["data-loader"]);
    let MessageResponse::ListServicesResponse(services) =
        ask(tenant.channel(), MessageRequest::ListServices(String::new())).await
    else {
        panic!("the gateway lists no services");
    };
    let published: BTreeSet<String> = services.service.into_iter().map(|service| service.name).collect();
    for method in dynamic::methods() {
        let service = method.parent_service();
        assert!(published.contains(service.full_name()), "{} is not published", service.full_name());
    }

    let pool = learn(tenant.channel(), "trato.customers.v1.AccountService").await;
    let service = pool.get_service_by_name("trato.customers.v1.AccountService").expect("it was published");
    let method =
        |name: &str| service.methods().find(|method| method.name() == name).expect("it was published");
    let made =
        account.unary(&method("CreateAccount"), &json!({ "account": { "displayName": "Acme" } })).await;
    let made = dynamic::json(&made.expect("a service account may create accounts"));
    let listed = account.unary(&method("ListAccounts"), &json!({})).await.expect("and list them");
    assert_eq!(texts(list(&dynamic::json(&listed), "accounts"), "name"), [text(&made, "name")]);
    let denied = tenant.caller("nosy", &[]).unary(&method("ListAccounts"), &json!({})).await;
    assert_eq!(denied.expect_err("it has no role").code(), Code::PermissionDenied);
}

/// CRD-07: the published contract is the one in the repository, message by message.
#[tokio::test]
async fn the_published_contract_is_the_one_that_was_compiled() {
    let tenant = Tenant::fresh();
    for service in dynamic::POOL.services().filter(|service| service.full_name().starts_with("trato.")) {
        let pool = learn(tenant.channel(), service.full_name()).await;
        for ours in dynamic::POOL.files().filter(|file| file.package_name() == service.package_name()) {
            let Some(theirs) = pool.get_file_by_name(ours.name()) else { continue };
            assert_eq!(theirs.file_descriptor_proto(), ours.file_descriptor_proto(), "{}", ours.name());
        }
    }
}

/// CRD-07: a deadline is honoured by either way of calling, and says so.
#[tokio::test]
async fn a_deadline_is_honoured() {
    let tenant = Tenant::fresh();
    let director = tenant.director();
    let request = director.request(Method::GET, "/v1/accounts").header("x-trato-timeout-ms", "0");
    let answer = director.send(request).await;
    let refusal = answer.refused();
    assert!(["DEADLINE_EXCEEDED", "INVALID_ARGUMENT"].contains(&refusal.code.as_str()), "{refusal:?}");
    assert_ne!(answer.status, 500);

    let mut slow = director.accounts();
    let mut request = tonic::Request::new(Default::default());
    request.set_timeout(std::time::Duration::from_micros(50));
    let status = slow.list_accounts(request).await.expect_err("nobody answers in fifty microseconds");
    assert!([Code::DeadlineExceeded, Code::Cancelled].contains(&status.code()), "{status:?}");
    assert_ne!(Refusal::of(&status).code, "INTERNAL");
}

/// CRD-07: the trace a caller brings is the trace of what it causes.
#[tokio::test]
async fn the_trace_of_a_caller_is_found_again_in_the_event_it_caused() {
    let tenant = Tenant::fresh();
    let director = tenant.director();
    let trace = format!("{:032x}", rand::random::<u128>() | 1);
    let parent = format!("00-{trace}-00f067aa0ba902b7-01");
    let request = director.request(Method::POST, "/v1/accounts").header("traceparent", parent);
    director.send(request.json(&json!({ "displayName": "Acme" }))).await.ok();

    let replay = dynamic::method("trato.customers.v1.EventService.ReplayEvents");
    let look = || async { director.collect(&replay, &json!({})).await.unwrap_or_default() };
    let events = eventually(SOON, "the event", look, |events| !events.is_empty()).await;
    assert!(text(&events[0], "traceparent").contains(&trace), "{}", events[0]);
}
