//! Parties and addresses in UBL.

use std::collections::BTreeSet;

use super::SEPA;
use crate::{
    EInvoiceError, Text,
    model::{Address, Contact, Endpoint, Identifier, Party, Payee, Representative, Seller, VatNumber},
    xml::{Element, Fault, Node},
};

/// What UBL calls the tax of VAT numbers.
const VAT: &str = "VAT";
/// What it calls every other tax here.
const OTHER_TAX: &str = "TAX";

pub(super) fn write_id<'a>(name: &'static str, id: &'a Identifier) -> Node<'a> {
    Node::leaf(name, id.value.as_str())
        .attribute_if("schemeID", id.scheme.as_ref().map(|scheme| scheme.as_str()))
}

pub(super) fn write_address<'a>(name: &'static str, address: &'a Address) -> Node<'a> {
    Node::new(name)
        .text_if("cbc:StreetName", address.street.as_ref())
        .text_if("cbc:AdditionalStreetName", address.addition.as_ref())
        .text_if("cbc:CityName", address.city.as_ref())
        .text_if("cbc:PostalZone", address.postcode.as_ref())
        .text_if("cbc:CountrySubentity", address.subdivision.as_ref())
        .add(Node::new("cac:AddressLine").text_if("cbc:Line", address.third_line.as_ref()))
        .add(Node::new("cac:Country").text("cbc:IdentificationCode", address.country.as_str()))
}

fn write_tax_number<'a>(number: &'a str, tax: &'a str) -> Node<'a> {
    Node::new("cac:PartyTaxScheme")
        .text("cbc:CompanyID", number)
        .add(Node::new("cac:TaxScheme").text("cbc:ID", tax))
}

/// A party with what only the seller may have besides.
fn write<'a>(
    party: &'a Party,
    creditor: Option<&'a str>,
    tax_number: Option<&'a Text>,
    legal_form: Option<&'a Text>,
) -> Node<'a> {
    let endpoint = party.endpoint.as_ref().map(|endpoint| {
        Node::leaf("cbc:EndpointID", endpoint.value.as_str()).attribute("schemeID", endpoint.scheme.as_str())
    });
    let ids = party.ids.iter().map(|id| write_id("cbc:ID", id));
    let ids = ids.chain(creditor.map(|id| Node::leaf("cbc:ID", id).attribute("schemeID", SEPA)));
    let entity = Node::new("cac:PartyLegalEntity")
        .text("cbc:RegistrationName", party.name.as_str())
        .add_all(party.registration.as_ref().map(|id| write_id("cbc:CompanyID", id)))
        .text_if("cbc:CompanyLegalForm", legal_form);
    let contact = Node::new("cac:Contact")
        .text_if("cbc:Name", party.contact.name.as_ref())
        .text_if("cbc:Telephone", party.contact.phone.as_ref())
        .text_if("cbc:ElectronicMail", party.contact.email.as_ref());
    Node::new("cac:Party")
        .add_all(endpoint)
        .add_all(ids.map(|id| Node::new("cac:PartyIdentification").add(id)))
        .add(Node::new("cac:PartyName").text_if("cbc:Name", party.trading_name.as_ref()))
        .add(write_address("cac:PostalAddress", &party.address))
        .add_all(party.vat_number.as_ref().map(|number| write_tax_number(number.as_str(), VAT)))
        .add_all(tax_number.map(|number| write_tax_number(number.as_str(), OTHER_TAX)))
        .add(entity)
        .add(contact)
}

pub(super) fn write_seller<'a>(seller: &'a Seller, creditor: Option<&'a str>) -> Node<'a> {
    let party = write(&seller.party, creditor, seller.tax_number.as_ref(), seller.legal_form.as_ref());
    Node::new("cac:AccountingSupplierParty").add(party)
}

pub(super) fn write_buyer(buyer: &Party) -> Node<'_> {
    write(buyer, None, None, None)
}

pub(super) fn write_payee(payee: &Payee) -> Node<'_> {
    let id = payee.id.as_ref().map(|id| write_id("cbc:ID", id));
    let registration = payee.registration.as_ref().map(|id| write_id("cbc:CompanyID", id));
    Node::new("cac:PayeeParty")
        .add(Node::new("cac:PartyIdentification").add_all(id))
        .add(Node::new("cac:PartyName").text("cbc:Name", payee.name.as_str()))
        .add(Node::new("cac:PartyLegalEntity").add_all(registration))
}

pub(super) fn write_representative(one: &Representative) -> Node<'_> {
    Node::new("cac:TaxRepresentativeParty")
        .add(Node::new("cac:PartyName").text("cbc:Name", one.name.as_str()))
        .add(write_address("cac:PostalAddress", &one.address))
        .add(write_tax_number(one.vat_number.as_str(), VAT))
}

pub(super) fn read_id(element: &Element) -> Result<Identifier, Fault> {
    Ok(Identifier { scheme: element.attribute_as("schemeID")?, value: element.parse()? })
}

pub(super) fn read_address(element: &mut Element) -> Result<Address, Fault> {
    Ok(Address {
        street: element.value("cbc:StreetName")?,
        addition: element.value("cbc:AdditionalStreetName")?,
        third_line: element.within("cac:AddressLine", "cbc:Line")?,
        city: element.value("cbc:CityName")?,
        postcode: element.value("cbc:PostalZone")?,
        subdivision: element.value("cbc:CountrySubentity")?,
        country: element.one("cac:Country")?.whole(|country| country.need("cbc:IdentificationCode"))?,
    })
}

