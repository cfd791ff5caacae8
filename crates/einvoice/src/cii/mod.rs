//! UN/CEFACT Cross Industry Invoice (D16B and later), as EN 16931 and Factur-X use it.

mod line;
mod party;
mod read;
mod settlement;
mod write;

use trato_types::Date;

pub(crate) use read::read;
pub(crate) use write::write;

use crate::xml::{Element, Fault, Node, Spaces};

const RSM: &str = "urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100";
const RAM: &str = "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100";
const UDT: &str = "urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100";
const QDT: &str = "urn:un:unece:uncefact:data:standard:QualifiedDataType:100";

const SPACES: &Spaces = &[("rsm", RSM), ("ram", RAM), ("udt", UDT), ("qdt", QDT)];

/// A day as eight digits, which is what format 102 means.
fn write_day<'a>(name: &'static str, inner: &'static str, date: Date) -> Node<'a> {
    let text = Node::leaf(inner, date.format("%Y%m%d").to_string()).attribute("format", "102");
    Node::new(name).add(text)
}

fn read_day(element: &mut Element, inner: &'static str) -> Result<Date, Fault> {
    let text = element.one(inner)?;
    match text.attribute("format") {
        Some("102") => text.as_day("00000000", "%Y%m%d"),
        _ => Err(text.fault(crate::EInvoiceError::InvalidDate)),
    }
}

/// Takes a day out, if there is one.
fn day_of(element: &mut Element, name: &'static str) -> Result<Option<Date>, Fault> {
    element.group(name, |day| read_day(day, "udt:DateTimeString"))
}
