//! Who sells and who buys, in the terms of the standard.

use trato_einvoice::{Address, Country, Identifier, Party, Seller, VatNumber};

use super::missing::Missing;
use crate::{invoice, legal_entity};

/// Countries whose VAT numbers begin with them, and are often told without.
const UNION: [&str; 27] = [
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IT", "LT",
    "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK",
];

/// What a scheme of tax ids is called that gives VAT numbers.
const VAT: &str = "VAT";

/// Who sells. What it is known by is a VAT number or another number for taxes.
pub fn seller(seller: &legal_entity::Seller, missing: &mut Missing) -> Option<Seller> {
    let name = missing.require("BT-27 legal_entity.legal_name", Some(&seller.legal_name));
    let address = address(seller.address.as_ref(), "BR-09 legal_entity.address.country_code", missing);
    let mut vat_numbers = seller
        .tax_ids
        .iter()
        .filter(|id| id.scheme == VAT)
        .filter_map(|id| vat_number(&id.value, &id.country_code));
    let vat_number = vat_numbers.next();
    let other = seller.tax_ids.iter().find(|id| id.scheme != VAT);
    let tax_number = other.and_then(|id| missing.optional("BT-32 legal_entity.tax_ids", &id.value));
    let address = address?;
    let mut party = Party::new(name?, address.country);
    (party.address, party.vat_number) = (address, vat_number);
    if party.vat_number.is_none() {
        // Somebody who is in no register for VAT is known by what else there is (BR-CO-26).
        party.registration = tax_number.clone().map(|value| Identifier { scheme: None, value });
    }
    Some(Seller {
        party,
        tax_number,
        legal_form: missing.optional("BT-33 document_footer", &one_line(seller)),
    })
}

/// The foot says what the law wants to be told of a company.
fn one_line(seller: &legal_entity::Seller) -> String {
    seller.document_footer.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Who buys. A number that is none for VAT is one of a register.
pub fn buyer(buyer: &invoice::Party, missing: &mut Missing) -> Option<Party> {
    let name = missing.require("BT-44 bill_to.display_name", Some(&buyer.display_name));
    let address = address(buyer.address.as_ref(), "BR-11 bill_to.address.country_code", missing)?;
    let mut party = Party::new(name?, address.country);
    party.vat_number = vat_number(&buyer.tax_id, address.country.as_str());
    if party.vat_number.is_none() {
        let value = missing.optional("BT-47 bill_to.tax_id", &buyer.tax_id);
        party.registration = value.map(|value| Identifier { scheme: None, value });
    }
    party.address = address;
    Some(party)
}

/// A VAT number, with its country where that was left out.
fn vat_number(text: &str, country: &str) -> Option<VatNumber> {
    let bare: String = text.chars().filter(|letter| !matches!(letter, ' ' | '-' | '.')).collect();
    let own: Option<VatNumber> = bare.parse().ok();
    if own.is_some() || !UNION.contains(&country) || bare.is_empty() {
        return own;
    }
    let prefix = if country == "GR" { "EL" } else { country };
    format!("{prefix}{bare}").parse().ok()
}

fn address(address: Option<&trato_types::Address>, what: &str, missing: &mut Missing) -> Option<Address> {
    let country: Option<Country> = address.and_then(|address| address.country_code.parse().ok());
    let country = missing.keep(what, country)?;
    let given = address?;
    let mut lines = given.lines.iter();
    let mut text = |what: &str, text: &str| missing.optional(what, text);
    let mut address = Address::new(country);
    address.street = lines.next().and_then(|line| text("BT-35 address.lines", line));
    address.addition = lines.next().and_then(|line| text("BT-36 address.lines", line));
    let rest: Vec<&str> = lines.map(String::as_str).collect();
    address.third_line = text("BT-162 address.lines", &rest.join(", "));
    address.city = text("BT-37 address.locality", &given.locality);
    address.postcode = text("BT-38 address.postal_code", &given.postal_code);
    address.subdivision = text("BT-39 address.region", &given.region);
    Some(address)
}
