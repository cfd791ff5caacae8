//! What an invoice and its credits post. Pure.

use trato_pricing::{Balance, Credit, ExchangeRate, Priced, PricingError};
use trato_types::{Currency, Id, Minor, Result};
use uuid::Uuid;

use super::{
    model::{Invoice, InvoiceError},
    settlement::Residue,
};
use crate::books::{Books, Claim, Kind, NotPosted, Posting, Role, Sides, minus};

impl Invoice {
    /// Posts the invoice in books of a currency, converted once at a rate; what is open of it there goes along with it.
    pub fn post(&mut self, id: Uuid, base: Currency, rate: ExchangeRate) -> Result<Posting> {
        let (own, converted) = self.sides(base, rate)?;
        self.books = Books(Some(Claim { currency: base, rate, open: converted.due, balance: None }));
        let mut posting = self.posting(Kind::Invoice, id)?;
        posting.document(id, &own, &converted)?;
        Ok(posting)
    }

    /// Takes back what was posted of an invoice that is voided; none where nothing was.
    pub fn post_back(&mut self, id: Uuid) -> Result<Option<Posting>> {
        let Some(claim) = self.books.0.as_mut() else { return Ok(None) };
        claim.open = Minor(0);
        let (base, rate) = (claim.currency, claim.rate);
        let (own, converted) = self.sides(base, rate)?;
        let mut posting = self.posting(Kind::InvoiceVoid, id)?;
        posting.document(id, &own.negated()?, &converted.negated()?)?;
        Ok(Some(posting))
    }

    /// Posts a credit that this invoice has taken. `before` is what was left before it.
    pub fn post_credit(&mut self, id: Uuid, before: &Balance, credit: &Credit) -> Result<Posting> {
        let claim = self.books.0.as_ref().ok_or(NotPosted)?;
        let mut posting = self.posting(Kind::CreditNote, id)?;
        let own = of_credit(credit);
        let converted = if claim.currency == self.currency_code {
            own.clone()
        } else {
            let left = match &claim.balance {
                Some(left) => left.clone(),
                None => {
                    let priced = self.priced()?;
                    priced.convert(claim.currency, claim.rate)?.balance(priced)
                }
            };
            let (alike, left) = left.credit_alike(before, credit)?;
            self.books.posted()?.balance = Some(left);
            of_credit(&alike)
        };
        self.credited_due =
            Minor(self.credited_due.0.checked_add(credit.due.0).ok_or(PricingError::TooLarge)?);
        self.books.posted()?.put(minus(converted.due)?)?;
        posting.document(id, &own.negated()?, &converted.negated()?)?;
        let residue = self.residue()?;
        posting.settle(id, residue)?;
        Ok(posting)
    }

    /// A posting about this invoice without lines.
    pub fn posting(&self, kind: Kind, id: Uuid) -> Result<Posting, NotPosted> {
        let claim = self.books.0.as_ref().ok_or(NotPosted)?;
        Ok(Posting {
            kind,
            document: Id::<Self>::from_uuid(id).name(),
            account: self.account,
            currency: self.currency_code,
            base: claim.currency,
            rate: claim.rate,
            lines: Vec::new(),
        })
    }

    fn priced(&self) -> Result<&Priced, InvoiceError> {
        self.amounts.0.as_ref().ok_or(InvoiceError::NotIssued)
    }

    fn sides(&self, base: Currency, rate: ExchangeRate) -> Result<(Sides, Sides)> {
        let priced = self.priced()?;
        let own = Sides {
            due: priced.totals.due,
            withheld: priced.totals.withheld,
            taxes: priced.groups.iter().map(|group| (group.key.clone(), group.tax)).collect(),
        };
        if base == self.currency_code {
            return Ok((own.clone(), own));
        }
        let converted = priced.convert(base, rate)?;
        let converted = Sides {
            due: converted.due,
            withheld: converted.withheld,
            taxes: converted.groups.into_iter().map(|group| (group.key, group.tax)).collect(),
        };
        Ok((own, converted))
    }
}

impl Posting {
    /// Puts what rounding left of a claim where differences of rates are.
    pub fn settle(&mut self, invoice: Uuid, residue: Residue) -> Result<(), PricingError> {
        self.claim(invoice, Minor(0), minus(residue.0)?);
        self.add(Role::ExchangeDifference, Minor(0), residue.0);
        Ok(())
    }
}

fn of_credit(credit: &Credit) -> Sides {
    Sides {
        due: credit.due,
        withheld: credit.withheld,
        taxes: credit.groups.iter().map(|group| (group.key.clone(), group.tax)).collect(),
    }
}
