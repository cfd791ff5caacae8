//! What XRechnung 3.0 wants beyond the standard, as far as it is about what must be there.

use super::Faults;
use crate::{
    EInvoiceError,
    model::{Address, Invoice, Means, Profile},
};

pub(super) fn check(faults: &mut Faults, invoice: &Invoice) {
    if invoice.profile != Profile::XRECHNUNG {
        return;
    }
    let (seller, buyer) = (&invoice.seller.party, &invoice.buyer);
    let wanted = [
        ("process", invoice.process.is_some()), // PEPPOL-EN16931-R001
        ("means", invoice.means.is_some()),     // BR-DE-1
        ("seller.contact.name", seller.contact.name.is_some()), // BR-DE-2, BR-DE-5
        ("seller.contact.phone", seller.contact.phone.is_some()), // BR-DE-6
        ("seller.contact.email", seller.contact.email.is_some()), // BR-DE-7
        ("buyer_reference", invoice.buyer_reference.is_some()), // BR-DE-15
        ("seller.endpoint", seller.endpoint.is_some()), // PEPPOL-EN16931-R020
        ("buyer.endpoint", buyer.endpoint.is_some()), // PEPPOL-EN16931-R010
        ("means.debit", invoice.means.as_ref().is_none_or(is_collectable)), // BR-DE-25, BR-DE-30, BR-DE-31
    ];
    for (field, is_there) in wanted {
        faults.unless(is_there, field, EInvoiceError::RequiredByProfile);
    }
    check_address(faults, "seller.address", &seller.address); // BR-DE-3, BR-DE-4
    check_address(faults, "buyer.address", &buyer.address); // BR-DE-8, BR-DE-9
    if let Some(address) = &invoice.delivery.address {
        check_address(faults, "delivery.address", address); // BR-DE-10, BR-DE-11
    }
}

/// A debit names creditor and account.
fn is_collectable(means: &Means) -> bool {
    let is_debit = means.code.as_str() == Means::SEPA_DEBIT || !means.debit.is_open();
    !is_debit || means.debit.creditor.is_some() && means.debit.account.is_some()
}

fn check_address(faults: &mut Faults, path: &str, address: &Address) {
    let city = address.city.is_some();
    faults.unless(city, format_args!("{path}.city"), EInvoiceError::RequiredByProfile);
    let postcode = address.postcode.is_some();
    faults.unless(postcode, format_args!("{path}.postcode"), EInvoiceError::RequiredByProfile);
}
