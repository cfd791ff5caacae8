//! How prices are stored: columns, fields to filter by, and the constraints that speak to clients.

use trato_platform::{columns, db::Constraint};
use trato_query::{Field, reference};
use trato_types::Kind;

use super::model::Price;

columns!(Price { price_list, product, min_quantity, unit_price, per });

/// Fields to filter and sort by.
pub const FIELDS: &[Field] = &[reference("price_list", "priceLists"), reference("product", "products")];

/// What a violated constraint tells the client.
pub const CONSTRAINTS: &[Constraint] = &[
    Constraint::taken(
        "price_break_key",
        "PRICE_BREAK_TAKEN",
        "the list has a price of the product from this quantity on",
    ),
    Constraint::missing("price_price_list_fkey", "PRICE_LIST_NOT_FOUND", "the price list does not exist"),
    Constraint::missing("price_product_fkey", "PRODUCT_NOT_FOUND", "the product does not exist"),
    Constraint {
        name: "price_price_list_living",
        kind: Kind::Precondition,
        reason: "PRICE_LIST_DELETED",
        message: "the price list is deleted",
    },
    Constraint {
        name: "price_product_living",
        kind: Kind::Precondition,
        reason: "PRODUCT_DELETED",
        message: "the product is deleted",
    },
];
