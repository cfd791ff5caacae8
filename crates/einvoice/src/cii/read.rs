//! CII as invoices.

use trato_types::{Currency, Date};

use super::{
    SPACES, day_of,
    line::read_line,
    party::{read_buyer, read_payee, read_recipient, read_representative, read_seller},
    read_day,
    settlement::{read_adjustment, read_group, read_means, read_period, read_vat},
};
use crate::{
    EInvoiceError, Paragraph, Text,
    model::{
        DeclaredTax, Delivery, DirectDebit, DocumentAdjustment, Invoice, Kind, Line, Means, Note, Party,
        Payee, Period, Preceding, Profile, References, Representative, Seller, TaxGroup, Totals,
    },
    xml::{self, Element, Fault},
};

/// Reads a document.
pub(crate) fn read(document: &[u8]) -> Result<Invoice, Fault> {
    let root = xml::read(document, SPACES)?;
    if root.name() != "rsm:CrossIndustryInvoice" {
        return Err(root.fault(EInvoiceError::NotAnInvoice));
    }
    root.whole(read_root)
}

/// What stands at the head.
struct Head {
    number: Text,
    kind: Kind,
    issued: Date,
    notes: Vec<Note>,
}

/// Who deals with whom, and on what ground.
struct Agreement {
    buyer_reference: Option<Text>,
    seller: Seller,
    buyer: Party,
    representative: Option<Representative>,
    references: References,
}

/// What is owed, and how it is paid.
struct Settlement {
    currency: Currency,
    declared_tax: Option<DeclaredTax>,
    due: Option<Date>,
    terms: Option<Paragraph>,
    buyer_account: Option<Text>,
    preceding: Vec<Preceding>,
    payee: Option<Payee>,
    period: Period,
    means: Option<Means>,
    allowances: Vec<DocumentAdjustment>,
    charges: Vec<DocumentAdjustment>,
    taxes: Vec<TaxGroup>,
    totals: Totals,
}

fn read_root(root: &mut Element) -> Result<Invoice, Fault> {
    let (profile, process) = root.one("rsm:ExchangedDocumentContext")?.whole(read_context)?;
    let head = root.one("rsm:ExchangedDocument")?.whole(read_head)?;
    root.one("rsm:SupplyChainTradeTransaction")?.whole(|transaction| {
        let agreement = transaction.one("ram:ApplicableHeaderTradeAgreement")?.whole(read_agreement)?;
        let (delivery, despatch, receipt) =
            transaction.one("ram:ApplicableHeaderTradeDelivery")?.whole(read_delivery)?;
        let settlement = transaction.one("ram:ApplicableHeaderTradeSettlement")?.whole(read_settlement)?;
        let read = |line: &mut Element| read_line(line, settlement.currency);
        let lines: Vec<Line> = transaction.groups("ram:IncludedSupplyChainTradeLineItem", read)?;
        Ok(Invoice {
            profile,
            process,
            number: head.number,
            issued: head.issued,
            kind: head.kind,
            currency: settlement.currency,
            declared_tax: settlement.declared_tax,
            due: settlement.due,
            buyer_reference: agreement.buyer_reference,
            references: References { despatch, receipt, ..agreement.references },
            buyer_account: settlement.buyer_account,
            terms: settlement.terms,
            notes: head.notes,
            preceding: settlement.preceding,
            seller: agreement.seller,
            buyer: agreement.buyer,
            payee: settlement.payee,
            representative: agreement.representative,
            delivery,
            period: settlement.period,
            means: settlement.means,
            allowances: settlement.allowances,
            charges: settlement.charges,
            taxes: settlement.taxes,
            totals: settlement.totals,
            lines,
        })
    })
}

fn read_context(element: &mut Element) -> Result<(Profile, Option<Text>), Fault> {
    let profile =
        element.one("ram:GuidelineSpecifiedDocumentContextParameter")?.whole(|id| id.need("ram:ID"))?;
    Ok((profile, element.within("ram:BusinessProcessSpecifiedDocumentContextParameter", "ram:ID")?))
}

fn read_head(element: &mut Element) -> Result<Head, Fault> {
    let note = |note: &mut Element| Ok(Note::new(note.value("ram:SubjectCode")?, note.need("ram:Content")?));
    Ok(Head {
        number: element.need("ram:ID")?,
        kind: element.need("ram:TypeCode")?,
        issued: element.one("ram:IssueDateTime")?.whole(|day| read_day(day, "udt:DateTimeString"))?,
        notes: element.groups("ram:IncludedNote", note)?,
    })
}

/// The number of a document that is referred to.
fn referenced(element: &mut Element, name: &'static str) -> Result<Option<Text>, Fault> {
    element.within(name, "ram:IssuerAssignedID")
}

fn read_agreement(element: &mut Element) -> Result<Agreement, Fault> {
    let references = References {
        contract: referenced(element, "ram:ContractReferencedDocument")?,
        order: referenced(element, "ram:BuyerOrderReferencedDocument")?,
        sales_order: referenced(element, "ram:SellerOrderReferencedDocument")?,
        receipt: None,
        despatch: None,
    };
    Ok(Agreement {
        buyer_reference: element.value("ram:BuyerReference")?,
        seller: element.one("ram:SellerTradeParty")?.whole(read_seller)?,
        buyer: element.one("ram:BuyerTradeParty")?.whole(read_buyer)?,
        representative: element.group("ram:SellerTaxRepresentativeTradeParty", read_representative)?,
        references,
    })
}

