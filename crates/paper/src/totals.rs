//! The sums of a document in the order in which people read them, which is the same for all that has prices.

use trato_types::Minor;

use crate::Sum;

/// What a document comes to. All amounts are given; the order is made here.
#[derive(Clone, Debug, Default)]
pub struct Totals {
    /// Prices have their taxes in them.
    pub included: bool,
    /// Sum of the lines. It is told where something is taken off it or put on it, and prices are without tax.
    pub lines: Minor,
    /// What is taken off the whole and put on it, as [`Sum::Discount`] and [`Sum::Charge`].
    pub adjustments: Vec<Sum>,
    /// Without tax.
    pub net: Minor,
    /// The taxes, as [`Sum::Tax`].
    pub taxes: Vec<Sum>,
    /// With tax.
    pub gross: Minor,
    /// What the buyer withholds, as [`Sum::Withheld`].
    pub withheld: Vec<Sum>,
    /// What was paid before.
    pub prepaid: Minor,
    /// What rounding adds.
    pub rounding: Minor,
    /// What is due in the end; told where it is not the total.
    pub due: Minor,
}

impl Totals {
    /// With prices without taxes: lines, discounts and charges, net, taxes, total. With prices that include them: discounts,
    /// charges and total, then the taxes that are in it. What leads from the total to what is due comes last.
    pub fn in_order(self) -> Vec<Sum> {
        let mut sums = Vec::new();
        if !self.adjustments.is_empty() && !self.included {
            sums.push(Sum::Lines(self.lines));
        }
        sums.extend(self.adjustments);
        if self.included {
            sums.push(Sum::Total(self.gross));
            sums.extend(self.taxes);
        } else {
            sums.push(Sum::Net(self.net));
            sums.extend(self.taxes);
            sums.push(Sum::Total(self.gross));
        }
        sums.extend(self.withheld);
        if !self.prepaid.is_zero() {
            sums.push(Sum::Prepaid(self.prepaid));
        }
        if !self.rounding.is_zero() {
            sums.push(Sum::Rounding(self.rounding));
        }
        if self.due != self.gross {
            sums.push(Sum::Due(self.due));
        }
        sums
    }
}
