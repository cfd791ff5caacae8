//! Invoices as CII, in the order of its schema.

use trato_types::Minor;

use super::{QDT, RAM, RSM, UDT, line::write_line, party, settlement, write_day};
use crate::{
    model::{Invoice, Preceding},
    xml::{Node, amount},
};

/// The document.
pub(crate) fn write(invoice: &Invoice) -> Node<'_> {
    let transaction = Node::new("rsm:SupplyChainTradeTransaction")
        .add_all(invoice.lines.iter().map(|line| write_line(line, invoice.currency)))
        .add(agreement(invoice))
        .add(delivery(invoice))
        .add(settlement(invoice));
    Node::new("rsm:CrossIndustryInvoice")
        .attribute("xmlns:rsm", RSM)
        .attribute("xmlns:ram", RAM)
        .attribute("xmlns:udt", UDT)
        .attribute("xmlns:qdt", QDT)
        .add(context(invoice))
        .add(document(invoice))
        .add(transaction)
}

fn context(invoice: &Invoice) -> Node<'_> {
    let process = Node::new("ram:BusinessProcessSpecifiedDocumentContextParameter")
        .text_if("ram:ID", invoice.process.as_ref());
    let guideline =
        Node::new("ram:GuidelineSpecifiedDocumentContextParameter").text("ram:ID", invoice.profile.as_str());
    Node::new("rsm:ExchangedDocumentContext").add(process).add(guideline)
}

fn document(invoice: &Invoice) -> Node<'_> {
    let notes = invoice.notes.iter().map(|note| {
        Node::new("ram:IncludedNote")
            .text("ram:Content", note.text().as_str())
            .add_all(note.subject().map(|subject| Node::leaf("ram:SubjectCode", subject.to_string())))
    });
    Node::new("rsm:ExchangedDocument")
        .text("ram:ID", invoice.number.as_str())
        .text("ram:TypeCode", invoice.kind.code())
        .add(write_day("ram:IssueDateTime", "udt:DateTimeString", invoice.issued))
        .add_all(notes)
}

/// A document that is referred to by its number.
fn referenced<'a>(name: &'static str, number: Option<&'a crate::Text>) -> Node<'a> {
    Node::new(name).text_if("ram:IssuerAssignedID", number)
}

fn agreement(invoice: &Invoice) -> Node<'_> {
    let references = &invoice.references;
    Node::new("ram:ApplicableHeaderTradeAgreement")
        .text_if("ram:BuyerReference", invoice.buyer_reference.as_ref())
        .add(party::write_seller(&invoice.seller))
        .add(party::write_buyer(&invoice.buyer))
        .add_all(invoice.representative.as_ref().map(party::write_representative))
        .add(referenced("ram:SellerOrderReferencedDocument", references.sales_order.as_ref()))
        .add(referenced("ram:BuyerOrderReferencedDocument", references.order.as_ref()))
        .add(referenced("ram:ContractReferencedDocument", references.contract.as_ref()))
}

fn delivery(invoice: &Invoice) -> Node<'_> {
    let day =
        invoice.delivery.date.map(|date| write_day("ram:OccurrenceDateTime", "udt:DateTimeString", date));
    Node::new("ram:ApplicableHeaderTradeDelivery")
        .kept()
        .add(party::write_recipient(&invoice.delivery))
        .add(Node::new("ram:ActualDeliverySupplyChainEvent").add_all(day))
        .add(referenced("ram:DespatchAdviceReferencedDocument", invoice.references.despatch.as_ref()))
        .add(referenced("ram:ReceivingAdviceReferencedDocument", invoice.references.receipt.as_ref()))
}

fn settlement(invoice: &Invoice) -> Node<'_> {
    let means = invoice.means.as_ref();
    let declared = invoice.declared_tax.as_ref().map(|declared| declared.currency.code());
    let terms = Node::new("ram:SpecifiedTradePaymentTerms")
        .text_if("ram:Description", invoice.terms.as_ref())
        .add_all(invoice.due.map(|due| write_day("ram:DueDateDateTime", "udt:DateTimeString", due)))
        .text_if("ram:DirectDebitMandateID", means.and_then(|means| means.debit.mandate.as_ref()));
    let account = Node::new("ram:ReceivableSpecifiedTradeAccountingAccount")
        .text_if("ram:ID", invoice.buyer_account.as_ref());
    Node::new("ram:ApplicableHeaderTradeSettlement")
        .text_if("ram:CreditorReferenceID", means.and_then(|means| means.debit.creditor.as_ref()))
        .text_if("ram:PaymentReference", means.and_then(|means| means.remittance.as_ref()))
        .text_if("ram:TaxCurrencyCode", declared)
        .text("ram:InvoiceCurrencyCode", invoice.currency.code())
        .add_all(invoice.payee.as_ref().map(party::write_payee))
        .add_all(means.into_iter().flat_map(settlement::write_means))
        .add_all(invoice.taxes.iter().map(|group| settlement::write_group(group, invoice.currency)))
        .add(settlement::write_period(invoice.period))
        .add_all(settlement::write_document_adjustments(invoice))
        .add(terms)
        .add(totals(invoice))
        .add_all(invoice.preceding.iter().map(preceding))
        .add(account)
}

fn preceding(one: &Preceding) -> Node<'_> {
    let issued = one.issued.map(|date| write_day("ram:FormattedIssueDateTime", "qdt:DateTimeString", date));
    referenced("ram:InvoiceReferencedDocument", Some(&one.number)).add_all(issued)
}

fn totals(invoice: &Invoice) -> Node<'_> {
    let (totals, currency) = (&invoice.totals, invoice.currency);
    let money = |name, minor| settlement::money(name, minor, currency);
    let money_if = |is_there: bool, name, minor: Minor| is_there.then(|| money(name, minor));
    let tax = |minor, currency: trato_types::Currency| {
        Node::leaf("ram:TaxTotalAmount", amount(minor, currency))
            .attribute("currencyID", currency.code().to_owned())
    };
    let declared = invoice.declared_tax.map(|declared| tax(declared.amount, declared.currency));
    Node::new("ram:SpecifiedTradeSettlementHeaderMonetarySummation")
        .add(money("ram:LineTotalAmount", totals.lines))
        .add_all(money_if(!invoice.charges.is_empty(), "ram:ChargeTotalAmount", totals.charges))
        .add_all(money_if(!invoice.allowances.is_empty(), "ram:AllowanceTotalAmount", totals.allowances))
        .add(money("ram:TaxBasisTotalAmount", totals.net))
        .add(tax(totals.tax, currency))
        .add_all(declared)
        .add_all(money_if(!totals.rounding.is_zero(), "ram:RoundingAmount", totals.rounding))
        .add(money("ram:GrandTotalAmount", totals.gross))
        .add_all(money_if(!totals.prepaid.is_zero(), "ram:TotalPrepaidAmount", totals.prepaid))
        .add(money("ram:DuePayableAmount", totals.due))
}
