//! Permissions: named by every method, granted by some role, asked of every caller before anything is looked up.

use std::collections::{BTreeMap, BTreeSet};

use prost::Message as _;

use super::{
    options::permission,
    samples::{Sample, World, with_random_names},
};
use crate::harness::{
    answer::Refusal,
    dynamic::{self, methods},
    tenant::Tenant,
};

/// The one method that everybody with a good token may call.
const OPEN_TO_ALL: &str = "directory.caller.get";

/// Permissions and patterns that each shipped role grants.
pub fn roles() -> BTreeMap<String, Vec<String>> {
    let roles: toml::Table = trato_proto::ROLES.parse().expect("the shipped roles are TOML");
    let granted = |role: &toml::Value| {
        let grants = role["grants"].as_array().expect("a role has grants");
        let permissions =
            grants.iter().flat_map(|grant| grant["permissions"].as_array().into_iter().flatten());
        permissions.map(|one| one.as_str().expect("a permission is a text").to_owned()).collect()
    };
    roles.iter().map(|(name, role)| (name.clone(), granted(role))).collect()
}

/// True when a pattern of a grant stands for the permission.
pub fn grants(pattern: &str, permission: &str) -> bool {
    pattern.strip_suffix('*').map_or(pattern == permission, |beginning| permission.starts_with(beginning))
}

/// PLT-12: no method is open by neglect, and none is out of everybody's reach.
#[test]
fn every_method_names_a_permission_that_some_role_grants() {
    let roles = roles();
    for method in methods() {
        let permission = permission(&method);
        let service = method.parent_service().full_name().split('.').nth(1).unwrap_or_default().to_owned();
        assert_eq!(permission.split('.').count(), 3, "{}: {permission:?}", method.full_name());
        assert_eq!(permission.split('.').next(), Some(service.as_str()), "{}", method.full_name());
        let by = roles.iter().filter(|(_, all)| all.iter().any(|pattern| grants(pattern, &permission)));
        assert!(by.count() > 0, "no role grants {permission} of {}", method.full_name());
    }
}

/// PLT-12: a role cannot grant what does not exist, as a misspelled permission would.
#[test]
fn roles_grant_known_permissions_only() {
    let known: BTreeSet<String> = methods().iter().map(permission).collect();
    for (role, patterns) in roles() {
        for pattern in patterns {
            assert!(
                known.iter().any(|known| grants(&pattern, known)),
                "{role} grants {pattern}, which nothing asks"
            );
        }
    }
}

/// PLT-12: without a token every method answers the same, by gRPC and by JSON, whatever is asked.
#[tokio::test]
async fn every_method_refuses_a_caller_without_token() {
    let tenant = Tenant::fresh();
    let world = World::make(&tenant).await;
    for method in methods() {
        let Sample { request, .. } = world.sample(&method).await;
        let http = super::transcode::send(&tenant.anonymous(), &method, &request).await;
        assert_eq!(http.status, 401, "{}: {}", method.full_name(), http.text());
        assert_eq!(http.refused().reason, "INVALID_TOKEN", "{}", method.full_name());
        let message = dynamic::message(&method.input(), &request);
        let bytes = message.encode_to_vec().into();
        let refused = dynamic::bytes(tenant.channel(), None, &method, bytes).await;
        let refusal = Refusal::of(&refused.expect_err(method.full_name()));
        assert_eq!((refusal.code.as_str(), refusal.reason.as_str()), ("UNAUTHENTICATED", "INVALID_TOKEN"));
    }
}

/// PLT-12: who may not do a thing is told so before anything is looked up, so that nothing is learnt of what exists.
#[tokio::test]
async fn every_method_refuses_a_caller_without_role_and_tells_nothing_of_what_exists() {
    let tenant = Tenant::fresh();
    let world = World::make(&tenant).await;
    let stranger = tenant.stranger();
    for method in methods().iter().filter(|method| permission(method) != OPEN_TO_ALL) {
        let Sample { request, .. } = world.sample(method).await;
        let elsewhere = with_random_names(&request);
        let mut told = Vec::new();
        for request in [&request, &elsewhere] {
            let http = super::transcode::send(&stranger, method, request).await;
            assert_eq!(http.status, 403, "{}: {}", method.full_name(), http.text());
            let refusal = http.refused_as("PERMISSION_MISSING");
            assert!(refusal.message.contains(&permission(method)) || !refusal.message.contains('/'));
            told.push(refusal);
        }
        assert_eq!(told[0], told[1], "{} tells what exists", method.full_name());
        let refused = stranger.attempt(method, &request).await.expect_err(method.full_name());
        assert_eq!(Refusal::of(&refused), told[0], "{}", method.full_name());
    }
}
