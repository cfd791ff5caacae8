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
    /// The charges of the whole, each as a line that nobody delivers, and of which as much is ordered as may be invoiced; none
    /// before the order is confirmed.
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

    /// True while something of a line or of a charge may be invoiced: an order is partly invoiced, too, when one line is
    /// invoiced and another one credited.
    pub fn is_to_invoice(&self) -> bool {
        let (policy, released) = (self.invoicing_policy, self.released_percent.0);
        let lines = self.ledger.0.iter().map(|entry| entry.invoice_status(policy, released));
        let mut statuses = lines.chain(self.charges().map(|charge| charge_status(&charge)));
        statuses.any(|status| matches!(status, InvoiceStatus::ToInvoice | InvoiceStatus::Partial))
    }

    fn charge(&self, key: &str) -> Entry {
        let billed = self.billed_charges.0.iter().find(|billed| billed.charge == key);
        let nothing = (Quantity::ZERO, Quantity::ZERO);
        let (invoiced, credited) = billed.map_or(nothing, |billed| (billed.invoiced, billed.credited));
        let mut entry = Entry { invoiced, credited, ..Entry::new(key.to_owned(), Quantity::ZERO, false) };
        entry.ordered = self.due(entry.billed());
        entry
    }

    /// How much of a charge may be invoiced in all: it comes with the first of what is delivered, or with its share of what
    /// milestones release. Once everything that was delivered is refunded, it is for people to say whether they credit the
    /// freight, too: nothing of it is left to be invoiced, and nothing has to be credited. Billing invoices by the same rule.
    fn due(&self, billed: Quantity) -> Quantity {
        let goods = || self.ledger.0.iter().filter(|entry| entry.deliverable);
        let any = |has: fn(&Entry) -> bool| goods().next().is_none() || goods().any(has);
        match self.invoicing_policy {
            _ if self.state == State::Cancelled => Quantity::ZERO,
            _ if !any(|good| !good.wanted().is_zero()) => billed.min(Quantity::ONE),
            InvoicingPolicy::Delivered if !any(|good| !good.delivered.is_zero()) => Quantity::ZERO,
            // At most the whole is released, which always fits.
            InvoicingPolicy::Milestone => {
                Quantity::ONE.share(self.released_percent.0).unwrap_or(Quantity::ONE)
            }
            InvoicingPolicy::Ordered | InvoicingPolicy::Prepaid | InvoicingPolicy::Delivered => Quantity::ONE,
        }
    }
}

/// How far a charge is invoiced, of which so much may be as its entry says that is ordered.
pub fn charge_status(charge: &Entry) -> InvoiceStatus {
    charge.invoice_status(InvoicingPolicy::Ordered, Percent::ZERO)
}
