//! How accounts are stored: columns, the fields they are listed by, and what a violated constraint means.

use trato_platform::{
    choice_column, columns,
    db::{Column, Constraint, Tx, from_sqlx},
};
use trato_query::{Field, boolean, choice, integer, member, minor, reference, text};
use trato_types::{Error, Kind as ErrorKind, Ref, Result};

use super::model::{Account, AccountError, Form, Kind, Kinds};

columns!(Account {
    owner,
    team,
    display_name,
    form,
    kinds,
    parent_account,
    legal_name,
    tax_id,
    sector,
    website,
    email_address,
    phone_number,
    address,
    employee_count,
    annual_revenue,
    annual_revenue_currency,
    founding_year,
    description,
});

choice_column!(Form { Company = "COMPANY", Department = "DEPARTMENT" });
choice_column!(Kind { Customer = "CUSTOMER", Supplier = "SUPPLIER", Partner = "PARTNER", Internal = "INTERNAL" });

/// One text, `CUSTOMER,PARTNER`; the schema makes a boolean column of each kind from it, which is what filters use.
impl Column for Kinds {
    type Sql = String;
    const TYPE: &'static str = "text";

    fn to_sql(&self) -> Option<String> {
        Some(self.iter().map(Kind::as_str).collect::<Vec<_>>().join(","))
    }

    fn from_sql(stored: Option<String>) -> Result<Self> {
        let stored = stored.unwrap_or_default();
        let names = stored.split(',').filter(|name| !name.is_empty());
        let kinds = names.map(Kind::from_name).collect::<Option<Self>>();
        kinds.ok_or_else(|| Error::internal("a stored kind of an account is not one of its names"))
    }
}

/// What accounts can be filtered and sorted by.
pub const FIELDS: &[Field] = &[
    text("display_name").sortable().searchable(),
    choice("form", Form::NAMES),
    boolean("customer").column("is_customer"),
    boolean("supplier").column("is_supplier"),
    boolean("partner").column("is_partner"),
    boolean("internal").column("is_internal"),
    reference("parent_account", "accounts").nullable(),
    text("tax_id").nullable(),
    text("sector"),
    text("email_address").nullable(),
    text("phone_number").nullable(),
    text("address.country_code"),
    integer("employee_count").nullable(),
    minor("annual_revenue").nullable(),
    text("annual_revenue.currency_code").column("annual_revenue_currency").nullable(),
    integer("founding_year").nullable(),
    member("owner").nullable(),
    reference("team", "teams").nullable(),
];

/// What the schema refuses.
pub const CONSTRAINTS: &[Constraint] = &[
    Constraint::missing("account_team_fkey", "TEAM_NOT_FOUND", "the team does not exist"),
    Constraint::missing(
        "account_parent_account_fkey",
        "PARENT_ACCOUNT_NOT_FOUND",
        "the parent account does not exist",
    ),
    Constraint::missing(
        "account_parent_account_living",
        "PARENT_ACCOUNT_NOT_FOUND",
        "the parent account is deleted",
    ),
    Constraint {
        name: "account_parent_account_cycle",
        kind: ErrorKind::Precondition,
        reason: "PARENT_ACCOUNT_CYCLE",
        message: "the account would belong to itself",
    },
    Constraint {
        name: "account_parent_account_depth",
        kind: ErrorKind::Precondition,
        reason: "PARENT_ACCOUNT_TOO_DEEP",
        message: "the hierarchy would have more than 20 levels",
    },
    Constraint {
        name: "account_children_living",
        kind: ErrorKind::Precondition,
        reason: "ACCOUNT_HAS_CHILDREN",
        message: "other accounts belong to the account",
    },
];

/// Makes sure that an account is there and not deleted, and stays so until the transaction ends.
pub async fn hold_living(tx: &mut Tx, account: Ref<Account>) -> Result<()> {
    let tenant = tx.cx().tenant;
    sqlx::query("select id from account where tenant_id = $1 and id = $2 and delete_time is null for share")
        .bind(tenant)
        .bind(account.uuid())
        .fetch_optional(tx.connection())
        .await
        .map_err(from_sqlx)?
        .ok_or_else(|| AccountError::NotFound { name: account.name() })?;
    Ok(())
}

/// Whether an account, deleted or not, is a customer; looked at before it is locked, because it mostly is.
pub async fn is_customer(tx: &mut Tx, account: Ref<Account>) -> Result<bool> {
    let tenant = tx.cx().tenant;
    let found: Option<bool> =
        sqlx::query_scalar("select is_customer from account where tenant_id = $1 and id = $2")
            .bind(tenant)
            .bind(account.uuid())
            .fetch_optional(tx.connection())
            .await
            .map_err(from_sqlx)?;
    Ok(found.ok_or_else(|| AccountError::NotFound { name: account.name() })?)
}
