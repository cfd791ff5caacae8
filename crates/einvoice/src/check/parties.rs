//! Who must be known by which number: BR-CO-26, BR-17, the rules -02 to -04 of each category, BR-IC-11 and BR-IC-12.

use trato_pricing::TaxCategory;

use super::Faults;
use crate::{EInvoiceError, model::Invoice};

pub(super) fn check(faults: &mut Faults, invoice: &Invoice) {
    let seller = &invoice.seller.party;
    let is_identified =
        !seller.ids.is_empty() || seller.registration.is_some() || seller.vat_number.is_some();
    faults.unless(is_identified, "seller", EInvoiceError::SellerUnidentified);
    faults.unless(invoice.buyer.ids.len() <= 1, "buyer.ids", EInvoiceError::IdentifierRepeated);
    if let Some(payee) = &invoice.payee {
        let is_seller = payee.name == seller.name
            || Some(&payee.name) == seller.trading_name.as_ref()
            || payee.id.as_ref().is_some_and(|id| seller.ids.contains(id));
        faults.unless(!is_seller, "payee", EInvoiceError::PayeeIsSeller);
    }
    check_tax_numbers(faults, invoice);
    check_delivery(faults, invoice);
}

/// True when something is taxed in one of these categories.
fn has(invoice: &Invoice, categories: &[TaxCategory]) -> bool {
    let of_document = invoice.allowances.iter().chain(&invoice.charges).map(|one| one.vat);
    let mut all = invoice.lines.iter().map(|line| line.vat).chain(of_document);
    all.any(|vat| categories.contains(&vat.category))
}

fn check_tax_numbers(faults: &mut Faults, invoice: &Invoice) {
    let vat_number = invoice.seller.party.vat_number.is_some() || invoice.representative.is_some();
    let any_number = vat_number || invoice.seller.tax_number.is_some();
    let taxed = [
        TaxCategory::Standard,
        TaxCategory::Zero,
        TaxCategory::Exempt,
        TaxCategory::ReverseCharge,
        TaxCategory::CanaryIslands,
        TaxCategory::CeutaAndMelilla,
    ];
    let abroad = [TaxCategory::IntraCommunity, TaxCategory::Export];
    let suffices = (any_number || !has(invoice, &taxed)) && (vat_number || !has(invoice, &abroad));
    faults.unless(suffices, "seller.vat_number", EInvoiceError::TaxNumberMissing);

    let buyer = &invoice.buyer;
    let is_business = buyer.vat_number.is_some() || buyer.registration.is_some();
    let suffices = (is_business || !has(invoice, &[TaxCategory::ReverseCharge]))
        && (buyer.vat_number.is_some() || !has(invoice, &[TaxCategory::IntraCommunity]));
    faults.unless(suffices, "buyer.vat_number", EInvoiceError::TaxNumberMissing);

    if has(invoice, &[TaxCategory::NotSubject]) {
        for (field, is_there) in [
            ("seller.vat_number", invoice.seller.party.vat_number.is_some()),
            ("representative", invoice.representative.is_some()),
            ("buyer.vat_number", buyer.vat_number.is_some()),
        ] {
            faults.unless(!is_there, field, EInvoiceError::TaxNumberUnsuited);
        }
    }
}

fn check_delivery(faults: &mut Faults, invoice: &Invoice) {
    if has(invoice, &[TaxCategory::IntraCommunity]) {
        let has_day = invoice.delivery.date.is_some() || !invoice.period.is_open();
        faults.unless(has_day, "delivery.date", EInvoiceError::DeliveryDateMissing);
        let has_country = invoice.delivery.address.is_some();
        faults.unless(has_country, "delivery.address", EInvoiceError::DeliveryCountryMissing);
    }
}
