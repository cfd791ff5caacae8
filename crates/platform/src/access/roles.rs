//! Roles: which permissions the names in a token's roles claim grant, and how far each reaches.
//!
//! Read once at start from TOML; afterwards every question is a look-up by permission.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    path::Path,
};

use serde::Deserialize;
use trato_types::{Error, Result, Scope};

/// The role that everybody with a trusted token has.
pub const EVERYONE: &str = "everyone";

/// What each role may do.
#[derive(Debug, Default)]
pub struct Roles {
    /// Permission → the roles that grant it, each once with its widest scope, by name.
    granting: HashMap<String, BTreeMap<String, Scope>>,
    known: BTreeSet<String>,
    descriptions: BTreeMap<String, String>,
}

/// One rule that admits a caller.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Grant {
    /// What may be done.
    pub permission: String,
    /// The role that grants it.
    pub role: String,
    /// How far it reaches.
    pub scope: Scope,
}

/// Everything that is wrong with a roles file.
#[derive(Debug, thiserror::Error)]
#[error("the roles cannot be used: {}", .0.join("; "))]
pub struct RolesError(pub Vec<String>);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RoleEntry {
    description: String,
    grants: Vec<GrantEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GrantEntry {
    permissions: Vec<String>,
    scope: Scope,
}

impl Roles {
    /// Reads the file an installation brings, or else the roles the suite ships.
    pub fn load(file: &str, shipped: &str, known: BTreeSet<String>) -> Result<Self, RolesError> {
        if file.is_empty() {
            return Self::parse(shipped, known);
        }
        let text = std::fs::read_to_string(Path::new(file));
        let text = text.map_err(|error| RolesError(vec![format!("{file} cannot be read: {error}")]))?;
        Self::parse(&text, known)
    }

    /// Parses `[role] description = "…", grants = [{ permissions = ["a.b.*"], scope = "TEAM" }]`. `known` are the
    /// permissions of the contract; a pattern that matches none of them is refused, for it grants less than it seems.
    pub fn parse(toml: &str, known: BTreeSet<String>) -> Result<Self, RolesError> {
        let entries: BTreeMap<String, RoleEntry> = toml::from_str(toml)
            .map_err(|error| RolesError(vec![error.to_string().trim_end().to_owned()]))?;
        let mut faults = Vec::new();
        let mut roles = Self { known, ..Self::default() };
        for (role, entry) in entries {
            for grant in &entry.grants {
                for pattern in &grant.permissions {
                    let matching: Vec<&String> =
                        roles.known.iter().filter(|name| matches(pattern, name)).collect();
                    if matching.is_empty() {
                        faults.push(format!("role {role}: no method of the contract needs {pattern}"));
                    }
                    for permission in matching {
                        let granting = roles.granting.entry(permission.clone()).or_default();
                        let scope = granting.entry(role.clone()).or_insert(grant.scope);
                        *scope = (*scope).max(grant.scope);
                    }
                }
            }
            roles.descriptions.insert(role, entry.description);
        }
        if faults.is_empty() { Ok(roles) } else { Err(RolesError(faults)) }
    }

    /// How far a permission reaches for a caller with these roles; the widest grant wins. `None`: not at all.
    pub fn permission_scope(&self, roles: &[String], permission: &str) -> Option<Scope> {
        widest(self.granting.get(permission)?, roles)
    }

    /// Everything a caller with these roles may do, and by which of them, ordered by permission.
    pub fn grants(&self, roles: &[String]) -> Vec<Grant> {
        let mut grants = Vec::new();
        for (permission, granting) in &self.granting {
            for (role, scope) in granting.iter().filter(|(role, _)| has(roles, role)) {
                grants.push(Grant { permission: permission.clone(), role: role.clone(), scope: *scope });
            }
        }
        grants.sort();
        grants
    }

    /// The roles that grant a permission, by name.
    pub fn roles_granting(&self, permission: &str) -> Vec<(String, Scope)> {
        let granting = self.granting.get(permission).into_iter().flatten();
        granting.map(|(role, scope)| (role.clone(), *scope)).collect()
    }

    /// All roles with what they are for, by name.
    pub fn descriptions(&self) -> impl Iterator<Item = (&str, &str)> {
        self.descriptions.iter().map(|(role, description)| (role.as_str(), description.as_str()))
    }

    /// INVALID_ARGUMENT about `field` unless some method of the contract needs this permission.
    pub fn require_known(&self, field: &str, permission: &str) -> Result<()> {
        if self.known.contains(permission) {
            return Ok(());
        }
        Err(Error::invalid(field, "UNKNOWN_PERMISSION", "is not a permission of any method"))
    }

    /// The permission that reading a resource needs: `accounts/…` → `customers.accounts.get`.
    pub fn get_permission(&self, name: &str) -> Result<String> {
        // Collections are unique suite-wide, and the innermost one says what the resource is.
        let collection = name.rsplit('/').nth(1).unwrap_or_default();
        let ending = format!(".{collection}.get");
        let found =
            self.known.iter().find(|permission| !collection.is_empty() && permission.ends_with(&ending));
        found.cloned().ok_or_else(|| {
            Error::invalid("name", "INVALID_RESOURCE_NAME", "must be the name of a resource that can be read")
        })
    }

