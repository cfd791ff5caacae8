//! An e-invoice inside of the PDF, as Factur-X and ZUGFeRD want it: the file is attached already, and the metadata tell
//! which one of the attachments it is.

use lopdf::{Document as File, Object};
use trato_types::{Error, Result};

/// A file inside of the PDF, of which the page is another form.
#[derive(Clone, Debug)]
pub struct Attachment {
    /// UN/CEFACT CII by EN 16931.
    pub cii: Vec<u8>,
}

impl Attachment {
    /// Name that Factur-X gives the file.
    pub const FILE_NAME: &'static str = "factur-x.xml";
    /// What the file is.
    pub const MEDIA_TYPE: &'static str = "text/xml";
}

/// What the attachment is, by the names of Factur-X.
const PROPERTIES: &str = concat!(
    r#"<fx:DocumentType xmlns:fx="urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#">INVOICE</fx:DocumentType>"#,
    r#"<fx:DocumentFileName xmlns:fx="urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#">factur-x.xml</fx:DocumentFileName>"#,
    r#"<fx:Version xmlns:fx="urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#">1.0</fx:Version>"#,
    r#"<fx:ConformanceLevel xmlns:fx="urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#">EN 16931</fx:ConformanceLevel>"#,
);

/// What these names are: PDF/A wants every name explained that is not its own.
const SCHEMA_HEAD: &str = concat!(
    r#"<rdf:li rdf:parseType="Resource"><pdfaSchema:schema>Factur-X PDFA Extension Schema</pdfaSchema:schema>"#,
    "<pdfaSchema:namespaceURI>urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#</pdfaSchema:namespaceURI>",
    "<pdfaSchema:prefix>fx</pdfaSchema:prefix><pdfaSchema:property><rdf:Seq>",
);
const SCHEMA_FOOT: &str = "</rdf:Seq></pdfaSchema:property></rdf:li>";
const NAMES: [(&str, &str); 4] = [
    ("DocumentFileName", "name of the embedded XML invoice file"),
    ("DocumentType", "INVOICE"),
    ("Version", "version of the XML schema of the embedded invoice"),
    ("ConformanceLevel", "conformance level of the embedded invoice"),
];

/// Where the metadata go on: the list of what is explained, and the end of what is said.
const SCHEMAS_END: &str = "</rdf:Bag></pdfaExtension:schemas>";
const DESCRIPTION_END: &str = "</rdf:Description></rdf:RDF>";

/// Says in the metadata of a PDF that its attachment is an invoice.
pub fn declare(pdf: &[u8]) -> Result<Vec<u8>> {
    let mut file = File::load_mem(pdf).map_err(Error::internal)?;
    let metadata = file.catalog().and_then(|catalog| catalog.get(b"Metadata")).and_then(Object::as_reference);
    let stream = metadata.and_then(|id| file.get_object_mut(id)).and_then(Object::as_stream_mut);
    let stream = stream.map_err(Error::internal)?;
    let known = stream.get_plain_content().map_err(Error::internal)?;
    let known = String::from_utf8(known).map_err(Error::internal)?;
    stream.set_plain_content(extend(&known)?.into_bytes());
    let mut written = Vec::with_capacity(pdf.len() + 4096);
    file.save_to(&mut written).map_err(Error::internal)?;
    Ok(written)
}

fn extend(metadata: &str) -> Result<String> {
    let lost = || Error::internal("the metadata of a PDF have another form than they had");
    let (head, rest) = metadata.split_once(SCHEMAS_END).ok_or_else(lost)?;
    let (middle, foot) = rest.split_once(DESCRIPTION_END).ok_or_else(lost)?;
    let schema = NAMES.map(|(name, description)| property(name, description)).concat();
    Ok([head, SCHEMA_HEAD, &schema, SCHEMA_FOOT, SCHEMAS_END, middle, PROPERTIES, DESCRIPTION_END, foot]
        .concat())
}

fn property(name: &str, description: &str) -> String {
    format!(
        concat!(
            r#"<rdf:li rdf:parseType="Resource"><pdfaProperty:name>{}</pdfaProperty:name>"#,
            "<pdfaProperty:valueType>Text</pdfaProperty:valueType>",
            "<pdfaProperty:category>external</pdfaProperty:category>",
            "<pdfaProperty:description>{}</pdfaProperty:description></rdf:li>",
        ),
        name, description
    )
}
