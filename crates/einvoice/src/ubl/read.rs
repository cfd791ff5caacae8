//! UBL as invoices.

use trato_types::{Currency, Date};

use super::{
    SPACES, Words, day_of,
    line::{read_line, read_period},
    party::{read_address, read_buyer, read_id, read_payee, read_representative, read_seller},
    settlement::{read_adjustment, read_means, read_taxes, read_vat},
    words,
};
use crate::{
    EInvoiceError, Text,
    check::NO_ORDER,
    model::{Delivery, DocumentAdjustment, Invoice, Kind, Means, Preceding, References, Totals},
    xml::{self, Element, Fault},
};

/// Reads a document.
pub(crate) fn read(document: &[u8]) -> Result<Invoice, Fault> {
    let root = xml::read(document, SPACES)?;
    let kinds: &[Kind] = match root.name() {
        "invoice:Invoice" => &[Kind::Invoice, Kind::Corrected],
        "credit:CreditNote" => &[Kind::CreditNote],
        _ => return Err(root.fault(EInvoiceError::NotAnInvoice)),
    };
    root.whole(|root| read_root(root, kinds))
}

fn read_root(root: &mut Element, kinds: &[Kind]) -> Result<Invoice, Fault> {
    if let Some(version) = root.some("cbc:UBLVersionID")?
        && version.content()? != "2.1"
    {
        return Err(version.fault(EInvoiceError::NotSupported));
    }
    let words = words(kinds.first().copied().unwrap_or(Kind::Invoice));
    let kind = root.one(words.type_code)?;
    let kind = match kind.parse()? {
        parsed if kinds.contains(&parsed) => parsed,
        _ => return Err(kind.fault(EInvoiceError::UnknownCode)),
    };
    let currency = root.one("cbc:DocumentCurrencyCode")?.as_currency()?;
    let declared = root.some("cbc:TaxCurrencyCode")?.map(|code| code.as_currency()).transpose()?;
    let taxes = root.all("cac:TaxTotal");
    let (taxes, declared_tax) = read_taxes(taxes, currency, declared)?;
    if declared.is_some() && declared_tax.is_none() {
        // BR-53
        return Err(root.missing("cac:TaxTotal"));
    }
    let (tax, taxes) = taxes.ok_or_else(|| root.missing("cac:TaxTotal"))?;
    let (seller, of_seller) = read_seller(root.one("cac:AccountingSupplierParty")?)?;
    let payee = root.group("cac:PayeeParty", read_payee)?;
    let (payee, of_payee) = payee.map_or((None, None), |(payee, creditor)| (Some(payee), creditor));
    let (means, due) = read_payment(root, kinds, of_seller.or(of_payee))?;
    let [allowances, charges] = read_adjustments(root, currency)?;
    let totals = root.one("cac:LegalMonetaryTotal")?;
    Ok(Invoice {
        profile: root.need("cbc:CustomizationID")?,
        process: root.value("cbc:ProfileID")?,
        number: root.need("cbc:ID")?,
        issued: day_of(root, "cbc:IssueDate")?.ok_or_else(|| root.missing("cbc:IssueDate"))?,
        kind,
        currency,
        declared_tax,
        due,
        buyer_reference: root.value("cbc:BuyerReference")?,
        references: read_references(root)?,
        buyer_account: root.value("cbc:AccountingCost")?,
        terms: root.group("cac:PaymentTerms", |terms| terms.need("cbc:Note"))?,
        notes: root.all("cbc:Note").iter().map(Element::parse).collect::<Result<_, _>>()?,
        preceding: root.groups("cac:BillingReference", read_preceding)?,
        seller,
        buyer: read_buyer(root.one("cac:AccountingCustomerParty")?)?,
        payee,
        representative: root.group("cac:TaxRepresentativeParty", read_representative)?,
        delivery: root.group("cac:Delivery", read_delivery)?.unwrap_or_default(),
        period: read_period(root)?,
        means,
        allowances,
        charges,
        taxes,
        totals: Totals { tax, ..totals.whole(|totals| read_totals(totals, currency))? },
        lines: read_lines(root, words, currency)?,
    })
}

fn read_lines(root: &mut Element, words: &Words, currency: Currency) -> Result<Vec<crate::Line>, Fault> {
    root.groups(words.line, |line| read_line(line, words, currency))
}