/// What a party in UBL says, whatever its role.
pub(super) struct Said {
    party: Party,
    creditor: Option<Text>,
    tax_number: Option<Text>,
    legal_form: Option<Text>,
}

/// Identifiers, and the one that stands for the creditor of a direct debit.
fn read_ids(element: &mut Element) -> Result<(BTreeSet<Identifier>, Option<Text>), Fault> {
    let (mut ids, mut creditor) = (BTreeSet::new(), None);
    for outer in element.all("cac:PartyIdentification") {
        let id = outer.whole(|outer| outer.one("cbc:ID"))?;
        let is_new = if id.attribute("schemeID").is_some_and(|scheme| scheme.eq_ignore_ascii_case(SEPA)) {
            creditor.replace(id.parse()?).is_none()
        } else {
            ids.insert(read_id(&id)?)
        };
        if !is_new {
            return Err(id.fault(EInvoiceError::Repeated));
        }
    }
    Ok((ids, creditor))
}

/// VAT number and other tax number.
fn read_tax_numbers(element: &mut Element) -> Result<(Option<VatNumber>, Option<Text>), Fault> {
    let (mut vat_number, mut other) = (None, None);
    for scheme in element.all("cac:PartyTaxScheme") {
        let (number, tax) = scheme.whole(|scheme| {
            Ok((
                scheme.one("cbc:CompanyID")?,
                scheme.one("cac:TaxScheme")?.whole(|tax| tax.need::<Text>("cbc:ID"))?,
            ))
        })?;
        let is_new = if tax.as_str().eq_ignore_ascii_case(VAT) {
            vat_number.replace(number.parse()?).is_none()
        } else {
            other.replace(number.parse()?).is_none()
        };
        if !is_new {
            return Err(number.fault(EInvoiceError::Repeated));
        }
    }
    Ok((vat_number, other))
}

fn read_contact(element: &mut Element) -> Result<Contact, Fault> {
    Ok(Contact {
        name: element.value("cbc:Name")?,
        phone: element.value("cbc:Telephone")?,
        email: element.value("cbc:ElectronicMail")?,
    })
}

fn read_endpoint(element: &Element) -> Result<Endpoint, Fault> {
    Ok(Endpoint { scheme: element.attribute_need("schemeID")?, value: element.parse()? })
}

pub(super) fn read(element: &mut Element) -> Result<Said, Fault> {
    let endpoint = element.some("cbc:EndpointID")?.map(|endpoint| read_endpoint(&endpoint)).transpose()?;
    let (ids, creditor) = read_ids(element)?;
    let (vat_number, tax_number) = read_tax_numbers(element)?;
    let (name, registration, legal_form) = element.one("cac:PartyLegalEntity")?.whole(|entity| {
        let registration = entity.some("cbc:CompanyID")?.map(|id| read_id(&id)).transpose()?;
        Ok((entity.need("cbc:RegistrationName")?, registration, entity.value("cbc:CompanyLegalForm")?))
    })?;
    let party = Party {
        name,
        trading_name: element.within("cac:PartyName", "cbc:Name")?,
        ids,
        registration,
        vat_number,
        endpoint,
        address: element.one("cac:PostalAddress")?.whole(read_address)?,
        contact: element.group("cac:Contact", read_contact)?.unwrap_or_default(),
    };
    Ok(Said { party, creditor, tax_number, legal_form })
}

/// The seller, and the creditor of a direct debit.
pub(super) fn read_seller(element: Element) -> Result<(Seller, Option<Text>), Fault> {
    let said = element.whole(|supplier| supplier.one("cac:Party")?.whole(read))?;
    let seller = Seller { party: said.party, tax_number: said.tax_number, legal_form: said.legal_form };
    Ok((seller, said.creditor))
}

pub(super) fn read_buyer(element: Element) -> Result<Party, Fault> {
    let unsupported = element.fault(EInvoiceError::NotSupported);
    let said = element.whole(|customer| customer.one("cac:Party")?.whole(read))?;
    let is_plain = said.creditor.is_none() && said.tax_number.is_none() && said.legal_form.is_none();
    if is_plain { Ok(said.party) } else { Err(unsupported) }
}

/// The payee, and the creditor of a direct debit.
pub(super) fn read_payee(element: &mut Element) -> Result<(Payee, Option<Text>), Fault> {
    let (ids, creditor) = read_ids(element)?;
    let mut ids = ids.into_iter();
    let payee = Payee {
        name: element.one("cac:PartyName")?.whole(|name| name.need("cbc:Name"))?,
        id: ids.next(),
        registration: element
            .group("cac:PartyLegalEntity", |entity| read_id(&entity.one("cbc:CompanyID")?))?,
    };
    match ids.next() {
        Some(_) => Err(element.fault(EInvoiceError::Repeated)),
        None => Ok((payee, creditor)),
    }
}

pub(super) fn read_representative(element: &mut Element) -> Result<Representative, Fault> {
    let (vat_number, other) = read_tax_numbers(element)?;
    let Some(vat_number) = vat_number.filter(|_| other.is_none()) else {
        return Err(element.fault(EInvoiceError::InvalidVatNumber));
    };
    Ok(Representative {
        name: element.one("cac:PartyName")?.whole(|name| name.need("cbc:Name"))?,
        vat_number,
        address: element.one("cac:PostalAddress")?.whole(read_address)?,
    })
}
