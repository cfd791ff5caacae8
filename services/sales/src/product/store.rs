//! How products are stored: columns, fields to filter by, and the constraints that speak to clients.

use trato_platform::{choice_column, columns, db::Constraint, json_column, parsed_column};
use trato_query::{Field, boolean, choice, date, minor, text};
use trato_types::Kind as ErrorKind;

use super::{
    attributes::Attributes,
    bundle::Components,
    model::{Kind, Product, UnitCode},
    options::OptionGroups,
};

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
    unit_code,
    tax_class,
    cost,
    cost_currency,
    category,
    stocked,
    attributes,
    start_date,
    end_date,
    components,
    option_groups,
});

choice_column!(Kind { Good = "GOOD", Service = "SERVICE" });

json_column!(Attributes, Components, OptionGroups);

parsed_column!(UnitCode);

/// Fields to filter and sort by.
pub const FIELDS: &[Field] = &[
    text("display_name").sortable().searchable(),
    text("sku").nullable().searchable(),
    text("series"),
    choice("kind", Kind::NAMES),
    minor("list_price").nullable(),
    boolean("sellable"),
    boolean("purchasable"),
    text("unit_code"),
    text("tax_class"),
    text("category").sortable().searchable(),
    boolean("stocked"),
    date("start_date").nullable(),
    date("end_date").nullable(),
];

/// What a violated constraint tells the client.
pub const CONSTRAINTS: &[Constraint] = &[
    Constraint::taken("product_display_name_key", "PRODUCT_NAME_TAKEN", "another product has this name"),
    Constraint::taken("product_sku_key", "SKU_TAKEN", "another product has this stock-keeping unit"),
    Constraint::missing(
        "product_component_component_fkey",
        "COMPONENT_NOT_FOUND",
        "a component does not exist",
    ),
    Constraint::missing("product_components_living", "COMPONENT_NOT_FOUND", "a component is deleted"),
    Constraint {
        name: "product_components_circle",
        kind: ErrorKind::Precondition,
        reason: "BUNDLE_CYCLE",
        message: "the product would be within itself",
    },
    Constraint {
        name: "product_components_size",
        kind: ErrorKind::Precondition,
        reason: "BUNDLE_TOO_LARGE",
        message: "more than 10,000 components would be within one another",
    },
    Constraint {
        name: "product_components_depth",
        kind: ErrorKind::Precondition,
        reason: "BUNDLE_TOO_DEEP",
        message: "bundles would be within one another more than 8 deep",
    },
    Constraint {
        name: "product_in_bundle",
        kind: ErrorKind::Precondition,
        reason: "IN_BUNDLE",
        message: "the product is a component of a living one",
    },
];