/// Means of payment and the day on which it is due, which a credit note has among them.
fn read_payment(
    root: &mut Element,
    kinds: &[Kind],
    creditor: Option<Text>,
) -> Result<(Option<Means>, Option<Date>), Fault> {
    let contradictory = root.fault(EInvoiceError::Contradictory);
    let (mut means, of_means) = read_means(root.all("cac:PaymentMeans"))?;
    let of_document = if kinds.contains(&Kind::Invoice) { day_of(root, "cbc:DueDate")? } else { None };
    match (&mut means, creditor) {
        (Some(means), creditor) => means.debit.creditor = creditor,
        (None, Some(_)) => return Err(root.missing("cac:PaymentMeans")),
        (None, None) => {}
    }
    match (of_document, of_means) {
        (Some(one), Some(other)) if one != other => Err(contradictory),
        (one, other) => Ok((means, one.or(other))),
    }
}

/// Allowances and charges.
fn read_adjustments(root: &mut Element, currency: Currency) -> Result<[Vec<DocumentAdjustment>; 2], Fault> {
    let mut all = [Vec::new(), Vec::new()];
    let read = |one: &mut Element| {
        let (is_charge, adjustment) = read_adjustment(one, currency)?;
        Ok((is_charge, DocumentAdjustment { adjustment, vat: one.one("cac:TaxCategory")?.whole(read_vat)? }))
    };
    for (is_charge, one) in root.groups("cac:AllowanceCharge", read)? {
        all[usize::from(is_charge)].push(one);
    }
    Ok(all)
}

fn read_references(root: &mut Element) -> Result<References, Fault> {
    let order = root.group("cac:OrderReference", |order| {
        Ok((order.need::<Text>("cbc:ID")?, order.value("cbc:SalesOrderID")?))
    })?;
    let (order, sales_order) = match order {
        // The schema wants a number of the buyer's order even where there is none.
        Some((order, sales_order @ Some(_))) if order.as_str() == NO_ORDER => (None, sales_order),
        Some((order, sales_order)) => (Some(order), sales_order),
        None => (None, None),
    };
    Ok(References {
        contract: root.within("cac:ContractDocumentReference", "cbc:ID")?,
        order,
        sales_order,
        receipt: root.within("cac:ReceiptDocumentReference", "cbc:ID")?,
        despatch: root.within("cac:DespatchDocumentReference", "cbc:ID")?,
    })
}

fn read_preceding(element: &mut Element) -> Result<Preceding, Fault> {
    element.one("cac:InvoiceDocumentReference")?.whole(|document| {
        Ok(Preceding { number: document.need("cbc:ID")?, issued: day_of(document, "cbc:IssueDate")? })
    })
}

fn read_delivery(element: &mut Element) -> Result<Delivery, Fault> {
    let location = element.group("cac:DeliveryLocation", |location| {
        let id = location.some("cbc:ID")?.map(|id| read_id(&id)).transpose()?;
        Ok((id, location.group("cac:Address", read_address)?))
    })?;
    let (location, address) = location.unwrap_or_default();
    let party = |party: &mut Element| party.within("cac:PartyName", "cbc:Name");
    Ok(Delivery {
        name: element.group("cac:DeliveryParty", party)?.flatten(),
        location,
        date: day_of(element, "cbc:ActualDeliveryDate")?,
        address,
    })
}

fn read_totals(element: &mut Element, currency: Currency) -> Result<Totals, Fault> {
    let mut or_zero = |name| Ok(element.amount(name, currency)?.unwrap_or_default());
    let (allowances, charges) = (or_zero("cbc:AllowanceTotalAmount")?, or_zero("cbc:ChargeTotalAmount")?);
    let (prepaid, rounding) = (or_zero("cbc:PrepaidAmount")?, or_zero("cbc:PayableRoundingAmount")?);
    let mut need = |name| element.amount_need(name, currency);
    Ok(Totals {
        lines: need("cbc:LineExtensionAmount")?,
        allowances,
        charges,
        net: need("cbc:TaxExclusiveAmount")?,
        gross: need("cbc:TaxInclusiveAmount")?,
        prepaid,
        rounding,
        due: need("cbc:PayableAmount")?,
        ..Totals::default()
    })
}
