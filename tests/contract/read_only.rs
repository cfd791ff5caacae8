//! Roles that read, against every method that changes something; and fields that are not a client's to set.

use std::cell::RefCell;

use prost_reflect::{
    DynamicMessage, FieldDescriptor, Kind, MethodDescriptor, ReflectMessage as _, Value as Reflected,
};
use serde_json::Value;

use super::{
    options::{behaviours, is_read, permission},
    permissions::{grants, roles},
    samples::{NOUNS, World, with_random_names},
    transcode,
};
use crate::harness::{
    answer::Refusal,
    dynamic::{self, methods},
    eventually::{SOON, eventually},
    tenant::Tenant,
    values::{list, name},
};

/// The role that reads everything and changes nothing.
const READER: &str = "auditor";

/// Verbs of methods that change nothing though they are not sent by GET.
const READING: [&str; 7] = ["Get", "List", "BatchGet", "Query", "Explain", "Replay", "Subscribe"];

fn mutations() -> Vec<MethodDescriptor> {
    let reads = |method: &MethodDescriptor| {
        is_read(method) || READING.iter().any(|verb| method.name().starts_with(verb))
    };
    methods().into_iter().filter(|method| !reads(method)).collect()
}

/// I6: a role that only reads is refused every change, of what is there and of what is not, and nothing is changed.
#[tokio::test]
async fn a_role_that_only_reads_is_refused_every_change() {
    let tenant = Tenant::fresh();
    let world = World::make(&tenant).await;
    let reader = tenant.caller("reader", &[READER]);
    let (mutations, roles) = (mutations(), roles());
    let granted = &roles[READER];
    assert!(mutations.len() >= 30, "the walk found only {} changes", mutations.len());
    let mut samples = Vec::new();
    for method in &mutations {
        let permission = permission(method);
        assert!(!granted.iter().any(|pattern| grants(pattern, &permission)), "{READER} may {permission}");
        samples.push((method, world.sample(method).await.request));
    }
    let before = everything(&world).await;
    for (method, sample) in &samples {
        let mut told = Vec::new();
        for request in [sample, &with_random_names(sample)] {
            let http = transcode::send(&reader, method, request).await;
            assert_eq!(http.status, 403, "{}: {}", method.full_name(), http.text());
            told.push(http.refused_as("PERMISSION_MISSING"));
            let refused = reader.attempt(method, request).await.expect_err(method.full_name());
            told.push(Refusal::of(&refused));
        }
        assert!(
            told.iter().all(|one| *one == told[0]),
            "{} tells what exists: {told:#?}",
            method.full_name()
        );
    }
    assert_eq!(everything(&world).await, before, "a refused call changed something");
}

/// Every resource of the world's tenant, as its keeper sees it once all that follows from making it is done.
async fn everything(world: &World) -> Vec<Value> {
    let last = RefCell::new(Vec::new());
    let look = async || {
        let mut all = Vec::new();
        for (_, collection, _) in NOUNS {
            let path = format!("/v1/{collection}");
            all.extend(world.keeper.list_all(&path, collection, &[("pageSize", "1000")]).await);
        }
        let is_settled = *last.borrow() == all;
        last.replace(all);
        is_settled
    };
    eventually(SOON, "the world to be settled", look, |is_settled| *is_settled).await;
    last.into_inner()
}

/// I6: what only the service may say is ignored when a client says it, in every create and every update.
#[tokio::test]
async fn a_client_cannot_set_what_only_the_service_may_say() {
    let tenant = Tenant::fresh();
    let world = World::make(&tenant).await;
    let mut tried = 0;
    let verbs =
        |method: &MethodDescriptor| ["Create", "Update"].iter().any(|verb| method.name().starts_with(verb));
    for method in methods().iter().filter(|method| verbs(method)) {
        let of_resource = |field: &FieldDescriptor| field.kind().as_message() == Some(&method.output());
        // What is made from something else is sent no resource that could say it.
        let Some(resource) = method.input().fields().find(of_resource) else { continue };
        for field in method.output().fields().filter(is_output_only) {
            let mut request = dynamic::message(&method.input(), &world.sample(method).await.request);
            let forged = forgery(&field);
            let mut message = request.get_field(&resource).as_message().cloned().expect("the sample has one");
            message.set_field(&field, forged.clone());
            request.set_field(&resource, Reflected::Message(message));
            let token = Some(world.keeper.token());
            let answer = dynamic::unary(tenant.channel(), token, method, request).await;
            let answer = answer
                .unwrap_or_else(|status| panic!("{} with {}: {status}", method.full_name(), field.name()));
            let stored = answer.get_field(&field);
            assert_ne!(*stored, forged, "{} took {} of a client", method.full_name(), field.name());
            tried += 1;
        }
    }
    assert!(tried >= 40, "only {tried} fields were tried");
}

/// I6: naming such a field in a mask does not make it the client's.
#[tokio::test]
async fn a_mask_does_not_open_what_only_the_service_may_say() {
    let tenant = Tenant::fresh();
    let world = World::make(&tenant).await;
    let before = world.keeper.get(&format!("/v1/{}", world.account)).await.ok();
    for (field, value) in [
        ("creator", "members/me"),
        ("createTime", "2001-01-01T00:00:00Z"),
        ("deleteTime", "2001-01-01T00:00:00Z"),
    ] {
        let path = format!("/v1/{}?updateMask={field}", world.account);
        let answer = world.keeper.patch(&path, serde_json::json!({ field: value })).await;
        assert!([200, 400].contains(&answer.status), "{field}: {}", answer.text());
        let after = world.keeper.get(&format!("/v1/{}", world.account)).await.ok();
        assert_eq!(after[field], before[field], "{field} became the client's");
    }
    let accounts = world.keeper.get("/v1/accounts").await.ok();
    assert!(list(&accounts, "accounts").iter().any(|one| name(one) == world.account), "it is still there");
}

fn is_output_only(field: &FieldDescriptor) -> bool {
    // The etag says which revision the client means; it is never stored.
    field.name() != "etag" && !field.is_map() && behaviours(field).iter().any(|one| one == "OUTPUT_ONLY")
}

/// A value that the service would not choose.
fn forgery(field: &FieldDescriptor) -> Reflected {
    let one = match field.kind() {
        Kind::String => Reflected::String("members/forged".to_owned()),
        Kind::Bool => Reflected::Bool(true),
        Kind::Int32 => Reflected::I32(77),
        Kind::Int64 => Reflected::I64(77),
        Kind::Enum(kind) => Reflected::EnumNumber(kind.values().last().expect("an enum has values").number()),
        Kind::Message(kind) => {
            let mut message = DynamicMessage::new(kind);
            let inner = message.descriptor().fields().next();
            if let Some(inner) = inner.filter(|inner| !inner.is_list()) {
                message.set_field(&inner, forgery(&inner));
            }
            Reflected::Message(message)
        }
        other => panic!("{} is of a kind that nobody forges yet: {other:?}", field.full_name()),
    };
    if field.is_list() { Reflected::List(vec![one]) } else { one }
}
