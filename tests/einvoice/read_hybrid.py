"""Takes the e-invoice out of in.pdf, writes it to out.xml, and says what the PDF holds it for."""

import io
import pathlib
import sys

import facturx
from lxml import etree
from pypdf import PdfReader

folder = pathlib.Path(sys.argv[1])
pdf = (folder / "in.pdf").read_bytes()
name, xml = facturx.get_xml_from_pdf(pdf, check_xsd=True)
(folder / "out.xml").write_bytes(xml)
root = etree.fromstring(xml)
metadata = etree.fromstring(PdfReader(io.BytesIO(pdf)).trailer["/Root"]["/Metadata"].get_data())
NAMES = {"fx": "urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#"}
said = [metadata.find(f".//fx:{term}", NAMES).text for term in ("ConformanceLevel", "DocumentType")]
print(name, facturx.get_flavor(root), facturx.get_level(root), *said)
