//! What a document or a payment has left in the currency of the books. Pure.

use serde::{Deserialize, Serialize};
use trato_pricing::{Balance, ExchangeRate, PricingError, convert};
use trato_types::{Currency, DomainError, Minor, Result};

/// What something posted has left in the currency of the books. It is stored as JSON.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Claim {
    /// Currency of the books.
    pub currency: Currency,
    /// Units of it for one of the document's.
    pub rate: ExchangeRate,
    /// What is open of it.
    pub open: Minor,
    /// What credits have left of a document in another currency; none before the first.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub balance: Option<Balance>,
}

/// What the books know of a document; nothing before it is posted.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Books(pub Option<Claim>);

/// It was issued before there were books.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("it was never posted")]
pub struct NotPosted;

impl DomainError for NotPosted {
    fn reason(&self) -> &'static str {
        "NOT_POSTED"
    }
}

impl Books {
    /// What is left of what was posted. FAILED_PRECONDITION `NOT_POSTED` where nothing was.
    pub fn posted(&mut self) -> Result<&mut Claim, NotPosted> {
        self.0.as_mut().ok_or(NotPosted)
    }
}

impl Claim {
    /// All of an amount, converted once.
    pub fn of(
        amount: Minor,
        from: Currency,
        currency: Currency,
        rate: ExchangeRate,
    ) -> Result<Self, PricingError> {
        Ok(Self { currency, rate, open: convert(amount, from, currency, rate)?, balance: None })
    }

    /// Takes the share of a part of what is open; the last part takes all of it.
    pub fn take(&mut self, taken: Minor, whole: Minor) -> Result<Minor, PricingError> {
        let share = part(self.open, taken, whole)?;
        self.open = less(self.open, share)?;
        Ok(share)
    }

    /// Puts back what was taken.
    pub fn put(&mut self, share: Minor) -> Result<(), PricingError> {
        self.open = less(self.open, Minor(share.0.checked_neg().ok_or(PricingError::TooLarge)?))?;
        Ok(())
    }
}

/// As much of `of` as `taken` is of `whole`, rounded half away from zero; all of it for the whole.
pub fn part(of: Minor, taken: Minor, whole: Minor) -> Result<Minor, PricingError> {
    if taken == whole {
        return Ok(of);
    }
    let divisor = i128::from(whole.0);
    if divisor == 0 {
        return Err(PricingError::NothingToShare);
    }
    // Two factors of 64 bits fit.
    let (dividend, divisor) = (i128::from(of.0) * i128::from(taken.0) * divisor.signum(), divisor.abs());
    let (quotient, rest) = (dividend / divisor, dividend % divisor);
    let rounded = if rest.abs() >= divisor - rest.abs() { quotient + dividend.signum() } else { quotient };
    i64::try_from(rounded).map(Minor).map_err(|_| PricingError::TooLarge)
}

fn less(whole: Minor, part: Minor) -> Result<Minor, PricingError> {
    whole.0.checked_sub(part.0).map(Minor).ok_or(PricingError::TooLarge)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_part_is_rounded_once_and_alike_on_both_sides_of_zero() {
        for (of, taken, whole, share) in [
            (100, 1, 3, 33),
            (200, 1, 3, 67),
            (1, 1, 2, 1),
            (-1, 1, 2, -1),
            (-200, 1, 3, -67),
            (90, -50, -100, 45),
        ] {
            assert_eq!(part(Minor(of), Minor(taken), Minor(whole)), Ok(Minor(share)), "{of} {taken}/{whole}");
        }
        assert_eq!(part(Minor(7), Minor(0), Minor(0)), Ok(Minor(7)), "the whole of nothing is all");
        assert_eq!(part(Minor(7), Minor(1), Minor(0)), Err(PricingError::NothingToShare));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        /// DOC-18: however a claim is paid in parts, the last of them leaves nothing in the currency of the books either.
        #[test]
        fn the_last_part_leaves_nothing(
            whole in 1_i64..1_000_000_000,
            rate in 1_u32..2_000_000,
            parts in proptest::collection::vec(1_i64..1_000_000_000, 0..8),
        ) {
            let rate = format!("{}.{:06}", rate / 1_000_000, rate % 1_000_000).parse().expect("a rate");
            let eur = Currency::parse("EUR").expect("a code");
            let mut claim = Claim::of(Minor(whole), Currency::USD, eur, rate).expect("it fits");
            let (all, mut left, mut shares) = (claim.open, whole, 0);
            for taken in parts.into_iter().chain([i64::MAX]) {
                let taken = taken.min(left);
                shares += claim.take(Minor(taken), Minor(left)).expect("it fits").0;
                left -= taken;
            }
            prop_assert_eq!((left, claim.open, shares), (0, Minor(0), all.0));
        }
    }
}
