//! What an order of sales says of its reservation. Pure.

use rust_decimal::Decimal;
use trato_pricing::Quantity;
use trato_proto::{
    google::value::Money,
    sales::v1::{
        self as sales,
        order::{InvoiceStatus, InvoicingPolicy, State},
    },
    wire,
};
use trato_types::{Currency, Error, Minor, Ref, Result};

use super::model::Wanted;
use crate::foreign::Account;

/// An order, as far as it concerns credit.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Ordered {
    /// Its name.
    pub name: String,
    /// Who ordered.
    pub account: Ref<Account>,
    /// Currency of its document.
    pub currency: Currency,
    /// The quote it came of; empty when it came of none.
    pub quote: String,
    /// What is to be reserved for it.
    pub wanted: Wanted,
    /// What it came to with tax when it was confirmed; zero for one that never was.
    pub agreed: Minor,
}

impl Ordered {
    /// Reads an order as its events tell it.
    pub fn read(order: &sales::Order) -> Result<Self> {
        let document = order.document.as_ref().ok_or_else(|| Error::internal("an order without document"))?;
        let wanted = match order.state() {
            _ if order.delete_time.is_some() => Wanted::Nothing,
            State::Unspecified | State::Draft => Wanted::Undecided,
            State::Confirmed | State::InFulfilment => wanted_of(order, document)?,
            // What is delivered is owed, though no invoice says so yet.
            State::Fulfilled | State::Closed if is_to_invoice(order) => wanted_of(order, document)?,
            State::Fulfilled if is_to_be_released(order)? => wanted_of(order, document)?,
            State::Fulfilled | State::Closed | State::Cancelled => Wanted::Nothing,
        };
        Ok(Self {
            name: order.name.clone(),
            account: Ref::parse(&order.account).map_err(Error::internal)?,
            currency: Currency::parse(&document.currency_code).map_err(Error::internal)?,
            quote: order.quote.clone(),
            wanted,
            agreed: if order.order_date.is_some() { total_of(document)? } else { Minor(0) },
        })
    }
}

/// True while something of a line or a charge is left to be invoiced. The status of the whole order does not say: it is
/// TO_CREDIT when one line is, and PARTLY_INVOICED when one is invoiced and another credited.
fn is_to_invoice(order: &sales::Order) -> bool {
    let lines = order.progress.iter().map(sales::order::Progress::invoice_status);
    let charges = order.charge_progress.iter().map(sales::order::ChargeProgress::invoice_status);
    let is_left = |status| matches!(status, InvoiceStatus::ToInvoice | InvoiceStatus::PartlyInvoiced);
    lines.chain(charges).any(is_left)
}

/// True while milestones have not released all of it.
fn is_to_be_released(order: &sales::Order) -> Result<bool> {
    let percent = &order.released_percent;
    let released: Decimal =
        if percent.is_empty() { "0" } else { percent }.parse().map_err(Error::internal)?;
    Ok(order.invoicing_policy() == InvoicingPolicy::Milestone && released < Decimal::ONE_HUNDRED)
}

fn wanted_of(order: &sales::Order, document: &sales::SalesDocument) -> Result<Wanted> {
    let whole = amount_of(order, document)?;
    Ok(Wanted::Amount { whole, delivered: delivered_of(order, document, whole)? })
}

/// What of the whole is delivered and has not come back: all but the goods that are still to be delivered. What nobody delivers,
/// such as fees and charges, goes with the first of the goods; where there are none, nothing waits for a delivery.
fn delivered_of(order: &sales::Order, document: &sales::SalesDocument, whole: Minor) -> Result<Minor> {
    let (mut left, mut has_goods, mut is_begun) = (whole, false, false);
    for line in document.lines.iter().chain(&document.given_lines) {
        let progress = order.progress.iter().find(|progress| progress.line == line.key);
        let Some(progress) = progress.filter(|_| !order.undelivered_lines.contains(&line.key)) else {
            continue;
        };
        let ordered = quantity(&progress.ordered)?;
        let delivered = less(quantity(&progress.delivered)?, quantity(&progress.returned)?)?;
        let wanted = less(ordered, quantity(&progress.cancelled)?)?;
        let waiting = less(wanted, delivered)?.max(Quantity::ZERO);
        let gross = minor(line.amounts.as_ref().and_then(|amounts| amounts.gross.as_ref()))?;
        let part = waiting.part_of(gross, Quantity::ZERO, ordered)?;
        left = Minor(left.0.saturating_sub(part.0));
        has_goods = true;
        is_begun |= delivered > Quantity::ZERO;
    }
    Ok(if is_begun || !has_goods { left.clamp(Minor(0), whole) } else { Minor(0) })
}

