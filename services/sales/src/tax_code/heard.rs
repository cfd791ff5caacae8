//! A tax code of billing's contract, as sales keeps it.

use trato_platform::events::Event;
use trato_pricing::TaxCategory;
use trato_proto::{
    billing::v1::{
        TaxCode as TaxCodeMessage,
        tax_code::{Category, Rate as RateMessage},
    },
    wire,
};
use trato_types::{Error, Ref, Result};

use super::{
    model::{Rate, TaxCode},
    store::Known,
};
use crate::foreign;

/// Reads what an event says of a tax code. What billing has published is valid, so a failure is a defect.
pub fn read(event: &Event) -> Result<Known> {
    let message: TaxCodeMessage = event.resource()?;
    let delete_time = message.delete_time.as_ref().map(wire::parse_timestamp).transpose();
    Ok(Known {
        id: Ref::<foreign::TaxCode>::parse(&message.name).map_err(Error::internal)?.uuid(),
        revision: event.revision,
        delete_time: delete_time.map_err(Error::internal)?,
        value: TaxCode {
            category: category(message.category())?,
            rates: message.rates.iter().map(rate).collect::<Result<_>>()?,
            code: message.code,
            tax: message.tax,
            inclusive_allowed: message.inclusive_allowed,
            legal_note: message.legal_note,
        },
    })
}

fn category(category: Category) -> Result<Option<TaxCategory>> {
    Ok(Some(match category {
        Category::Standard | Category::Reduced => TaxCategory::Standard,
        Category::Zero => TaxCategory::Zero,
        Category::Exempt => TaxCategory::Exempt,
        Category::ReverseCharge => TaxCategory::ReverseCharge,
        Category::IntraCommunity => TaxCategory::IntraCommunity,
        Category::Export => TaxCategory::Export,
        Category::NotSubject => TaxCategory::NotSubject,
        Category::CanaryIslands => TaxCategory::CanaryIslands,
        Category::CeutaAndMelilla => TaxCategory::CeutaAndMelilla,
        Category::Withholding => return Ok(None),
        Category::Unspecified => return Err(Error::internal("a tax code has no category that is known")),
    }))
}

fn rate(message: &RateMessage) -> Result<Rate> {
    let until = message.valid_to.as_ref().map(wire::parse_date).transpose();
    Ok(Rate {
        percent: message.percent.parse().map_err(Error::internal)?,
        from: wire::require_date(message.valid_from.as_ref()).map_err(Error::internal)?,
        until: until.map_err(Error::internal)?,
    })
}
