//! Legal entities by billing's contract and accounts by customers', as sales keeps them.

use chrono_tz::Tz;
use trato_platform::events::Event;
use trato_proto::{
    billing::v1::{LegalEntity, legal_entity},
    customers::v1::Account,
    wire,
};
use trato_types::{Address, Error, Ref, Result};

use super::{
    model::{Issuer, Recipient, TaxId},
    store::{KnownLegalEntity, KnownRecipient},
};
use crate::foreign;

/// Reads what an event says of a legal entity. What billing has published is valid, so a failure is a defect.
pub fn read_legal_entity(event: &Event) -> Result<KnownLegalEntity> {
    let message: LegalEntity = event.resource()?;
    let delete_time = message.delete_time.as_ref().map(wire::parse_timestamp).transpose();
    let time_zone = Some(message.time_zone).filter(|zone| !zone.is_empty());
    let time_zone = time_zone.map(|zone| zone.parse::<Tz>()).transpose();
    Ok(KnownLegalEntity {
        id: Ref::<foreign::LegalEntity>::parse(&message.name).map_err(Error::internal)?.uuid(),
        revision: event.revision,
        delete_time: delete_time.map_err(Error::internal)?,
        issuer: Issuer {
            legal_name: message.legal_name,
            tax_ids: message.tax_ids.into_iter().map(tax_id).collect(),
            address: message.address.map(Address::from),
            document_footer: message.document_footer,
            logo: Some(message.logo_hash).filter(|hash| !hash.is_empty()),
        },
        time_zone: time_zone.map_err(|error| Error::internal(error.to_string()))?,
    })
}

/// Reads what an event says of an account. What customers has published is valid, so a failure is a defect.
pub fn read_recipient(event: &Event) -> Result<KnownRecipient> {
    let message: Account = event.resource()?;
    let name = if message.legal_name.is_empty() { message.display_name } else { message.legal_name };
    Ok(KnownRecipient {
        id: Ref::<foreign::Account>::parse(&message.name).map_err(Error::internal)?.uuid(),
        revision: event.revision,
        recipient: Recipient { name, tax_id: message.tax_id, address: message.address.map(Address::from) },
    })
}

fn tax_id(message: legal_entity::TaxId) -> TaxId {
    TaxId { country_code: message.country_code, scheme: message.scheme, value: message.value }
}
