//! Parties and addresses in CII.

use std::collections::BTreeSet;

use crate::{
    EInvoiceError, Text,
    model::{
        Address, Contact, Delivery, Endpoint, Identifier, Party, Payee, Representative, Seller, VatNumber,
    },
    xml::{Element, Fault, Node},
};

/// What CII calls VAT numbers.
const VAT: &str = "VA";
/// What it calls other tax numbers.
const OTHER_TAX: &str = "FC";

fn write_registration<'a>(id: &'a Identifier) -> Node<'a> {
    Node::leaf("ram:ID", id.value.as_str())
        .attribute_if("schemeID", id.scheme.as_ref().map(|scheme| scheme.as_str()))
}

/// Those without a scheme, then those with one.
fn write_ids<'a>(ids: impl Iterator<Item = &'a Identifier>) -> impl Iterator<Item = Node<'a>> {
    ids.map(|id| match &id.scheme {
        None => Node::leaf("ram:ID", id.value.as_str()),
        Some(scheme) => Node::leaf("ram:GlobalID", id.value.as_str()).attribute("schemeID", scheme.as_str()),
    })
}

fn write_address(address: &Address) -> Node<'_> {
    Node::new("ram:PostalTradeAddress")
        .text_if("ram:PostcodeCode", address.postcode.as_ref())
        .text_if("ram:LineOne", address.street.as_ref())
        .text_if("ram:LineTwo", address.addition.as_ref())
        .text_if("ram:LineThree", address.third_line.as_ref())
        .text_if("ram:CityName", address.city.as_ref())
        .text("ram:CountryID", address.country.as_str())
        .text_if("ram:CountrySubDivisionName", address.subdivision.as_ref())
}

fn write_tax_number<'a>(number: &'a str, scheme: &'static str) -> Node<'a> {
    Node::new("ram:SpecifiedTaxRegistration").add(Node::leaf("ram:ID", number).attribute("schemeID", scheme))
}

fn write_contact(contact: &Contact) -> Node<'_> {
    let phone = Node::new("ram:TelephoneUniversalCommunication")
        .text_if("ram:CompleteNumber", contact.phone.as_ref());
    let email = Node::new("ram:EmailURIUniversalCommunication").text_if("ram:URIID", contact.email.as_ref());
    Node::new("ram:DefinedTradeContact")
        .text_if("ram:PersonName", contact.name.as_ref())
        .add(phone)
        .add(email)
}

/// A party with what only the seller may have besides.
fn write<'a>(
    name: &'static str,
    party: &'a Party,
    tax_number: Option<&'a Text>,
    legal_form: Option<&'a Text>,
) -> Node<'a> {
    let organization = Node::new("ram:SpecifiedLegalOrganization")
        .add_all(party.registration.as_ref().map(write_registration))
        .text_if("ram:TradingBusinessName", party.trading_name.as_ref());
    let endpoint = party.endpoint.as_ref().map(|endpoint| {
        Node::leaf("ram:URIID", endpoint.value.as_str()).attribute("schemeID", endpoint.scheme.as_str())
    });
    Node::new(name)
        .add_all(write_ids(party.ids.iter()))
        .text("ram:Name", party.name.as_str())
        .text_if("ram:Description", legal_form)
        .add(organization)
        .add(write_contact(&party.contact))
        .add(write_address(&party.address))
        .add(Node::new("ram:URIUniversalCommunication").add_all(endpoint))
        .add_all(party.vat_number.as_ref().map(|number| write_tax_number(number.as_str(), VAT)))
        .add_all(tax_number.map(|number| write_tax_number(number.as_str(), OTHER_TAX)))
}

pub(super) fn write_seller(seller: &Seller) -> Node<'_> {
    let (number, form) = (seller.tax_number.as_ref(), seller.legal_form.as_ref());
    write("ram:SellerTradeParty", &seller.party, number, form)
}

pub(super) fn write_buyer(buyer: &Party) -> Node<'_> {
    write("ram:BuyerTradeParty", buyer, None, None)
}

pub(super) fn write_payee(payee: &Payee) -> Node<'_> {
    let registration = payee.registration.as_ref().map(write_registration);
    Node::new("ram:PayeeTradeParty")
        .add_all(write_ids(payee.id.iter()))
        .text("ram:Name", payee.name.as_str())
        .add(Node::new("ram:SpecifiedLegalOrganization").add_all(registration))
}

pub(super) fn write_representative(one: &Representative) -> Node<'_> {
    Node::new("ram:SellerTaxRepresentativeTradeParty")
        .text("ram:Name", one.name.as_str())
        .add(write_address(&one.address))
        .add(write_tax_number(one.vat_number.as_str(), VAT))
}

pub(super) fn write_recipient(delivery: &Delivery) -> Node<'_> {
    Node::new("ram:ShipToTradeParty")
        .add_all(write_ids(delivery.location.iter()))
        .text_if("ram:Name", delivery.name.as_ref())
        .add_all(delivery.address.as_ref().map(write_address))
}

fn read_registration(element: &Element) -> Result<Identifier, Fault> {
    Ok(Identifier { scheme: element.attribute_as("schemeID")?, value: element.parse()? })
}