/// What the order comes to with tax, less the part of each line that is cancelled; charges of the whole stay.
fn amount_of(order: &sales::Order, document: &sales::SalesDocument) -> Result<Minor> {
    let mut left = total_of(document)?;
    for line in document.lines.iter().chain(&document.given_lines) {
        let Some(progress) = order.progress.iter().find(|progress| progress.line == line.key) else {
            continue;
        };
        let cancelled = quantity(&progress.cancelled)?;
        let gross = minor(line.amounts.as_ref().and_then(|amounts| amounts.gross.as_ref()))?;
        let part = cancelled.part_of(gross, Quantity::ZERO, quantity(&progress.ordered)?)?;
        left = Minor(left.0.saturating_sub(part.0));
    }
    Ok(left.max(Minor(0)))
}

fn total_of(document: &sales::SalesDocument) -> Result<Minor> {
    let totals = document.totals.as_ref().ok_or_else(|| Error::internal("an order without totals"))?;
    minor(totals.gross.as_ref())
}

fn minor(money: Option<&Money>) -> Result<Minor> {
    money.map_or(Ok(Minor(0)), |money| {
        wire::parse_money(money).map(|(amount, _)| amount).map_err(Error::internal)
    })
}

fn less(whole: Quantity, part: Quantity) -> Result<Quantity> {
    whole.plus(part.negated()).map_err(Error::internal)
}

fn quantity(text: &str) -> Result<Quantity> {
    if text.is_empty() { Ok(Quantity::ZERO) } else { text.parse().map_err(Error::internal) }
}

#[cfg(test)]
mod tests {
    use trato_proto::sales::v1::{
        SalesDocument,
        order::{ChargeProgress, Progress},
        price_document_response as priced,
        sales_document::Line,
    };

    use super::*;

    fn euros(cents: i64) -> Option<Money> {
        wire::money(Minor(cents), Currency::parse("EUR").expect("a code")).into()
    }

    fn order(state: State, cancelled: [&str; 2]) -> sales::Order {
        let line = |key: &str, cents| Line {
            key: key.into(),
            amounts: Some(priced::Line { gross: euros(cents), ..Default::default() }),
            ..Default::default()
        };
        let progress = |line: &str, cancelled: &str| Progress {
            line: line.into(),
            ordered: "3".into(),
            cancelled: cancelled.into(),
            ..Default::default()
        };
        sales::Order {
            name: "orders/1".into(),
            account: format!("accounts/{}", uuid::Uuid::nil()),
            document: Some(SalesDocument {
                currency_code: "EUR".into(),
                lines: vec![line("1", 100), line("2", 1000)],
                // With a charge of 5.00.
                totals: Some(priced::Totals { gross: euros(1600), ..Default::default() }),
                ..Default::default()
            }),
            state: state.into(),
            progress: vec![progress("1", cancelled[0]), progress("2", cancelled[1])],
            ..Default::default()
        }
    }

    /// So much is wanted, and nothing of it is delivered.
    fn undelivered(whole: i64) -> Wanted {
        Wanted::Amount { whole: Minor(whole), delivered: Minor(0) }
    }

    /// XTR-05: what is delivered of an order and has not come back is told apart, and with the first of it what nobody delivers; an
    /// order of which nobody delivers anything waits for no delivery.
    #[test]
    fn what_is_delivered_of_an_order_is_told_apart() {
        for (fees, cancelled, [first, second], whole, delivered) in [
            ("", ["0", "0"], [("0", "0"), ("0", "0")], 1600, 0),
            ("", ["0", "0"], [("3", "0"), ("0", "0")], 1600, 600),
            ("", ["0", "1"], [("2", "1"), ("1", "0")], 1267, 867),
            ("", ["0", "0"], [("3", "3"), ("3", "3")], 1600, 0),
            ("", ["0", "0"], [("3", "0"), ("3", "0")], 1600, 1600),
            ("", ["0", "0"], [("4", "0"), ("3", "0")], 1600, 1600),
            ("2", ["0", "0"], [("0", "0"), ("0", "0")], 1600, 0),
            ("2", ["0", "0"], [("1", "0"), ("0", "0")], 1600, 1533),
            ("1 2", ["0", "0"], [("0", "0"), ("0", "0")], 1600, 1600),
        ] {
            let mut order = order(State::InFulfilment, cancelled);
            order.undelivered_lines = fees.split_whitespace().map(str::to_owned).collect();
            for (progress, (delivered, returned)) in order.progress.iter_mut().zip([first, second]) {
                (progress.delivered, progress.returned) = (delivered.to_owned(), returned.to_owned());
            }
            let wanted = Wanted::Amount { whole: Minor(whole), delivered: Minor(delivered) };
            assert_eq!(Ordered::read(&order).expect("an order").wanted, wanted, "{order:?}");
        }
    }

