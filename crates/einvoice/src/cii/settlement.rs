//! Payment, allowances, charges and taxes in CII.

use trato_types::{Currency, Minor};

use super::{day_of, write_day};
use crate::{
    EInvoiceError, Text,
    model::{
        Account, AccountNumber, Adjustment, DirectDebit, DocumentAdjustment, Iban, Invoice, Means, Period,
        TaxGroup, Vat,
    },
    vat::{category, rate_of, vat_of},
    xml::{Element, Fault, Node, amount},
};

/// An element with an amount; only the totals of taxes say their currency.
pub(super) fn money<'a>(name: &'static str, minor: Minor, currency: Currency) -> Node<'a> {
    Node::leaf(name, amount(minor, currency))
}

pub(super) fn write_period<'a>(period: Period) -> Node<'a> {
    let day = |name| move |date| write_day(name, "udt:DateTimeString", date);
    Node::new("ram:BillingSpecifiedPeriod")
        .add_all(period.first.map(day("ram:StartDateTime")))
        .add_all(period.last.map(day("ram:EndDateTime")))
}

pub(super) fn read_period(element: &mut Element) -> Result<Period, Fault> {
    let period = element.group("ram:BillingSpecifiedPeriod", |period| {
        Ok(Period { first: day_of(period, "ram:StartDateTime")?, last: day_of(period, "ram:EndDateTime")? })
    })?;
    Ok(period.unwrap_or_default())
}

/// One element for each account, and one where there is none.
pub(super) fn write_means(means: &Means) -> Vec<Node<'_>> {
    let base = || {
        Node::new("ram:SpecifiedTradeSettlementPaymentMeans")
            .text("ram:TypeCode", means.code.as_str())
            .text_if("ram:Information", means.name.as_ref())
    };
    if means.accounts.is_empty() {
        let payer = Node::new("ram:PayerPartyDebtorFinancialAccount")
            .text_if("ram:IBANID", means.debit.account.as_ref());
        return vec![base().add(payer)];
    }
    means.accounts.iter().map(|account| write_account(base(), account)).collect()
}

fn write_account<'a>(base: Node<'a>, account: &'a Account) -> Node<'a> {
    let number = account.number.as_str();
    let (iban, other) = if account.number.is_iban() { (Some(number), None) } else { (None, Some(number)) };
    let of_payee = Node::new("ram:PayeePartyCreditorFinancialAccount")
        .text_if("ram:IBANID", iban)
        .text_if("ram:AccountName", account.name.as_ref())
        .text_if("ram:ProprietaryID", other);
    let bank = Node::new("ram:PayeeSpecifiedCreditorFinancialInstitution")
        .text_if("ram:BICID", account.bank.as_ref());
    base.add(of_payee).add(bank)
}

/// Puts what the elements say together; they may differ in their accounts only.
pub(super) fn read_means(
    elements: Vec<Element>,
    remittance: Option<&Text>,
    debit: &DirectDebit,
) -> Result<Option<Means>, Fault> {
    let mut all: Option<Means> = None;
    for element in elements {
        let contradictory = element.fault(EInvoiceError::Contradictory);
        let means = element.whole(|means| read_one_means(means, remittance, debit))?;
        match &mut all {
            None => all = Some(means),
            Some(first) if goes_with(first, &means) => first.accounts.extend(means.accounts),
            Some(_) => return Err(contradictory),
        }
    }
    Ok(all)
}

/// True when the second adds an account to the first.
fn goes_with(first: &Means, other: &Means) -> bool {
    let both_have_accounts = !first.accounts.is_empty() && !other.accounts.is_empty();
    both_have_accounts && (first.code, &first.name, &first.debit) == (other.code, &other.name, &other.debit)
}

fn read_one_means(
    element: &mut Element,
    remittance: Option<&Text>,
    debit: &DirectDebit,
) -> Result<Means, Fault> {
    let bank = element.within("ram:PayeeSpecifiedCreditorFinancialInstitution", "ram:BICID")?;
    let account = element.group("ram:PayeePartyCreditorFinancialAccount", |account| {
        let name = account.value("ram:AccountName")?;
        let number = match (account.value::<Iban>("ram:IBANID")?, account.value("ram:ProprietaryID")?) {
            (Some(iban), None) => AccountNumber::from(iban),
            (None, Some(other)) => AccountNumber::new(other),
            (None, None) => return Err(account.missing("ram:IBANID")),
            (Some(_), Some(_)) => return Err(account.fault(EInvoiceError::Contradictory)),
        };
        Ok(Account { number, name, bank: bank.clone() })
    })?;
    if bank.is_some() && account.is_none() {
        return Err(element.missing("ram:PayeePartyCreditorFinancialAccount"));
    }
    let payer = element.within("ram:PayerPartyDebtorFinancialAccount", "ram:IBANID")?;
    Ok(Means {
        code: element.need("ram:TypeCode")?,
        name: element.value("ram:Information")?,
        remittance: remittance.cloned(),
        accounts: account.into_iter().collect(),
        debit: DirectDebit { account: payer, ..debit.clone() },
    })
}

