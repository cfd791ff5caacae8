//! Declared fields tell the truth of their columns: a filter and its negation cover every row, and every order shows
//! every row, those without a value included.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::{
    contract::World,
    harness::{
        caller::Caller,
        tenant::Tenant,
        values::{list, text, texts},
    },
};

/// Collections whose resources may leave fields empty: collection and noun.
const COLLECTIONS: [(&str, &str); 9] = [
    ("accounts", "Account"),
    ("contacts", "Contact"),
    ("members", "Member"),
    ("opportunities", "Opportunity"),
    ("pipelines", "Pipeline"),
    ("priceLists", "PriceList"),
    ("prices", "Price"),
    ("products", "Product"),
    ("promotions", "Promotion"),
];

/// Literals that are tried of each field: two it has, where it has some, and one it has not.
const ENOUGH: usize = 3;

/// Literals that some field or other takes.
const LITERALS: [&str; 15] = [
    "\"zzz\"",
    "1",
    "true",
    "\"2026-01-01\"",
    "\"2026-01-01T00:00:00Z\"",
    "members/zzz",
    "accounts/00000000-0000-7000-8000-000000000000",
    "contacts/00000000-0000-7000-8000-000000000000",
    "teams/00000000-0000-7000-8000-000000000000",
    "pipelines/00000000-0000-7000-8000-000000000000",
    "products/00000000-0000-7000-8000-000000000000",
    "priceLists/00000000-0000-7000-8000-000000000000",
    "OPEN",
    "TAX_INCLUSIVE",
    "PRICE",
];

/// A resource with only what is required, so that all else is empty.
fn bare(noun: &str, world: &World) -> Value {
    let body = world.body(noun);
    let keep = match noun {
        "Contact" => vec!["surname"],
        "Member" => vec!["subject", "displayName"],
        "Opportunity" => vec!["displayName", "pipeline"],
        "Pipeline" => vec!["displayName", "stages"],
        "Price" => vec!["priceList", "product", "minQuantity", "unitPrice"],
        "PriceList" => vec!["displayName", "currencyCode"],
        "Promotion" => vec!["displayName", "effect"],
        _ => vec!["displayName"],
    };
    let fields = body.as_object().expect("a body is an object").clone().into_iter();
    Value::Object(fields.filter(|(name, _)| keep.contains(&name.as_str())).collect())
}

/// Names after a phrase in the refusal of an unknown field: `…; the fields are a, b, c`.
async fn named(by: &Caller, collection: &str, parameter: &str, value: &str, phrase: &str) -> Vec<String> {
    let refused = by.query(&format!("/v1/{collection}"), &[(parameter, value)]).await;
    let message = refused.refused().message;
    let names = message.split(phrase).nth(1).unwrap_or_else(|| panic!("{message:?} names no fields"));
    let names = names.split(" (at").next().unwrap_or_default();
    names.split(", ").map(|name| name.trim().trim_end_matches('.').to_owned()).collect()
}

async fn found(by: &Caller, collection: &str, filter: &str) -> Option<BTreeSet<String>> {
    let path = format!("/v1/{collection}");
    let parameters = [("filter", filter), ("pageSize", "1000"), ("showDeleted", "true")];
    let answer = by.query(&path, &parameters).await;
    (answer.status == 200).then(|| texts(list(&answer.json(), collection), "name").into_iter().collect())
}

/// MDM-10: whatever a field holds or does not, a row is found by a filter or by its negation, and by every order.
#[tokio::test]
async fn a_filter_and_its_negation_cover_every_row_and_every_order_shows_it() {
    let tenant = Tenant::fresh();
    let world = World::make(&tenant).await;
    let keeper = &world.keeper;
    for (collection, noun) in COLLECTIONS {
        for _ in 0..3 {
            world.create(noun).await;
            keeper.post(&format!("/v1/{collection}"), bare(noun, &world)).await.ok();
        }
        let all = found(keeper, collection, "").await.expect("a list without filter is answered");
        let fields = named(keeper, collection, "filter", "colour = 1", "the fields are ").await;
        assert!(fields.len() >= 4, "{collection}: {fields:?}");
        for field in &fields {
            let own = own_values(keeper, collection, field).await;
            let mut tried = 0;
            for literal in own.iter().map(String::as_str).chain(LITERALS) {
                let Some(with) = found(keeper, collection, &format!("{field} = {literal}")).await else {
                    continue;
                };
                let without = found(keeper, collection, &format!("{field} != {literal}"))
                    .await
                    .expect("its negation is a filter");
                let union: BTreeSet<String> = with.union(&without).cloned().collect();
                assert_eq!(union, all, "{collection}: {field} = {literal} and its negation lose rows");
                assert!(
                    with.is_disjoint(&without),
                    "{collection}: {field} = {literal} and its negation overlap"
                );
                tried += 1;
                if tried == ENOUGH {
                    break;
                }
            }
            assert!(tried > 0, "{collection}: no literal suits {field}");
        }
        let orders = named(keeper, collection, "orderBy", "colour", "these can be sorted by: ").await;
        for field in &orders {
            for order in [field.clone(), format!("{field} desc")] {
                let parameters = [("orderBy", order.as_str()), ("pageSize", "2"), ("showDeleted", "true")];
                let seen = texts(
                    &keeper.list_all(&format!("/v1/{collection}"), collection, &parameters).await,
                    "name",
                );
                assert_eq!(seen.len(), all.len(), "{collection} by {order}");
                assert_eq!(seen.into_iter().collect::<BTreeSet<_>>(), all, "{collection} by {order}");
            }
        }
    }
}

/// What the field holds in the resources that are there, as literals.
async fn own_values(by: &Caller, collection: &str, field: &str) -> Vec<String> {
    let listed = by.get(&format!("/v1/{collection}?pageSize=5")).await.ok();
    let camel = field.split('_').enumerate().map(|(at, word)| {
        let (first, rest) = word.split_at(word.len().min(1));
        if at == 0 { word.to_owned() } else { format!("{}{rest}", first.to_uppercase()) }
    });
    let camel: String = camel.collect();
    let values = list(&listed, collection).iter().map(|one| text(one, &camel).to_owned());
    let values: BTreeSet<String> = values.filter(|value| !value.is_empty()).collect();
    values.into_iter().take(ENOUGH - 1).map(|value| json!(value).to_string()).collect()
}
