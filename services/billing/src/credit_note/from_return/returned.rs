//! What of a return is credited, on which lines of which invoices. Pure.

use std::collections::{BTreeMap, HashMap};

use trato_pricing::{CreditRequest, Portion, Quantity};
use trato_proto::sales::v1::{
    self as sales,
    sales_return::{Disposition, State},
};
use trato_types::{Error, Kind, Result};
use uuid::Uuid;

/// A line of an issued invoice that billed a line of the order.
#[derive(Clone, Debug)]
pub struct Billed {
    /// The invoice. Identifiers grow, so that the first is the oldest.
    pub invoice: Uuid,
    /// Key of its line.
    pub key: String,
    /// Key of the line of the order.
    pub order_line: String,
    /// How much of it is credited already.
    pub credited: Quantity,
    /// How much is not.
    pub left: Quantity,
}

/// How much came back of each line of the order and is refunded. FAILED_PRECONDITION `SOURCE_NOT_READY` unless the return is
/// settled, and something is.
pub fn refunded(sales_return: &sales::SalesReturn) -> Result<BTreeMap<String, Quantity>> {
    let mut refunded = BTreeMap::new();
    if sales_return.state() == State::Settled {
        for line in sales_return.lines.iter().filter(|line| line.disposition() == Disposition::Refund) {
            let sum = refunded.entry(line.order_line.clone()).or_insert(Quantity::ZERO);
            *sum = sum.plus(quantity(&line.received_quantity)?)?;
        }
    }
    refunded.retain(|_, quantity| *quantity > Quantity::ZERO);
    if refunded.is_empty() {
        let message = "the return is not settled, or nothing of it is refunded";
        return Err(Error::new(Kind::Precondition, "SOURCE_NOT_READY", message));
    }
    Ok(refunded)
}

/// How much of each line of an order has come back in all, and did not go to the customer again.
pub fn returned(order: &sales::Order) -> Result<HashMap<String, Quantity>> {
    let returned =
        |progress: &sales::order::Progress| Ok((progress.line.clone(), quantity(&progress.returned)?));
    order.progress.iter().map(returned).collect()
}

/// What is credited of which invoice, the oldest first: as much as is refunded. Of each line of the order no more than is invoiced
/// and not credited, nor than came back in all and is not credited: somebody may have done it by hand.
pub fn split(
    refunded: &BTreeMap<String, Quantity>,
    returned: &HashMap<String, Quantity>,
    billed: &[Billed],
) -> Result<BTreeMap<Uuid, Vec<CreditRequest>>> {
    let mut parts: BTreeMap<Uuid, Vec<CreditRequest>> = BTreeMap::new();
    for (order_line, refunded) in refunded {
        let mut of_line: Vec<&Billed> = billed.iter().filter(|one| one.order_line == *order_line).collect();
        of_line.sort_by_key(|one| one.invoice);
        let mut open = returned.get(order_line).copied().unwrap_or(Quantity::ZERO);
        for one in &of_line {
            open = open.plus(one.credited.negated())?;
        }
        let mut left = open.min(*refunded);
        for one in of_line {
            let part = one.left.min(left);
            if part > Quantity::ZERO {
                left = left.plus(part.negated())?;
                let request =
                    CreditRequest { key: one.key.as_str().into(), portion: Portion::Quantity(part) };
                parts.entry(one.invoice).or_default().push(request);
            }
        }
    }
    Ok(parts)
}

fn quantity(text: &str) -> Result<Quantity> {
    if text.is_empty() { Ok(Quantity::ZERO) } else { text.parse().map_err(Error::internal) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(number: i64) -> Quantity {
        Quantity::whole(number).expect("a quantity")
    }

    /// Refunds so much of line 1, of which so much has come back in all, when so much is credited and left of lines of invoices.
    fn parts(
        refunded: i64,
        returned: i64,
        billed: &[(u128, &str, i64, i64)],
    ) -> Vec<(u128, String, Quantity)> {
        let billed = billed.iter().map(|(invoice, key, credited, left)| Billed {
            invoice: Uuid::from_u128(*invoice),
            key: (*key).to_owned(),
            order_line: "1".to_owned(),
            credited: of(*credited),
            left: of(*left),
        });
        let refunded = BTreeMap::from([("1".to_owned(), of(refunded))]);
        let returned = HashMap::from([("1".to_owned(), of(returned))]);
        let split = split(&refunded, &returned, &billed.collect::<Vec<_>>()).expect("it adds up");
        let mut parts = Vec::new();
        for (invoice, requests) in split {
            for request in requests {
                let Portion::Quantity(quantity) = request.portion else { panic!("{request:?}") };
                parts.push((invoice.as_u128(), request.key.to_string(), quantity));
            }
        }
        parts
    }

    /// DOC-09: what is refunded is credited on the oldest invoices first, and never beyond what is invoiced and not credited, nor a
    /// second time.
    #[test]
    fn what_is_refunded_is_credited_on_the_oldest_invoices_first() {
        let part = |invoice: u128, key: &str, quantity| (invoice, key.to_owned(), of(quantity));

        assert_eq!(parts(2, 2, &[(7, "1", 0, 2)]), [part(7, "1", 2)]);
        assert_eq!(parts(3, 3, &[(9, "1", 0, 2), (7, "4", 0, 2)]), [part(7, "4", 2), part(9, "1", 1)]);
        assert_eq!(parts(5, 5, &[(7, "1", 0, 2)]), [part(7, "1", 2)], "the rest was never invoiced");
        assert_eq!(parts(2, 5, &[(7, "1", 3, 1), (8, "1", 0, 6)]), [part(7, "1", 1), part(8, "1", 1)]);
        assert_eq!(parts(2, 2, &[(7, "1", 1, 7)]), [part(7, "1", 1)], "one was credited by hand");
        assert!(parts(2, 2, &[(7, "1", 3, 5)]).is_empty(), "all of it was, and more");
        assert!(parts(2, 2, &[]).is_empty(), "nothing was invoiced");
    }

    /// DOC-09: nothing is credited of a return before it is settled, nor of what goes back or is replaced.
    #[test]
    fn what_is_settled_by_refund_is_credited() {
        let line = |disposition: Disposition, quantity: &str| sales::sales_return::Line {
            order_line: "1".into(),
            received_quantity: quantity.into(),
            disposition: disposition.into(),
            ..Default::default()
        };
        let of_state = |state: State, lines| {
            let sales_return = sales::SalesReturn { state: state.into(), lines, ..Default::default() };
            refunded(&sales_return).map(|refunded| refunded.get("1").copied())
        };
        let lines = || {
            vec![
                line(Disposition::Refund, "1"),
                line(Disposition::Replace, "3"),
                line(Disposition::Refund, "4"),
            ]
        };

        assert_eq!(of_state(State::Settled, lines()).expect("it is settled"), Some(of(5)));
        let goes_back = vec![line(Disposition::Repair, "1")];
        for refused in [of_state(State::Inspected, lines()), of_state(State::Settled, goes_back)] {
            assert_eq!(refused.expect_err("nothing is refunded").reason(), "SOURCE_NOT_READY");
        }
    }
}
