//! Payment, allowances, charges and taxes in UBL.

use trato_pricing::Percent;
use trato_types::{Currency, Date, Minor};

use super::day;
use crate::{
    EInvoiceError, Text,
    model::{
        Account, AccountNumber, Adjustment, DeclaredTax, DirectDebit, DocumentAdjustment, Invoice, Means,
        TaxGroup, Vat,
    },
    vat::{category, rate_of, vat_of},
    xml::{Element, Fault, Node, amount},
};

/// An element with an amount and its currency.
pub(super) fn money<'a>(name: &'static str, minor: Minor, currency: Currency) -> Node<'a> {
    Node::leaf(name, amount(minor, currency)).attribute("currencyID", currency.code().to_owned())
}

/// One `PaymentMeans` for each account, and one where there is none. Only the first says what it is called and when the
/// amount is due (UBL-SR-45, UBL-SR-46).
pub(super) fn write_means(means: &Means, due: Option<Date>) -> Vec<Node<'_>> {
    let base = |is_first: bool| {
        let name = means.name.as_ref().filter(|_| is_first).map(Text::as_str);
        let code = Node::leaf("cbc:PaymentMeansCode", means.code.as_str()).attribute_if("name", name);
        let due = due.filter(|_| is_first).map(|due| Node::leaf("cbc:PaymentDueDate", day(due)));
        let base = Node::new("cac:PaymentMeans").add(code).add_all(due);
        base.text_if("cbc:PaymentID", means.remittance.as_ref())
    };
    if means.accounts.is_empty() {
        let payer = Node::new("cac:PayerFinancialAccount").text_if("cbc:ID", means.debit.account.as_ref());
        let mandate = Node::new("cac:PaymentMandate").text_if("cbc:ID", means.debit.mandate.as_ref());
        return vec![base(true).add(mandate.add(payer))];
    }
    let accounts = means.accounts.iter().enumerate();
    accounts.map(|(at, account)| base(at == 0).add(write_account(account))).collect()
}

fn write_account(account: &Account) -> Node<'_> {
    Node::new("cac:PayeeFinancialAccount")
        .text("cbc:ID", account.number.as_str())
        .text_if("cbc:Name", account.name.as_ref())
        .add(Node::new("cac:FinancialInstitutionBranch").text_if("cbc:ID", account.bank.as_ref()))
}

pub(super) fn write_document_adjustments(invoice: &Invoice) -> impl Iterator<Item = Node<'_>> {
    let write = |is_charge| {
        move |one: &'_ DocumentAdjustment| {
            write_adjustment(&one.adjustment, is_charge, invoice.currency)
                .add(write_vat("cac:TaxCategory", one.vat))
        }
    };
    let allowances = invoice.allowances.iter().map(write(false));
    allowances.chain(invoice.charges.iter().map(write(true)))
}

pub(super) fn write_adjustment<'a>(one: &Adjustment, is_charge: bool, currency: Currency) -> Node<'a> {
    let own = |text: &Text| text.as_str().to_owned();
    Node::new("cac:AllowanceCharge")
        .text("cbc:ChargeIndicator", if is_charge { "true" } else { "false" })
        .add_all(one.code.map(|code| Node::leaf("cbc:AllowanceChargeReasonCode", code.to_string())))
        .add_all(one.reason.as_ref().map(|reason| Node::leaf("cbc:AllowanceChargeReason", own(reason))))
        .add_all(one.percent.map(|percent| Node::leaf("cbc:MultiplierFactorNumeric", percent.to_string())))
        .add(money("cbc:Amount", one.amount, currency))
        .add_all(one.base.map(|base| money("cbc:BaseAmount", base, currency)))
}

/// Category and rate, to which a breakdown adds its reason.
fn vat_parts<'a>(name: &'static str, vat: Vat) -> Node<'a> {
    Node::new(name)
        .text("cbc:ID", vat.category.code())
        .add_all(rate_of(vat).map(|rate| Node::leaf("cbc:Percent", rate)))
}

fn scheme<'a>() -> Node<'a> {
    Node::new("cac:TaxScheme").text("cbc:ID", "VAT")
}

pub(super) fn write_vat<'a>(name: &'static str, vat: Vat) -> Node<'a> {
    vat_parts(name, vat).add(scheme())
}

pub(super) fn write_taxes(groups: &[TaxGroup], total: Minor, currency: Currency) -> Node<'_> {
    let group = |group| write_group(group, currency);
    Node::new("cac:TaxTotal").add(money("cbc:TaxAmount", total, currency)).add_all(groups.iter().map(group))
}

fn write_group(group: &TaxGroup, currency: Currency) -> Node<'_> {
    let vat = vat_parts("cac:TaxCategory", group.vat)
        .text_if("cbc:TaxExemptionReasonCode", group.code.as_ref())
        .text_if("cbc:TaxExemptionReason", group.reason.as_ref())
        .add(scheme());
    Node::new("cac:TaxSubtotal")
        .add(money("cbc:TaxableAmount", group.basis, currency))
        .add(money("cbc:TaxAmount", group.tax, currency))
        .add(vat)
}

pub(super) fn write_declared<'a>(declared: &DeclaredTax) -> Node<'a> {
    Node::new("cac:TaxTotal").add(money("cbc:TaxAmount", declared.amount, declared.currency))
}

