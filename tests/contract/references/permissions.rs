//! `permissions.md`: from the annotations of the methods and the shipped roles.

use std::collections::BTreeMap;

use super::{MADE, code_list, keep, table};
use crate::{
    contract::{options::permission, permissions::grants},
    harness::dynamic::methods,
};

const INTRODUCTION: &str = "\
A method asks for one permission, `<service>.<collection>.<verb>`. A role grants permissions, each as far as a scope
reaches: OWN is what the caller owns, TEAM what belongs to one of the caller's teams, ALL everything of the tenant. Of
several grants the widest counts. What has neither owner nor team is reached by ALL alone.

The roles are those of `proto/roles.toml`, which an installation may replace (`access.roles_file`); a caller's roles are
those its token carries. `GetCaller` tells callers what they may do, `ExplainAccess` why.
";

/// One role as it is shipped.
struct Role {
    name: String,
    description: String,
    grants: Vec<(String, String)>,
}

fn roles() -> Vec<Role> {
    let roles: toml::Table = trato_proto::ROLES.parse().expect("the shipped roles are TOML");
    let text = |value: &toml::Value| value.as_str().expect("it is a text").to_owned();
    let role = |(name, role): (&String, &toml::Value)| {
        let all = role["grants"].as_array().expect("a role has grants");
        let grants = all.iter().flat_map(|grant| {
            let patterns = grant["permissions"].as_array().expect("a grant has permissions");
            patterns.iter().map(|pattern| (text(pattern), text(&grant["scope"])))
        });
        Role { name: name.clone(), description: text(&role["description"]), grants: grants.collect() }
    };
    roles.iter().map(role).collect()
}

/// How far a role's widest grant of a permission reaches.
fn reach<'r>(role: &'r Role, permission: &str) -> Option<&'r str> {
    let granted = role.grants.iter().filter(|(pattern, _)| grants(pattern, permission));
    granted
        .map(|(_, scope)| scope.as_str())
        .max_by_key(|scope| ["OWN", "TEAM", "ALL"].iter().position(|one| one == scope))
}

#[test]
fn the_reference_of_permissions_is_up_to_date() {
    let roles = roles();
    let mut needed: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for method in methods() {
        let name = format!("{}.{}", method.parent_service().name(), method.name());
        let all = needed.entry(permission(&method)).or_default();
        // The services that every program has are named alike; the permission says which one it is.
        if !all.contains(&name) {
            all.push(name);
        }
    }
    let rows = needed.iter().map(|(permission, methods)| {
        let granting =
            roles.iter().filter_map(|role| Some(format!("{} {}", role.name, reach(role, permission)?)));
        let methods = code_list(methods.iter().map(String::as_str));
        [format!("`{permission}`"), methods, granting.collect::<Vec<_>>().join(", ")]
    });
    let described = roles.iter().map(|role| [role.name.clone(), role.description.clone()]);
    let text = format!(
        "# Permissions\n\n{MADE}\n\n{INTRODUCTION}\n## Roles\n\n{}\n## Who may do what\n\n{}",
        table(["role", "who that is"], described),
        table(["permission", "methods", "roles, and how far"], rows),
    );
    keep("permissions.md", &text);
}
