//! The parties of a document as clients get them.

use trato_proto::sales::v1 as pb;

use super::model::{Issuer, Recipient, TaxId};

/// Who makes it out, on the wire.
pub fn render_issuer(issuer: &Issuer) -> pb::Issuer {
    pb::Issuer {
        legal_name: issuer.legal_name.clone(),
        tax_ids: issuer.tax_ids.iter().map(render_tax_id).collect(),
        address: issuer.address.clone().map(Into::into),
        document_footer: issuer.document_footer.clone(),
        logo_hash: issuer.logo.clone().unwrap_or_default(),
    }
}

/// Who gets it, on the wire.
pub fn render_recipient(recipient: &Recipient) -> pb::Recipient {
    pb::Recipient {
        display_name: recipient.name.clone(),
        tax_id: recipient.tax_id.clone(),
        address: recipient.address.clone().map(Into::into),
    }
}

fn render_tax_id(tax_id: &TaxId) -> pb::issuer::TaxId {
    pb::issuer::TaxId {
        country_code: tax_id.country_code.clone(),
        scheme: tax_id.scheme.clone(),
        value: tax_id.value.clone(),
    }
}
