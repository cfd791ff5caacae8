//! Whole numbers of minor units: rounded once, half away from zero (D13), and shared by the largest remainder.

use trato_types::Minor;

use crate::PricingError;

/// Fractions of a minor unit are compared by this many parts.
const PARTS: i128 = 10_i128.pow(18);

/// Divides and rounds half away from zero, so that an amount and its negation round alike. `divisor` is above zero.
pub(crate) fn divide(dividend: i128, divisor: i128) -> i128 {
    let (quotient, rest) = (dividend / divisor, dividend % divisor);
    // Not `2 * rest`, which may not fit.
    if rest.abs() >= divisor - rest.abs() { quotient + dividend.signum() } else { quotient }
}

/// `dividend / divisor` as an amount.
pub(crate) fn amount(dividend: i128, divisor: i128) -> Result<Minor, PricingError> {
    minor(divide(dividend, divisor))
}

pub(crate) fn minor(number: i128) -> Result<Minor, PricingError> {
    i64::try_from(number).map(Minor).map_err(|_| PricingError::TooLarge)
}

pub(crate) fn wide(amount: Minor) -> i128 {
    i128::from(amount.0)
}

/// The sum of amounts.
pub(crate) fn sum(amounts: impl IntoIterator<Item = Minor>) -> Result<Minor, PricingError> {
    // Fewer than 2^63 amounts of 2^63 always fit.
    minor(amounts.into_iter().map(wide).sum())
}

/// What is left of an amount.
pub(crate) fn minus(whole: Minor, part: Minor) -> Result<Minor, PricingError> {
    minor(wide(whole) - wide(part))
}

/// The same with the other sign.
pub(crate) fn negated(amount: Minor) -> Result<Minor, PricingError> {
    minor(-wide(amount))
}

/// What somebody would get if minor units could be divided.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Share {
    whole: i128,
    /// The rest in `PARTS`, with the sign of the share.
    fraction: i128,
}

impl Share {
    /// `dividend / divisor`; the divisor is above zero and fits 64 bits, so that nothing here overflows.
    pub(crate) fn of(dividend: i128, divisor: i128) -> Self {
        Self { whole: dividend / divisor, fraction: dividend % divisor * PARTS / divisor }
    }

    fn is_zero(self) -> bool {
        self.whole == 0 && self.fraction == 0
    }
}

/// Lines on both sides of zero may each be far larger than their sum.
fn checked_sum(mut numbers: impl Iterator<Item = i128>) -> Result<i128, PricingError> {
    numbers.try_fold(0_i128, i128::checked_add).ok_or(PricingError::TooLarge)
}

/// The sum of shares, rounded once.
pub(crate) fn rounded_sum(shares: &[(Share, &str)]) -> Result<Minor, PricingError> {
    let whole = checked_sum(shares.iter().map(|(share, _)| share.whole))?;
    let fraction: i128 = shares.iter().map(|(share, _)| share.fraction).sum();
    let parts = whole.checked_mul(PARTS).and_then(|parts| parts.checked_add(fraction));
    amount(parts.ok_or(PricingError::TooLarge)?, PARTS)
}

/// Shares `total` so that the parts add up to it: each gets the whole units of its share, and what is left goes, a unit
/// each, to the largest remainders. Equal ones are told apart by the size of the share and then by the key, never by
/// their place, so that the order of lines changes nothing; and parts of the negated total are the negated parts.
pub(crate) fn apportion(total: Minor, shares: &[(Share, &str)]) -> Result<Vec<Minor>, PricingError> {
    let mut parts: Vec<i128> = shares.iter().map(|(share, _)| share.whole).collect();
    let rest = wide(total).checked_sub(checked_sum(parts.iter().copied())?).ok_or(PricingError::TooLarge)?;
    if rest != 0 {
        let direction = rest.signum();
        // A free line gets none of it, unless all are free.
        let mut order: Vec<usize> = (0..shares.len()).filter(|at| !shares[*at].0.is_zero()).collect();
        if order.is_empty() {
            order = (0..shares.len()).collect();
        }
        let takers = i128::try_from(order.len()).map_err(|_| PricingError::TooLarge)?;
        if takers == 0 {
            return Err(PricingError::NothingToShare);
        }
        order.sort_by(|a, b| {
            let ((a, a_key), (b, b_key)) = (shares[*a], shares[*b]);
            (b.fraction * direction, b.whole.abs(), a_key).cmp(&(
                a.fraction * direction,
                a.whole.abs(),
                b_key,
            ))
        });
        let (each, mut extra) = (rest / takers, (rest % takers).abs());
        for at in order {
            parts[at] += each;
            if extra > 0 {
                parts[at] += direction;
                extra -= 1;
            }
        }
    }
    parts.into_iter().map(minor).collect()
}

