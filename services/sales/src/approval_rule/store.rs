//! How approval rules are stored: columns, fields to filter by; and the ones that are asked.

use sqlx::Row as _;
use trato_platform::{
    columns,
    db::{Columns as _, Constraint, Tx, from_sqlx},
};
use trato_query::{Field, boolean, integer, member, minor, reference, text};
use trato_types::{Error, Id, Kind, Result};

use super::model::ApprovalRule;

/// Most rules that are asked.
const MAX_RULES: usize = 200;

columns!(ApprovalRule {
    display_name,
    description,
    disabled,
    min_net,
    currency,
    min_discount_percent,
    max_margin_percent,
    approver,
    approver_team,
    sequence,
});

/// Fields to filter and sort by.
pub const FIELDS: &[Field] = &[
    text("display_name").sortable().searchable(),
    boolean("disabled"),
    minor("min_net").nullable(),
    text("min_net.currency_code").column("currency").nullable(),
    member("approver").nullable(),
    reference("approver_team", "teams").nullable(),
    integer("sequence"),
];

/// Nothing that one rule says speaks against another.
pub const CONSTRAINTS: &[Constraint] = &[];

/// The rules that are asked, in their order. FAILED_PRECONDITION `TOO_MANY_RULES` for more than 200: none is left out silently.
pub async fn find(tx: &mut Tx) -> Result<Vec<(Id<ApprovalRule>, ApprovalRule)>> {
    let tenant = tx.cx().tenant;
    let limit = i64::try_from(MAX_RULES).unwrap_or(i64::MAX).saturating_add(1);
    let rows = sqlx::query(include_str!("../../sql/find_approval_rules.sql"))
        .bind(tenant)
        .bind(limit)
        .fetch_all(tx.connection())
        .await
        .map_err(from_sqlx)?;
    if rows.len() > MAX_RULES {
        let message = format!("more than {MAX_RULES} approval rules are to be asked");
        return Err(Error::new(Kind::Precondition, "TOO_MANY_RULES", message).with("most", MAX_RULES));
    }
    let rules = rows.iter().map(|row| {
        let id = row.try_get(0).map_err(from_sqlx)?;
        Ok((Id::from_uuid(id), ApprovalRule::read(row, 1)?))
    });
    rules.collect()
}