pub(super) fn write_document_adjustments(invoice: &Invoice) -> impl Iterator<Item = Node<'_>> {
    let write = |is_charge| {
        move |one: &'_ DocumentAdjustment| {
            write_adjustment(&one.adjustment, is_charge, invoice.currency)
                .add(write_vat("ram:CategoryTradeTax", one.vat))
        }
    };
    let allowances = invoice.allowances.iter().map(write(false));
    allowances.chain(invoice.charges.iter().map(write(true)))
}

/// Whether something is put on.
pub(super) fn indicator<'a>(is_charge: bool) -> Node<'a> {
    let word = if is_charge { "true" } else { "false" };
    Node::new("ram:ChargeIndicator").text("udt:Indicator", word)
}

pub(super) fn read_indicator(element: &mut Element) -> Result<bool, Fault> {
    element.one("ram:ChargeIndicator")?.whole(|outer| outer.one("udt:Indicator"))?.as_boolean()
}

pub(super) fn write_adjustment<'a>(one: &Adjustment, is_charge: bool, currency: Currency) -> Node<'a> {
    let own = |text: &Text| text.as_str().to_owned();
    Node::new("ram:SpecifiedTradeAllowanceCharge")
        .add(indicator(is_charge))
        .add_all(one.percent.map(|percent| Node::leaf("ram:CalculationPercent", percent.to_string())))
        .add_all(one.base.map(|base| money("ram:BasisAmount", base, currency)))
        .add(money("ram:ActualAmount", one.amount, currency))
        .add_all(one.code.map(|code| Node::leaf("ram:ReasonCode", code.to_string())))
        .add_all(one.reason.as_ref().map(|reason| Node::leaf("ram:Reason", own(reason))))
}

/// An allowance or a charge, and which of them it is.
pub(super) fn read_adjustment(
    element: &mut Element,
    currency: Currency,
) -> Result<(bool, Adjustment), Fault> {
    let adjustment = Adjustment {
        amount: element.amount_need("ram:ActualAmount", currency)?,
        base: element.amount("ram:BasisAmount", currency)?,
        percent: element.number_of("ram:CalculationPercent")?,
        reason: element.value("ram:Reason")?,
        code: element.value("ram:ReasonCode")?,
    };
    Ok((read_indicator(element)?, adjustment))
}

pub(super) fn write_vat<'a>(name: &'static str, vat: Vat) -> Node<'a> {
    Node::new(name)
        .text("ram:TypeCode", "VAT")
        .text("ram:CategoryCode", vat.category.code())
        .add_all(rate_of(vat).map(|rate| Node::leaf("ram:RateApplicablePercent", rate)))
}

pub(super) fn read_vat(element: &mut Element) -> Result<Vat, Fault> {
    let tax = element.one("ram:TypeCode")?;
    if tax.content()? != "VAT" {
        return Err(tax.fault(EInvoiceError::NotSupported));
    }
    let category = category(&element.one("ram:CategoryCode")?)?;
    let rate = element.number_of("ram:RateApplicablePercent")?;
    vat_of(element, category, rate)
}

pub(super) fn write_group(group: &TaxGroup, currency: Currency) -> Node<'_> {
    Node::new("ram:ApplicableTradeTax")
        .add(money("ram:CalculatedAmount", group.tax, currency))
        .text("ram:TypeCode", "VAT")
        .text_if("ram:ExemptionReason", group.reason.as_ref())
        .add(money("ram:BasisAmount", group.basis, currency))
        .text("ram:CategoryCode", group.vat.category.code())
        .text_if("ram:ExemptionReasonCode", group.code.as_ref())
        .add_all(rate_of(group.vat).map(|rate| Node::leaf("ram:RateApplicablePercent", rate)))
}

pub(super) fn read_group(element: &mut Element, currency: Currency) -> Result<TaxGroup, Fault> {
    Ok(TaxGroup {
        basis: element.amount_need("ram:BasisAmount", currency)?,
        tax: element.amount_need("ram:CalculatedAmount", currency)?,
        reason: element.value("ram:ExemptionReason")?,
        code: element.value("ram:ExemptionReasonCode")?,
        vat: read_vat(element)?,
    })
}