/// Shares `total` in proportion to weights; equally, when they add up to nothing.
pub(crate) fn by_weight(total: Minor, weights: &[(Minor, &str)]) -> Result<Vec<Minor>, PricingError> {
    let sum = sum(weights.iter().map(|(weight, _)| *weight))?;
    let share = |weight: Minor| match sum.0 {
        0 => Share::of(wide(total), i128::try_from(weights.len()).unwrap_or(1)),
        _ => Share::of(wide(total) * wide(weight) * i128::from(sum.0.signum()), wide(sum).abs()),
    };
    let shares: Vec<_> = weights.iter().map(|(weight, key)| (share(*weight), *key)).collect();
    apportion(total, &shares)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_are_rounded_away_from_zero_on_both_sides() {
        for (dividend, divisor, expected) in [
            (5, 10, 1),
            (-5, 10, -1),
            (4, 10, 0),
            (-4, 10, 0),
            (15, 10, 2),
            (25, 10, 3),
            (-25, 10, -3),
            (7, 7, 1),
        ] {
            assert_eq!(divide(dividend, divisor), expected, "{dividend}/{divisor}");
        }
        assert_eq!(divide(i128::MAX, i128::MAX), 1);
        assert_eq!(divide(i128::MAX - 1, i128::MAX), 1);
    }

    #[test]
    fn a_total_is_shared_to_the_last_unit_whatever_the_order() {
        let weights = [(Minor(1), "a"), (Minor(1), "b"), (Minor(1), "c")];
        assert_eq!(by_weight(Minor(100), &weights), Ok(vec![Minor(34), Minor(33), Minor(33)]));
        assert_eq!(by_weight(Minor(-100), &weights), Ok(vec![Minor(-34), Minor(-33), Minor(-33)]));

        let turned = [weights[2], weights[0], weights[1]];
        assert_eq!(by_weight(Minor(100), &turned), Ok(vec![Minor(33), Minor(34), Minor(33)]));
    }

    #[test]
    fn nothing_weighs_like_nothing_unless_everything_does() {
        let one_free = [(Minor(0), "a"), (Minor(3), "b")];
        assert_eq!(by_weight(Minor(5), &one_free), Ok(vec![Minor(0), Minor(5)]));
        let all_free = [(Minor(0), "a"), (Minor(0), "b")];
        assert_eq!(by_weight(Minor(5), &all_free), Ok(vec![Minor(3), Minor(2)]));
        assert_eq!(by_weight(Minor(5), &[]), Err(PricingError::NothingToShare));
        assert_eq!(by_weight(Minor(0), &[]), Ok(vec![]));
    }

    #[test]
    fn the_largest_amounts_are_shared_too() {
        let weights = [(Minor(i64::MAX / 2), "a"), (Minor(i64::MAX / 2), "b")];
        let parts = by_weight(Minor(i64::MAX), &weights).expect("they fit");
        assert_eq!(parts.iter().map(|part| i128::from(part.0)).sum::<i128>(), i128::from(i64::MAX));
        assert_eq!(sum([Minor(i64::MAX), Minor(1)]), Err(PricingError::TooLarge));
    }
}
