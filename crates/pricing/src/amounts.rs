//! Arithmetic of the amounts of a line, component by component.

use trato_types::Minor;

use crate::{
    Amounts, PricingError,
    exact::{amount, minus, sum, wide},
};

impl Amounts {
    /// True when no amount is left.
    pub fn is_zero(&self) -> bool {
        self.net.is_zero()
            && self.gross.is_zero()
            && self.taxes.iter().all(|tax| tax.amount.is_zero())
            && self.withheld.iter().all(|one| one.amount.is_zero())
    }

    /// What is left after a part of it.
    pub(crate) fn less(&self, part: &Self) -> Result<Self, PricingError> {
        self.require_alike(part)?;
        let mut rest = self.clone();
        rest.net = minus(self.net, part.net)?;
        rest.gross = minus(self.gross, part.gross)?;
        for (own, part) in rest.taxes.iter_mut().zip(&part.taxes) {
            own.amount = minus(own.amount, part.amount)?;
        }
        for (own, part) in rest.withheld.iter_mut().zip(&part.withheld) {
            own.amount = minus(own.amount, part.amount)?;
        }
        Ok(rest)
    }

    /// The part of these amounts that is to them as `part` is to `whole`: what takes all there takes all here.
    pub(crate) fn part_like(&self, part: &Self, whole: &Self) -> Result<Self, PricingError> {
        self.require_alike(part)?;
        self.require_alike(whole)?;
        let mut here = self.clone();
        here.net = proportion(self.net, part.net, whole.net)?;
        for ((own, part), whole) in here.taxes.iter_mut().zip(&part.taxes).zip(&whole.taxes) {
            own.amount = proportion(own.amount, part.amount, whole.amount)?;
        }
        for ((own, part), whole) in here.withheld.iter_mut().zip(&part.withheld).zip(&whole.withheld) {
            own.amount = proportion(own.amount, part.amount, whole.amount)?;
        }
        here.gross = sum(here.taxes.iter().map(|tax| tax.amount).chain([here.net]))?;
        Ok(here)
    }

    /// Amounts of one line have the same taxes in the same order; a caller may have read them in another one.
    fn require_alike(&self, other: &Self) -> Result<(), PricingError> {
        let alike = self.key == other.key
            && self.taxes.iter().map(|tax| &tax.key).eq(other.taxes.iter().map(|tax| &tax.key))
            && self.withheld.iter().map(|one| &one.key).eq(other.withheld.iter().map(|one| &one.key));
        if alike { Ok(()) } else { Err(PricingError::UnknownKey) }
    }
}

/// What is to `own` as `part` is to `whole`; all of it for the whole.
pub(crate) fn proportion(own: Minor, part: Minor, whole: Minor) -> Result<Minor, PricingError> {
    if part == whole {
        return Ok(own);
    }
    if whole.is_zero() {
        return Ok(Minor(0));
    }
    amount(wide(own) * wide(part) * i128::from(whole.0.signum()), wide(whole).abs())
}