    /// DOC-04, XTR-05: an order of which nothing is left to be delivered is reserved for until all of its lines are invoiced, also
    /// those that milestones have not released yet.
    #[test]
    fn what_is_delivered_and_not_invoiced_is_reserved() {
        use InvoiceStatus::{Credited, Invoiced, NothingToInvoice, PartlyInvoiced, ToCredit, ToInvoice};
        let all = undelivered(1600);
        for (statuses, wanted) in [
            ([ToInvoice, ToInvoice], all),
            ([Invoiced, PartlyInvoiced], all),
            ([ToCredit, ToInvoice], all),
            ([Invoiced, Invoiced], Wanted::Nothing),
            ([Invoiced, Credited], Wanted::Nothing),
            ([ToCredit, NothingToInvoice], Wanted::Nothing),
        ] {
            let mut closed = order(State::Closed, ["0", "0"]);
            for (progress, status) in closed.progress.iter_mut().zip(statuses) {
                progress.invoice_status = status.into();
            }
            assert_eq!(Ordered::read(&closed).expect("an order").wanted, wanted, "{statuses:?}");
            closed.state = State::Fulfilled.into();
            assert_eq!(Ordered::read(&closed).expect("an order").wanted, wanted, "{statuses:?}");
            let by_milestones = |released: &str| {
                let (policy, released_percent) = (InvoicingPolicy::Milestone.into(), released.to_owned());
                let order = sales::Order { invoicing_policy: policy, released_percent, ..closed.clone() };
                Ordered::read(&order).expect("an order").wanted
            };
            assert_eq!((by_milestones("30"), by_milestones("100")), (all, wanted), "{statuses:?}");
            closed.state = State::Cancelled.into();
            assert_eq!(Ordered::read(&closed).expect("an order").wanted, Wanted::Nothing, "{statuses:?}");
        }
        for (status, wanted) in [(ToInvoice, all), (Invoiced, Wanted::Nothing)] {
            let freight = ChargeProgress { invoice_status: status.into(), ..Default::default() };
            let closed = sales::Order { charge_progress: vec![freight], ..order(State::Closed, ["0", "0"]) };
            assert_eq!(Ordered::read(&closed).expect("an order").wanted, wanted, "freight is {status:?}");
        }
    }

    /// DOC-04: what is cancelled of an order is not reserved any more, and nothing is once it ended.
    #[test]
    fn what_is_wanted_of_an_order_is_reserved() {
        for (state, cancelled, wanted) in [
            (State::Draft, ["", ""], Wanted::Undecided),
            (State::Confirmed, ["", ""], undelivered(1600)),
            (State::InFulfilment, ["1", "0"], undelivered(1567)),
            (State::InFulfilment, ["2", "3"], undelivered(533)),
            (State::Fulfilled, ["0", "0"], Wanted::Nothing),
            (State::Cancelled, ["3", "3"], Wanted::Nothing),
            (State::Closed, ["0", "0"], Wanted::Nothing),
        ] {
            let read = Ordered::read(&order(state, cancelled)).expect("an order");
            assert_eq!(read.wanted, wanted, "{state:?} {cancelled:?}");
        }
        let deleted = sales::Order { delete_time: Some(Default::default()), ..order(State::Draft, ["", ""]) };
        let deleted = Ordered::read(&deleted).expect("an order");
        assert_eq!((deleted.wanted, deleted.agreed), (Wanted::Nothing, Minor(0)));
        let order_date = Some(trato_proto::google::value::Date { year: 2026, month: 1, day: 31 });
        let cancelled = sales::Order { order_date, ..order(State::Cancelled, ["3", "3"]) };
        assert_eq!(Ordered::read(&cancelled).expect("an order").agreed, Minor(1600), "it was confirmed");
    }
}