    /// The roles that grant a permission, for a look-up that is made on every call.
    pub(crate) fn rule(&self, permission: &str) -> Rule {
        Rule(self.granting.get(permission).cloned().unwrap_or_default())
    }
}

/// Who holds one permission, and how far.
#[derive(Debug)]
pub(crate) struct Rule(BTreeMap<String, Scope>);

impl Rule {
    pub(crate) fn scope(&self, roles: &[String]) -> Option<Scope> {
        widest(&self.0, roles)
    }
}

fn widest(granting: &BTreeMap<String, Scope>, roles: &[String]) -> Option<Scope> {
    let own = roles.iter().filter_map(|role| granting.get(role));
    own.chain(granting.get(EVERYONE)).max().copied()
}

fn has(roles: &[String], role: &str) -> bool {
    role == EVERYONE || roles.iter().any(|own| own == role)
}

/// `a.b.*` and `a.*` stand for any ending; everything else for itself.
fn matches(pattern: &str, permission: &str) -> bool {
    match pattern.strip_suffix(".*") {
        Some(prefix) => permission.strip_prefix(prefix).is_some_and(|rest| rest.starts_with('.')),
        None => pattern == permission,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROLES: &str = r#"
[everyone]
description = "Anybody"
grants = [{ permissions = ["shop.caller.get"], scope = "ALL" }]

[seller]
description = "Sells"
grants = [
  { permissions = ["shop.goods.get", "shop.goods.list"], scope = "TEAM" },
  { permissions = ["shop.goods.*"], scope = "OWN" },
]

[boss]
description = "Answers for all"
grants = [{ permissions = ["shop.*"], scope = "ALL" }]
"#;

    fn known() -> BTreeSet<String> {
        let names =
            ["shop.caller.get", "shop.goods.get", "shop.goods.list", "shop.goods.sell", "shopping.lists.get"];
        names.map(str::to_owned).into()
    }

    fn roles() -> Roles {
        Roles::parse(ROLES, known()).expect("usable roles")
    }

    fn held(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    /// PLT-12: a permission reaches as far as the widest grant of the caller's roles, and no further.
    #[test]
    fn the_widest_scope_wins() {
        let roles = roles();

        assert_eq!(roles.permission_scope(&held(&["seller"]), "shop.goods.get"), Some(Scope::Team));
        assert_eq!(roles.permission_scope(&held(&["seller"]), "shop.goods.sell"), Some(Scope::Own));
        assert_eq!(roles.permission_scope(&held(&["seller", "boss"]), "shop.goods.sell"), Some(Scope::All));
        assert_eq!(roles.permission_scope(&held(&["stranger"]), "shop.goods.get"), None);
        assert_eq!(roles.permission_scope(&[], "shop.caller.get"), Some(Scope::All), "everyone");
        assert_eq!(
            roles.permission_scope(&held(&["boss"]), "shopping.lists.get"),
            None,
            "a prefix ends at a dot"
        );
        assert_eq!(roles.rule("shop.goods.get").scope(&held(&["boss"])), Some(Scope::All));
        assert_eq!(roles.rule("unheard.of").scope(&held(&["boss"])), None);
    }

    #[test]
    fn what_a_caller_may_do_names_the_role() {
        let roles = roles();

        let mine = roles.grants(&held(&["seller"]));
        let listed: Vec<_> =
            mine.iter().map(|grant| (grant.permission.as_str(), grant.role.as_str())).collect();

        let expected = [
            ("shop.caller.get", "everyone"),
            ("shop.goods.get", "seller"),
            ("shop.goods.list", "seller"),
            ("shop.goods.sell", "seller"),
        ];
        assert_eq!(listed, expected);
        let granting = [("boss".to_owned(), Scope::All), ("seller".to_owned(), Scope::Team)];
        assert_eq!(roles.roles_granting("shop.goods.get"), granting);
    }

    #[test]
    fn a_pattern_that_grants_nothing_is_refused_with_all_others() {
        let wrong = r#"
[a]
description = ""
grants = [{ permissions = ["shop.godds.*", "shop.goods.get", "*", "shop.goods.get.*"], scope = "ALL" }]
"#;

        let RolesError(faults) = Roles::parse(wrong, known()).expect_err("three patterns match nothing");

        assert_eq!(faults.len(), 3, "{faults:?}");
        assert!(Roles::parse("[a]\ndescription = \"\"\ngrants = []\nx = 1", known()).is_err(), "unknown key");
        assert!(Roles::load("/nowhere/roles.toml", ROLES, known()).is_err());
        assert!(Roles::load("", ROLES, known()).is_ok());
    }

    #[test]
    fn a_resource_name_leads_to_the_permission_to_read_it() {
        let roles = roles();

        assert_eq!(roles.get_permission("goods/1").expect("known"), "shop.goods.get");
        for wrong in ["", "goods", "/1", "unknown/1"] {
            assert_eq!(roles.get_permission(wrong).expect_err(wrong).reason(), "INVALID_RESOURCE_NAME");
        }
        assert!(roles.require_known("permission", "shop.goods.sell").is_ok());
        assert_eq!(
            roles.require_known("permission", "x").expect_err("unknown").reason(),
            "UNKNOWN_PERMISSION"
        );
    }
}
