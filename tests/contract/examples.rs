//! What the comments of the contract show as examples does work: they are the documentation of the API.

use prost_reflect::FieldDescriptor;
use serde_json::json;

use super::samples::World;
use crate::harness::{answer::Refusal, dynamic::methods, tenant::Tenant};

/// CRD-07: every filter and every order that a comment shows is understood.
#[tokio::test]
async fn every_filter_and_order_shown_in_a_comment_is_understood() {
    let tenant = Tenant::fresh();
    let world = World::make(&tenant).await;
    let mut shown = 0;
    let mut refused = Vec::new();
    for method in methods().iter().filter(|method| method.name() != "SubscribeEvents") {
        for field in ["filter", "order_by"] {
            let Some(example) = method.input().get_field_by_name(field).as_ref().and_then(example) else {
                continue;
            };
            shown += 1;
            let mut request = world.sample(method).await.request;
            request["orderBy"] = json!("");
            if method.input().get_field_by_name("order_by").is_none() {
                request.as_object_mut().expect("a request is an object").remove("orderBy");
            }
            request[super::transcode::camel(field)] = json!(example);
            if let Err(status) = world.keeper.attempt(method, &request).await {
                refused.push((method.full_name().to_owned(), example, Refusal::of(&status).message));
            }
        }
    }
    assert!(shown >= 15, "only {shown} examples were found");
    assert!(refused.is_empty(), "{refused:#?}");
}

/// The first text in backticks after `such as` in the comment of a field.
fn example(field: &FieldDescriptor) -> Option<String> {
    let file = field.parent_file();
    let info = file.file_descriptor_proto().source_code_info.as_ref()?;
    let location = info.location.iter().find(|location| location.path == field.path())?;
    let comment = location.leading_comments().replace('\n', " ");
    let (_, example) = comment.split_once("such as `")?;
    Some(example.split_once('`')?.0.to_owned())
}
