//! Parents of child lists: each must be there, and visible to the caller by the permission to read it. The permission to
//! list its children may reach further or less far, so that scope is not asked.

use std::sync::Arc;

use trato_platform::{
    App, access::roles::Roles, db::Resource, directory::Directory, rpc::Caller, standard::Store,
};
use trato_types::{Context, Error, Result, Scope};
use uuid::Uuid;

use crate::{account::Account, contact::Contact};

/// Looks parents up.
pub struct Parents {
    accounts: Store<Account>,
    contacts: Store<Contact>,
    directory: Arc<Directory>,
    roles: Arc<Roles>,
}

impl Parents {
    /// Parents in the app's database.
    pub fn new(app: &App) -> Self {
        Self {
            accounts: Store::new(&app.database),
            contacts: Store::new(&app.database),
            directory: app.directory.clone(),
            roles: app.roles.clone(),
        }
    }

    /// The account a caller named as a parent; NOT_FOUND when the caller cannot read it.
    pub async fn require_account(&self, caller: &Caller, cx: &Context, name: &str) -> Result<Uuid> {
        self.require(&self.accounts, caller, cx, name).await
    }

    /// The contact a caller named as a parent; NOT_FOUND when the caller cannot read it.
    pub async fn require_contact(&self, caller: &Caller, cx: &Context, name: &str) -> Result<Uuid> {
        self.require(&self.contacts, caller, cx, name).await
    }

    async fn require<T: Resource>(
        &self,
        store: &Store<T>,
        caller: &Caller,
        cx: &Context,
        name: &str,
    ) -> Result<Uuid> {
        T::parse_name(name).map_err(|error| {
            let form = error.violations().first().map(|violation| violation.description.clone());
            Error::invalid("parent", "INVALID_RESOURCE_NAME", form.unwrap_or_default())
        })?;
        let permission = self.roles.get_permission(name)?;
        let scope = self.roles.permission_scope(&caller.identity.roles, &permission);
        let scope = scope.ok_or_else(|| Error::not_found(name))?;
        let teams = match scope {
            Scope::Team => self.directory.teams(cx.tenant, &caller.identity.subject).await?,
            Scope::Own | Scope::All => Arc::default(),
        };
        let reader = Context { scope, teams, ..cx.clone() };
        Ok(store.read(&reader, name).await?.id)
    }
}
