//! How price lists are stored: columns, fields to filter by, and the constraints that speak to clients.

use trato_platform::{choice_column, columns, db::Constraint, json_column};
use trato_query::{Field, boolean, choice, date, integer, text};

use super::{
    audience::Audience,
    model::{Inclusion, PriceList},
};

columns!(PriceList { display_name, currency, prices, start_date, end_date, audience, priority, is_default });

choice_column!(Inclusion { Net = "NET", TaxInclusive = "TAX_INCLUSIVE" });

json_column!(Audience);

/// Fields to filter and sort by.
pub const FIELDS: &[Field] = &[
    text("display_name").sortable().searchable(),
    text("currency_code").column("currency"),
    choice("prices", Inclusion::NAMES),
    date("start_date").nullable(),
    date("end_date").nullable(),
    integer("priority"),
    boolean("is_default"),
];

/// What a violated constraint tells the client.
pub const CONSTRAINTS: &[Constraint] = &[
    Constraint::taken(
        "price_list_display_name_key",
        "PRICE_LIST_NAME_TAKEN",
        "another price list has this name",
    ),
    Constraint::taken(
        "price_list_is_default_key",
        "DEFAULT_TAKEN",
        "another price list is the default of the currency",
    ),
];