/// What one `PaymentMeans` says.
struct Said {
    means: Means,
    due: Option<Date>,
}

/// Puts what the elements say together: each has an account, and what they have in common may stand in the first only.
pub(super) fn read_means(elements: Vec<Element>) -> Result<(Option<Means>, Option<Date>), Fault> {
    let mut all: Option<Said> = None;
    for element in elements {
        let contradictory = element.fault(EInvoiceError::Contradictory);
        let said = element.whole(read_one_means)?;
        match &mut all {
            None => all = Some(said),
            Some(first) if first.goes_with(&said) => first.means.accounts.extend(said.means.accounts),
            Some(_) => return Err(contradictory),
        }
    }
    Ok(all.map_or((None, None), |said| (Some(said.means), said.due)))
}

impl Said {
    /// True when another element adds an account to this one.
    fn goes_with(&self, other: &Self) -> bool {
        let (one, two) = (&self.means, &other.means);
        (two.name.is_none() || two.name == one.name)
            && (other.due.is_none() || other.due == self.due)
            && (one.code, &one.remittance, &one.debit) == (two.code, &two.remittance, &two.debit)
            && !one.accounts.is_empty()
            && !two.accounts.is_empty()
    }
}

fn read_one_means(element: &mut Element) -> Result<Said, Fault> {
    let code = element.one("cbc:PaymentMeansCode")?;
    let due = super::day_of(element, "cbc:PaymentDueDate")?;
    let account = element.group("cac:PayeeFinancialAccount", |account| {
        Ok(Account {
            number: AccountNumber::new(account.need("cbc:ID")?),
            name: account.value("cbc:Name")?,
            bank: account.within("cac:FinancialInstitutionBranch", "cbc:ID")?,
        })
    })?;
    let debit = element.group("cac:PaymentMandate", |mandate| {
        let account = mandate.within("cac:PayerFinancialAccount", "cbc:ID")?;
        Ok(DirectDebit { mandate: mandate.value("cbc:ID")?, creditor: None, account })
    })?;
    let means = Means {
        code: code.parse()?,
        name: code.attribute_as("name")?,
        remittance: element.value("cbc:PaymentID")?,
        accounts: account.into_iter().collect(),
        debit: debit.unwrap_or_default(),
    };
    Ok(Said { means, due })
}

/// An allowance or a charge, and which of them it is.
pub(super) fn read_adjustment(
    element: &mut Element,
    currency: Currency,
) -> Result<(bool, Adjustment), Fault> {
    let adjustment = Adjustment {
        amount: element.amount_need("cbc:Amount", currency)?,
        base: element.amount("cbc:BaseAmount", currency)?,
        percent: element.number_of("cbc:MultiplierFactorNumeric")?,
        reason: element.value("cbc:AllowanceChargeReason")?,
        code: element.value("cbc:AllowanceChargeReasonCode")?,
    };
    Ok((element.one("cbc:ChargeIndicator")?.as_boolean()?, adjustment))
}

/// Takes category, rate and scheme out of an element that may hold more.
pub(super) fn read_vat(element: &mut Element) -> Result<Vat, Fault> {
    let category = category(&element.one("cbc:ID")?)?;
    let rate: Option<Percent> = element.number_of("cbc:Percent")?;
    let scheme: Text = element.one("cac:TaxScheme")?.whole(|scheme| scheme.need("cbc:ID"))?;
    if !scheme.as_str().eq_ignore_ascii_case("VAT") {
        return Err(element.fault(EInvoiceError::NotSupported));
    }
    vat_of(element, category, rate)
}

/// The total of the taxes with its breakdown.
type BrokenDown = (Minor, Vec<TaxGroup>);

/// The total of the taxes with its breakdown, and the total in the currency of declaration.
pub(super) fn read_taxes(
    elements: Vec<Element>,
    currency: Currency,
    declared: Option<Currency>,
) -> Result<(Option<BrokenDown>, Option<DeclaredTax>), Fault> {
    let (mut total, mut in_declared) = (None, None);
    for mut element in elements {
        let repeated = element.fault(EInvoiceError::Repeated);
        let tax = element.one("cbc:TaxAmount")?;
        let is_new = match declared {
            Some(declared) if tax.attribute("currencyID") == Some(declared.code()) => {
                let amount = tax.as_amount(declared)?;
                element.end()?;
                in_declared.replace(DeclaredTax { currency: declared, amount }).is_none()
            }
            _ => {
                let groups = element.groups("cac:TaxSubtotal", |group| read_group(group, currency))?;
                element.end()?;
                total.replace((tax.as_amount(currency)?, groups)).is_none()
            }
        };
        if !is_new {
            return Err(repeated);
        }
    }
    Ok((total, in_declared))
}

fn read_group(element: &mut Element, currency: Currency) -> Result<TaxGroup, Fault> {
    let (vat, code, reason) = element.one("cac:TaxCategory")?.whole(|vat| {
        Ok((read_vat(vat)?, vat.value("cbc:TaxExemptionReasonCode")?, vat.value("cbc:TaxExemptionReason")?))
    })?;
    Ok(TaxGroup {
        vat,
        basis: element.amount_need("cbc:TaxableAmount", currency)?,
        tax: element.amount_need("cbc:TaxAmount", currency)?,
        reason,
        code,
    })
}
