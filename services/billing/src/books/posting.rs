//! A posting: lines that add up to zero, in the currency of the document and in that of the books. Pure.

use trato_platform::choice_column;
use trato_pricing::{ExchangeRate, PricingError, TaxKey};
use trato_types::{Currency, Minor, Ref};
use uuid::Uuid;

use crate::foreign::Account;

/// What is posted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// An invoice is issued.
    Invoice,
    /// An invoice is voided.
    InvoiceVoid,
    /// A credit note is issued.
    CreditNote,
    /// A payment came in, or went out.
    Payment,
    /// A payment pays invoices, or no longer does.
    Allocation,
    /// A payment is given back.
    Refund,
    /// The bank takes a payment back.
    ChargeBack,
    /// A claim is given up.
    WriteOff,
    /// An open item is taken over from another system.
    Opening,
}

choice_column!(Kind {
    Invoice = "INVOICE",
    InvoiceVoid = "INVOICE_VOID",
    CreditNote = "CREDIT_NOTE",
    Payment = "PAYMENT",
    Allocation = "ALLOCATION",
    Refund = "REFUND",
    ChargeBack = "CHARGE_BACK",
    WriteOff = "WRITE_OFF",
    Opening = "OPENING",
});

/// What an account is for; which one it is says the ledger of the legal entity.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Role {
    /// Where money is.
    Bank,
    /// What customers owe.
    Receivable,
    /// What customers kept back for an authority.
    Withheld,
    /// What customers paid and is not allocated.
    Unallocated,
    /// Taxes.
    Tax,
    /// What is sold.
    Revenue,
    /// What banks take.
    Fees,
    /// What is given up.
    Loss,
    /// What rates made of it meanwhile.
    ExchangeDifference,
    /// What was taken over from another system.
    Equity,
}

choice_column!(Role {
    Bank = "BANK",
    Receivable = "RECEIVABLE",
    Withheld = "WITHHELD",
    Unallocated = "UNALLOCATED",
    Tax = "TAX",
    Revenue = "REVENUE",
    Fees = "FEES",
    Loss = "LOSS",
    ExchangeDifference = "EXCHANGE_DIFFERENCE",
    Equity = "EQUITY",
});

/// A line: a debit above zero, a credit below.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// What its account is for.
    pub role: Role,
    /// Which tax it posts.
    pub tax: Option<TaxKey>,
    /// Invoice whose claim it moves.
    pub invoice: Option<Uuid>,
    /// In the currency of the document.
    pub amount: Minor,
    /// In the currency of the books.
    pub base: Minor,
}

/// Lines that belong together.
#[derive(Clone, Debug, PartialEq)]
pub struct Posting {
    /// What is posted.
    pub kind: Kind,
    /// Name of the resource it is posted for.
    pub document: String,
    /// The customer it is about.
    pub account: Ref<Account>,
    /// Currency of the document.
    pub currency: Currency,
    /// Currency of the books.
    pub base: Currency,
    /// Units of the second for one of the first.
    pub rate: ExchangeRate,
    /// Its lines.
    pub lines: Vec<Line>,
}

/// What a document comes to: its claim, what the buyer keeps back, and its taxes. The rest is revenue.
#[derive(Clone, Debug, PartialEq)]
pub struct Sides {
    /// What is due.
    pub due: Minor,
    /// What the buyer keeps back.
    pub withheld: Minor,
    /// The taxes.
    pub taxes: Vec<(TaxKey, Minor)>,
}

impl Sides {
    /// The same with the other sign: what takes back.
    pub fn negated(&self) -> Result<Self, PricingError> {
        let taxes = self.taxes.iter().map(|(key, amount)| Ok((key.clone(), minus(*amount)?)));
        Ok(Self {
            due: minus(self.due)?,
            withheld: minus(self.withheld)?,
            taxes: taxes.collect::<Result<_, PricingError>>()?,
        })
    }

    /// What is sold: what is due and kept back, without the taxes.
    fn revenue(&self) -> Result<Minor, PricingError> {
        let taxes: i128 = self.taxes.iter().map(|(_, amount)| i128::from(amount.0)).sum();
        fit(i128::from(self.due.0) + i128::from(self.withheld.0) - taxes)
    }
}

impl Posting {
    /// Adds a line; one of nothing is left out.
    pub fn add(&mut self, role: Role, amount: Minor, base: Minor) {
        self.push(Line { role, tax: None, invoice: None, amount, base });
    }

    /// Adds a line that moves the claim of an invoice.
    pub fn claim(&mut self, invoice: Uuid, amount: Minor, base: Minor) {
        self.push(Line { role: Role::Receivable, tax: None, invoice: Some(invoice), amount, base });
    }

    /// Adds the lines of a document: the claim against taxes and revenue. Of a credit note all are below zero.
    pub fn document(&mut self, invoice: Uuid, own: &Sides, base: &Sides) -> Result<(), PricingError> {
        self.claim(invoice, own.due, base.due);
        self.add(Role::Withheld, own.withheld, base.withheld);
        for (key, amount) in &own.taxes {
            let of_base = base.taxes.iter().find(|(other, _)| other == key);
            let (amount, of_base) = (minus(*amount)?, minus(of_base.map_or(Minor(0), |(_, base)| *base))?);
            self.push(Line { role: Role::Tax, tax: Some(key.clone()), invoice: None, amount, base: of_base });
        }
        self.add(Role::Revenue, minus(own.revenue()?)?, minus(base.revenue()?)?);
        Ok(())
    }

    /// Puts what rates made of it into a line, so that it adds up in the currency of the books.
    pub fn level(&mut self) -> Result<(), PricingError> {
        let rest: i128 = self.lines.iter().map(|line| i128::from(line.base.0)).sum();
        self.add(Role::ExchangeDifference, Minor(0), minus(fit(rest)?)?);
        Ok(())
    }

    fn push(&mut self, line: Line) {
        if !(line.amount.is_zero() && line.base.is_zero()) {
            self.lines.push(line);
        }
    }
}

/// The same with the other sign.
pub fn minus(amount: Minor) -> Result<Minor, PricingError> {
    amount.0.checked_neg().map(Minor).ok_or(PricingError::TooLarge)
}

fn fit(amount: i128) -> Result<Minor, PricingError> {
    i64::try_from(amount).map(Minor).map_err(|_| PricingError::TooLarge)
}
