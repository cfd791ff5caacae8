//! How far charges of the whole, such as freight, are invoiced. Pure.
//!
//! Nobody delivers them and nobody cancels one by itself, so that the ledger has none of them: what billing did is kept beside
//! it, and the rest follows from the order.

use serde::{Deserialize, Serialize};
use trato_pricing::{Percent, Quantity};

use super::{
    ledger::{Entry, InvoiceStatus, InvoicingPolicy, fold},
    model::{Order, State},
};

/// What billing did with charges; those with which it did nothing are left out.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(transparent)]
pub struct BilledCharges(pub Vec<BilledCharge>);

/// What billing did with a charge.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct BilledCharge {
    /// Key of the charge.
    pub charge: String,
    /// How much billing has invoiced; the whole charge is one.
    pub invoiced: Quantity,
    /// How much of that billing has credited.
    pub credited: Quantity,
}

impl Order {
    /// The charges of the whole, each as a line of one that nobody delivers; none before the order is confirmed.
    pub fn charges(&self) -> impl Iterator<Item = Entry> {
        let is_agreed = !self.ledger.0.is_empty();
        let charges = self.document.charges.iter().filter(move |_| is_agreed);
        charges.map(move |charge| self.charge(&charge.key))
    }

    /// Notes what billing has invoiced and credited of a charge in all. True when that is news; a charge that is not there is
    /// none of ours.
    pub fn bill_charge(&mut self, key: &str, invoiced: Quantity, credited: Quantity) -> bool {
        if !self.document.charges.iter().any(|charge| *charge.key == *key) {
            return false;
        }
        let told = BilledCharge { charge: key.to_owned(), invoiced, credited };
        let billed = &mut self.billed_charges.0;
        match billed.iter_mut().find(|known| known.charge == key) {
            Some(known) if *known == told => false,
            Some(known) => {
                *known = told;
                true
            }
            None if invoiced.is_zero() && credited.is_zero() => false,
            None => {
                billed.push(told);
                true
            }
        }
    }

    /// How far lines and charges together are invoiced.
    pub fn invoice_status_of_all(&self) -> InvoiceStatus {
        use InvoiceStatus::{NothingToInvoice, Partial, ToCredit};
        let lines = self.ledger.invoice_status(self.invoicing_policy, self.released_percent.0);
        let charges = self.charges().map(|charge| charge_status(&charge));
        fold(std::iter::once(lines).chain(charges), NothingToInvoice, ToCredit, Partial)
    }

    fn charge(&self, key: &str) -> Entry {
        let mut entry = Entry::new(key.to_owned(), Quantity::ONE, false);
        if let Some(billed) = self.billed_charges.0.iter().find(|billed| billed.charge == key) {
            (entry.invoiced, entry.credited) = (billed.invoiced, billed.credited);
        }
        entry.cancelled = self.unwanted(entry.billed());
        entry
    }

    /// How much of a charge is not wanted any more. Once everything that was delivered is refunded, it is for people to say
    /// whether they credit the freight, too: nothing of it is left to be invoiced, and nothing has to be credited.
    fn unwanted(&self, billed: Quantity) -> Quantity {
        let is_wanted = self.ledger.0.iter().any(|entry| !entry.wanted().is_zero());
        match self.state {
            State::Cancelled => Quantity::ONE,
            _ if is_wanted => Quantity::ZERO,
            _ => Quantity::ONE.plus(billed.negated()).unwrap_or(Quantity::ZERO).max(Quantity::ZERO),
        }
    }
}

/// How far a charge is invoiced. It is invoiced as it is ordered, by whatever policy lines are.
pub fn charge_status(charge: &Entry) -> InvoiceStatus {
    charge.invoice_status(InvoicingPolicy::Ordered, Percent::ZERO)
}
