//! How products are stored: columns, fields to filter by, and the constraints that speak to clients.

use trato_platform::{choice_column, columns, db::Constraint};
use trato_query::{Field, boolean, choice, minor, text};

use super::model::{Kind, Product};

columns!(Product {
    display_name,
    sku,
    series,
    kind,
    list_price,
    currency,
    sellable,
    purchasable,
    description,
});

choice_column!(Kind { Good = "GOOD", Service = "SERVICE" });

/// Fields to filter and sort by.
pub const FIELDS: &[Field] = &[
    text("display_name").sortable().searchable(),
    text("sku").nullable().searchable(),
    text("series"),
    choice("kind", Kind::NAMES),
    minor("list_price").nullable(),
    boolean("sellable"),
    boolean("purchasable"),
];

/// What a violated constraint tells the client.
pub const CONSTRAINTS: &[Constraint] = &[
    Constraint::taken("product_display_name_key", "PRODUCT_NAME_TAKEN", "another product has this name"),
    Constraint::taken("product_sku_key", "SKU_TAKEN", "another product has this stock-keeping unit"),
];