/// The delivery, and the notices that it was sent and received.
fn read_delivery(element: &mut Element) -> Result<(Delivery, Option<Text>, Option<Text>), Fault> {
    let recipient = element.group("ram:ShipToTradeParty", read_recipient)?.unwrap_or_default();
    let date = element.group("ram:ActualDeliverySupplyChainEvent", |event| {
        event.one("ram:OccurrenceDateTime")?.whole(|day| read_day(day, "udt:DateTimeString"))
    })?;
    let despatch = referenced(element, "ram:DespatchAdviceReferencedDocument")?;
    let receipt = referenced(element, "ram:ReceivingAdviceReferencedDocument")?;
    Ok((Delivery { date, ..recipient }, despatch, receipt))
}

fn read_settlement(element: &mut Element) -> Result<Settlement, Fault> {
    let currency = element.one("ram:InvoiceCurrencyCode")?.as_currency()?;
    let declared = element.some("ram:TaxCurrencyCode")?.map(|code| code.as_currency()).transpose()?;
    let terms = element.group("ram:SpecifiedTradePaymentTerms", |terms| {
        let due = day_of(terms, "ram:DueDateDateTime")?;
        Ok((terms.value("ram:Description")?, due, terms.value("ram:DirectDebitMandateID")?))
    })?;
    let (terms, due, mandate) = terms.unwrap_or_default();
    let means = read_payment(element, mandate)?;
    let (mut allowances, mut charges) = (Vec::new(), Vec::new());
    let read = |one: &mut Element| {
        let (is_charge, adjustment) = read_adjustment(one, currency)?;
        let vat = one.one("ram:CategoryTradeTax")?.whole(read_vat)?;
        Ok((is_charge, DocumentAdjustment { adjustment, vat }))
    };
    for (is_charge, one) in element.groups("ram:SpecifiedTradeAllowanceCharge", read)? {
        if is_charge { charges.push(one) } else { allowances.push(one) }
    }
    let sum = element.one("ram:SpecifiedTradeSettlementHeaderMonetarySummation")?;
    let (totals, declared_tax) = sum.whole(|sum| read_totals(sum, currency, declared))?;
    Ok(Settlement {
        currency,
        declared_tax,
        due,
        terms,
        buyer_account: element.within("ram:ReceivableSpecifiedTradeAccountingAccount", "ram:ID")?,
        preceding: element.groups("ram:InvoiceReferencedDocument", read_preceding)?,
        payee: element.group("ram:PayeeTradeParty", read_payee)?,
        period: read_period(element)?,
        means,
        allowances,
        charges,
        taxes: element.groups("ram:ApplicableTradeTax", |group| read_group(group, currency))?,
        totals,
    })
}

/// Means of payment, parts of which stand in three places.
fn read_payment(element: &mut Element, mandate: Option<Text>) -> Result<Option<Means>, Fault> {
    let remittance: Option<Text> = element.value("ram:PaymentReference")?;
    let debit = DirectDebit { mandate, creditor: element.value("ram:CreditorReferenceID")?, account: None };
    let means = element.all("ram:SpecifiedTradeSettlementPaymentMeans");
    let means = read_means(means, remittance.as_ref(), &debit)?;
    if means.is_none() && (remittance.is_some() || !debit.is_open()) {
        return Err(element.missing("ram:SpecifiedTradeSettlementPaymentMeans"));
    }
    Ok(means)
}

fn read_preceding(element: &mut Element) -> Result<Preceding, Fault> {
    let issued = element.group("ram:FormattedIssueDateTime", |day| read_day(day, "qdt:DateTimeString"))?;
    Ok(Preceding { number: element.need("ram:IssuerAssignedID")?, issued })
}

fn read_totals(
    element: &mut Element,
    currency: Currency,
    declared: Option<Currency>,
) -> Result<(Totals, Option<DeclaredTax>), Fault> {
    let (mut tax, mut declared_tax) = (None, None);
    for total in element.all("ram:TaxTotalAmount") {
        let is_new = match declared {
            Some(declared) if total.attribute("currencyID") == Some(declared.code()) => {
                let amount = total.as_amount(declared)?;
                declared_tax.replace(DeclaredTax { currency: declared, amount }).is_none()
            }
            _ => tax.replace(total.as_amount(currency)?).is_none(),
        };
        if !is_new {
            return Err(total.fault(EInvoiceError::Repeated));
        }
    }
    if declared.is_some() && declared_tax.is_none() {
        // BR-53
        return Err(element.missing("ram:TaxTotalAmount"));
    }
    let mut or_zero = |name| Ok(element.amount(name, currency)?.unwrap_or_default());
    let (allowances, charges) = (or_zero("ram:AllowanceTotalAmount")?, or_zero("ram:ChargeTotalAmount")?);
    let (prepaid, rounding) = (or_zero("ram:TotalPrepaidAmount")?, or_zero("ram:RoundingAmount")?);
    let mut need = |name| element.amount_need(name, currency);
    let totals = Totals {
        lines: need("ram:LineTotalAmount")?,
        allowances,
        charges,
        net: need("ram:TaxBasisTotalAmount")?,
        tax: tax.unwrap_or_default(),
        gross: need("ram:GrandTotalAmount")?,
        prepaid,
        rounding,
        due: need("ram:DuePayableAmount")?,
    };
    Ok((totals, declared_tax))
}
