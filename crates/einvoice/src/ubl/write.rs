//! Invoices as UBL, in the order of its schema.

use super::{CAC, CBC, Words, day, line::write_line, party, settlement, words};
use crate::{
    check::NO_ORDER,
    model::{Delivery, Invoice, Kind, Period, References},
    xml::Node,
};

/// The document.
pub(crate) fn write(invoice: &Invoice) -> Node<'_> {
    let words = words(invoice.kind);
    let root = Node::new(words.root)
        .attribute("xmlns", words.space)
        .attribute("xmlns:cac", CAC)
        .attribute("xmlns:cbc", CBC);
    let root = totals(bodies(head(root, invoice, words), invoice), invoice);
    root.add_all(invoice.lines.iter().map(|line| write_line(line, words, invoice.currency)))
}

fn head<'a>(root: Node<'a>, invoice: &'a Invoice, words: &Words) -> Node<'a> {
    let due = invoice.due.filter(|_| invoice.kind != Kind::CreditNote).map(day);
    let declared = invoice.declared_tax.as_ref().map(|declared| declared.currency.code());
    root.text("cbc:CustomizationID", invoice.profile.as_str())
        .text_if("cbc:ProfileID", invoice.process.as_ref())
        .text("cbc:ID", invoice.number.as_str())
        .text("cbc:IssueDate", day(invoice.issued))
        .add_all(due.map(|due| Node::leaf("cbc:DueDate", due)))
        .text(words.type_code, invoice.kind.code())
        .add_all(invoice.notes.iter().map(|note| Node::leaf("cbc:Note", note.with_subject())))
        .text("cbc:DocumentCurrencyCode", invoice.currency.code())
        .text_if("cbc:TaxCurrencyCode", declared)
        .text_if("cbc:AccountingCost", invoice.buyer_account.as_ref())
        .text_if("cbc:BuyerReference", invoice.buyer_reference.as_ref())
}

fn bodies<'a>(root: Node<'a>, invoice: &'a Invoice) -> Node<'a> {
    let references = &invoice.references;
    let representative = invoice.representative.as_ref().map(party::write_representative);
    root.add(period(invoice.period))
        .add(order(references))
        .add_all(invoice.preceding.iter().map(|one| {
            let document = Node::new("cac:InvoiceDocumentReference")
                .text("cbc:ID", one.number.as_str())
                .add_all(one.issued.map(|issued| Node::leaf("cbc:IssueDate", day(issued))));
            Node::new("cac:BillingReference").add(document)
        }))
        .add(Node::new("cac:DespatchDocumentReference").text_if("cbc:ID", references.despatch.as_ref()))
        .add(Node::new("cac:ReceiptDocumentReference").text_if("cbc:ID", references.receipt.as_ref()))
        .add(Node::new("cac:ContractDocumentReference").text_if("cbc:ID", references.contract.as_ref()))
        .add(party::write_seller(&invoice.seller, creditor(invoice)))
        .add(Node::new("cac:AccountingCustomerParty").add(party::write_buyer(&invoice.buyer)))
        .add_all(invoice.payee.as_ref().map(party::write_payee))
        .add_all(representative)
        .add(delivery(&invoice.delivery))
}

fn totals<'a>(root: Node<'a>, invoice: &'a Invoice) -> Node<'a> {
    let (totals, currency) = (&invoice.totals, invoice.currency);
    let due = invoice.due.filter(|_| invoice.kind == Kind::CreditNote);
    let money = |name, minor| settlement::money(name, minor, currency);
    let only = |is_there: bool, node: Node<'a>| is_there.then_some(node);
    let of_taxes = settlement::write_taxes(&invoice.taxes, totals.tax, currency);
    let sum = Node::new("cac:LegalMonetaryTotal")
        .add(money("cbc:LineExtensionAmount", totals.lines))
        .add(money("cbc:TaxExclusiveAmount", totals.net))
        .add(money("cbc:TaxInclusiveAmount", totals.gross))
        .add_all(only(!invoice.allowances.is_empty(), money("cbc:AllowanceTotalAmount", totals.allowances)))
        .add_all(only(!invoice.charges.is_empty(), money("cbc:ChargeTotalAmount", totals.charges)))
        .add_all(only(!totals.prepaid.is_zero(), money("cbc:PrepaidAmount", totals.prepaid)))
        .add_all(only(!totals.rounding.is_zero(), money("cbc:PayableRoundingAmount", totals.rounding)))
        .add(money("cbc:PayableAmount", totals.due));
    root.add_all(invoice.means.iter().flat_map(|means| settlement::write_means(means, due)))
        .add(Node::new("cac:PaymentTerms").text_if("cbc:Note", invoice.terms.as_ref()))
        .add_all(settlement::write_document_adjustments(invoice))
        .add(of_taxes)
        .add_all(invoice.declared_tax.iter().map(settlement::write_declared))
        .add(sum)
}

/// BT-90: the creditor of a direct debit.
fn creditor(invoice: &Invoice) -> Option<&str> {
    invoice.means.as_ref().and_then(|means| means.debit.creditor.as_ref()).map(AsRef::as_ref)
}

/// A period of the document or of a line.
pub(super) fn period<'a>(period: Period) -> Node<'a> {
    Node::new("cac:InvoicePeriod")
        .add_all(period.first.map(|first| Node::leaf("cbc:StartDate", day(first))))
        .add_all(period.last.map(|last| Node::leaf("cbc:EndDate", day(last))))
}

fn order(references: &References) -> Node<'_> {
    let order = references.order.as_ref().map(AsRef::as_ref);
    let instead = references.sales_order.as_ref().map(|_| NO_ORDER);
    Node::new("cac:OrderReference")
        .text_if("cbc:ID", order.or(instead))
        .text_if("cbc:SalesOrderID", references.sales_order.as_ref())
}

fn delivery(delivery: &Delivery) -> Node<'_> {
    let address = delivery.address.as_ref().map(|address| party::write_address("cac:Address", address));
    let location = Node::new("cac:DeliveryLocation")
        .add_all(delivery.location.as_ref().map(|id| party::write_id("cbc:ID", id)))
        .add_all(address);
    let name = Node::new("cac:PartyName").text_if("cbc:Name", delivery.name.as_ref());
    Node::new("cac:Delivery")
        .add_all(delivery.date.map(|date| Node::leaf("cbc:ActualDeliveryDate", day(date))))
        .add(location)
        .add(Node::new("cac:DeliveryParty").add(name))
}