fn read_ids(element: &mut Element) -> Result<BTreeSet<Identifier>, Fault> {
    let mut ids = BTreeSet::new();
    for id in element.all("ram:ID").into_iter().chain(element.all("ram:GlobalID")) {
        // Only the global ones have a scheme.
        let scheme = if id.name() == "ram:GlobalID" { Some(id.attribute_need("schemeID")?) } else { None };
        if !ids.insert(Identifier { scheme, value: id.parse()? }) {
            return Err(id.fault(EInvoiceError::Repeated));
        }
    }
    Ok(ids)
}

/// At most one identifier.
fn read_only_id(element: &mut Element) -> Result<Option<Identifier>, Fault> {
    let mut ids = read_ids(element)?.into_iter();
    match (ids.next(), ids.next()) {
        (_, Some(_)) => Err(element.fault(EInvoiceError::Repeated)),
        (id, None) => Ok(id),
    }
}

pub(super) fn read_address(element: &mut Element) -> Result<Address, Fault> {
    Ok(Address {
        street: element.value("ram:LineOne")?,
        addition: element.value("ram:LineTwo")?,
        third_line: element.value("ram:LineThree")?,
        city: element.value("ram:CityName")?,
        postcode: element.value("ram:PostcodeCode")?,
        subdivision: element.value("ram:CountrySubDivisionName")?,
        country: element.need("ram:CountryID")?,
    })
}

/// VAT number and other tax number.
fn read_tax_numbers(element: &mut Element) -> Result<(Option<VatNumber>, Option<Text>), Fault> {
    let (mut vat_number, mut other) = (None, None);
    for number in element.groups("ram:SpecifiedTaxRegistration", |one| one.one("ram:ID"))? {
        let is_new = match number.attribute("schemeID") {
            Some(VAT) => vat_number.replace(number.parse()?).is_none(),
            Some(OTHER_TAX) => other.replace(number.parse()?).is_none(),
            _ => return Err(number.fault(EInvoiceError::UnknownCode)),
        };
        if !is_new {
            return Err(number.fault(EInvoiceError::Repeated));
        }
    }
    Ok((vat_number, other))
}

fn read_contact(element: &mut Element) -> Result<Contact, Fault> {
    // The standard has one term for person and department.
    let (person, department) = (element.value("ram:PersonName")?, element.value("ram:DepartmentName")?);
    if person.is_some() && department.is_some() {
        return Err(element.fault(EInvoiceError::Repeated));
    }
    Ok(Contact {
        name: person.or(department),
        phone: element.within("ram:TelephoneUniversalCommunication", "ram:CompleteNumber")?,
        email: element.within("ram:EmailURIUniversalCommunication", "ram:URIID")?,
    })
}

pub(super) fn read_seller(element: &mut Element) -> Result<Seller, Fault> {
    let organization = element.group("ram:SpecifiedLegalOrganization", |organization| {
        let registration = organization.some("ram:ID")?.map(|id| read_registration(&id)).transpose()?;
        Ok((registration, organization.value("ram:TradingBusinessName")?))
    })?;
    let (registration, trading_name) = organization.unwrap_or_default();
    let endpoint = element.group("ram:URIUniversalCommunication", |address| {
        let address = address.one("ram:URIID")?;
        Ok(Endpoint { scheme: address.attribute_need("schemeID")?, value: address.parse()? })
    })?;
    let (vat_number, tax_number) = read_tax_numbers(element)?;
    let party = Party {
        name: element.need("ram:Name")?,
        trading_name,
        ids: read_ids(element)?,
        registration,
        vat_number,
        endpoint,
        address: element.one("ram:PostalTradeAddress")?.whole(read_address)?,
        contact: element.group("ram:DefinedTradeContact", read_contact)?.unwrap_or_default(),
    };
    Ok(Seller { party, tax_number, legal_form: element.value("ram:Description")? })
}

pub(super) fn read_buyer(element: &mut Element) -> Result<Party, Fault> {
    let buyer = read_seller(element)?;
    let is_plain = buyer.tax_number.is_none() && buyer.legal_form.is_none();
    if is_plain { Ok(buyer.party) } else { Err(element.fault(EInvoiceError::NotSupported)) }
}

pub(super) fn read_payee(element: &mut Element) -> Result<Payee, Fault> {
    let registration =
        element.group("ram:SpecifiedLegalOrganization", |one| read_registration(&one.one("ram:ID")?))?;
    Ok(Payee { name: element.need("ram:Name")?, id: read_only_id(element)?, registration })
}

pub(super) fn read_representative(element: &mut Element) -> Result<Representative, Fault> {
    let (vat_number, other) = read_tax_numbers(element)?;
    let Some(vat_number) = vat_number.filter(|_| other.is_none()) else {
        return Err(element.fault(EInvoiceError::InvalidVatNumber));
    };
    Ok(Representative {
        name: element.need("ram:Name")?,
        vat_number,
        address: element.one("ram:PostalTradeAddress")?.whole(read_address)?,
    })
}

/// Who receives it and where; the day stands elsewhere.
pub(super) fn read_recipient(element: &mut Element) -> Result<Delivery, Fault> {
    Ok(Delivery {
        name: element.value("ram:Name")?,
        location: read_only_id(element)?,
        date: None,
        address: element.group("ram:PostalTradeAddress", read_address)?,
    })
}
