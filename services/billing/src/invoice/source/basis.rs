//! What of an order may be invoiced, by its policy and by how far it has come: of its lines, and of the charges of the whole. Pure.

use std::collections::{HashMap, HashSet};

use trato_pricing::Quantity;
use trato_proto::sales::v1::{
    self as sales,
    order::{InvoicingPolicy, Progress, State},
};
use trato_types::{Error, Result};

use crate::billable::Billable;

/// Something that was agreed on.
#[derive(Debug)]
pub enum Agreed {
    /// So much of a line.
    Line(String, Quantity),
    /// A charge of the whole, of which there is one.
    Charge(String),
}

/// How far an order has come.
struct Course<'a> {
    order: &'a sales::Order,
    progress: HashMap<&'a str, &'a Progress>,
    /// Lines that nobody delivers, such as fees.
    undelivered: HashSet<&'a str>,
}

impl Agreed {
    /// All of a document: its lines, those that promotions give, and its charges.
    pub fn all(document: &sales::SalesDocument) -> Result<Vec<Self>> {
        let lines = document.lines.iter().chain(&document.given_lines);
        let lines = lines.map(|line| Ok(Self::Line(line.key.clone(), quantity(&line.quantity)?)));
        let charges = document.charges.iter().map(|charge| Ok(Self::Charge(charge.key.clone())));
        lines.chain(charges).collect()
    }

    /// Its key, and how much of it there is.
    pub fn whole(self) -> (String, Quantity) {
        match self {
            Self::Line(key, quantity) => (key, quantity),
            Self::Charge(key) => (key, Quantity::ONE),
        }
    }
}

/// What may be invoiced of an order since this revision of it, and with it of the quote it came of: what may not be invoiced of
/// the order may not be of the quote either. Nothing is known of one that is not confirmed yet.
pub fn of_order(order: &sales::Order, revision: i64) -> Result<Vec<Billable>> {
    if order.delete_time.is_some() || matches!(order.state(), State::Unspecified | State::Draft) {
        return Ok(Vec::new());
    }
    let document = order.document.as_ref().ok_or_else(|| Error::internal("an order without document"))?;
    let course = Course::of(order);
    let mut billables = Vec::new();
    for agreed in Agreed::all(document)? {
        let basis = course.basis(&agreed)?.max(Quantity::ZERO);
        let (line, _) = agreed.whole();
        let own = Billable { document: order.name.clone(), line, basis, parent: None, revision };
        if order.quote.is_empty() {
            billables.push(own);
            continue;
        }
        let quoted = Billable { document: order.quote.clone(), ..own.clone() };
        billables.push(Billable { parent: Some((quoted.document.clone(), quoted.line.clone())), ..own });
        billables.push(quoted);
    }
    Ok(billables)
}

impl<'a> Course<'a> {
    fn of(order: &'a sales::Order) -> Self {
        Self {
            order,
            progress: order.progress.iter().map(|progress| (progress.line.as_str(), progress)).collect(),
            undelivered: order.undelivered_lines.iter().map(String::as_str).collect(),
        }
    }

    fn basis(&self, agreed: &Agreed) -> Result<Quantity> {
        match agreed {
            // Also of one that was cancelled before it was confirmed, and tells of no quantities.
            _ if self.order.state() == State::Cancelled => Ok(Quantity::ZERO),
            Agreed::Line(key, whole) => match self.progress.get(key.as_str()) {
                Some(progress) => self.of_line(progress),
                None => Ok(*whole),
            },
            Agreed::Charge(_) => self.of_charge(),
        }
    }

    fn of_line(&self, progress: &Progress) -> Result<Quantity> {
        let is_delivered = !self.undelivered.contains(progress.line.as_str());
        match self.order.invoicing_policy() {
            InvoicingPolicy::Delivered if is_delivered => less(&progress.delivered, &progress.returned),
            InvoicingPolicy::Milestone => self.released(wanted(progress)?),
            // What nobody delivers is invoiced as it is ordered.
            InvoicingPolicy::Unspecified
            | InvoicingPolicy::Ordered
            | InvoicingPolicy::Prepaid
            | InvoicingPolicy::Delivered => wanted(progress),
        }
    }

    /// A charge of the whole, such as freight, comes with the first of what is delivered, or with its share of what milestones
    /// release; and goes when nothing of the order is wanted any more, so that it is not invoiced again once all is credited.
    fn of_charge(&self) -> Result<Quantity> {
        if !self.is_wanted()? {
            return Ok(Quantity::ZERO);
        }
        match self.order.invoicing_policy() {
            InvoicingPolicy::Delivered if !self.is_begun()? => Ok(Quantity::ZERO),
            InvoicingPolicy::Milestone => self.released(Quantity::ONE),
            InvoicingPolicy::Unspecified
            | InvoicingPolicy::Ordered
            | InvoicingPolicy::Prepaid
            | InvoicingPolicy::Delivered => Ok(Quantity::ONE),
        }
    }

    /// What milestones have released of so much.
    fn released(&self, quantity: Quantity) -> Result<Quantity> {
        let percent = &self.order.released_percent;
        let percent = if percent.is_empty() { "0" } else { percent };
        quantity.share(percent.parse().map_err(Error::internal)?).map_err(Error::internal)
    }

    /// Something is ordered and not cancelled: of what is delivered, where something is; a fee alone keeps no freight.
    fn is_wanted(&self) -> Result<bool> {
        if self.has_goods() { self.any_good(wanted) } else { Ok(true) }
    }

    /// Something was delivered, or nothing ever will be.
    fn is_begun(&self) -> Result<bool> {
        if self.has_goods() { self.any_good(|progress| quantity(&progress.delivered)) } else { Ok(true) }
    }

    fn has_goods(&self) -> bool {
        self.goods().next().is_some()
    }

    /// True when of a line that is delivered there is any.
    fn any_good(&self, of: impl Fn(&Progress) -> Result<Quantity>) -> Result<bool> {
        for good in self.goods() {
            if of(good)? > Quantity::ZERO {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn goods(&self) -> impl Iterator<Item = &Progress> {
        self.order.progress.iter().filter(|progress| !self.undelivered.contains(progress.line.as_str()))
    }
}

fn wanted(progress: &Progress) -> Result<Quantity> {
    less(&progress.ordered, &progress.cancelled)
}

fn less(whole: &str, part: &str) -> Result<Quantity> {
    quantity(whole)?.plus(quantity(part)?.negated()).map_err(Error::internal)
}

/// A quantity as sales writes it; nothing where it says none.
pub fn quantity(text: &str) -> Result<Quantity> {
    if text.is_empty() { Ok(Quantity::ZERO) } else { text.parse().map_err(Error::internal) }
}

#[cfg(test)]
mod tests {
    use trato_proto::sales::v1::{SalesDocument, price_document_request::Charge, sales_document::Line};

    use super::*;

    /// An order of 10 pieces, a fee and freight, that came of a quote; what is cancelled, delivered and returned of the pieces.
    fn order(policy: InvoicingPolicy, [cancelled, delivered, returned]: [&str; 3]) -> sales::Order {
        let line = |key: &str, quantity: &str| Line {
            key: key.into(),
            quantity: quantity.into(),
            ..Default::default()
        };
        let goods = Progress {
            line: "goods".into(),
            ordered: "10".into(),
            cancelled: cancelled.into(),
            delivered: delivered.into(),
            returned: returned.into(),
            ..Default::default()
        };
        let fee = Progress { line: "fee".into(), ordered: "1".into(), ..Default::default() };
        sales::Order {
            name: "orders/1".into(),
            quote: "quotes/1".into(),
            document: Some(SalesDocument {
                lines: vec![line("goods", "10"), line("fee", "1")],
                charges: vec![Charge { key: "freight".into(), ..Default::default() }],
                ..Default::default()
            }),
            state: State::InFulfilment.into(),
            invoicing_policy: policy.into(),
            undelivered_lines: vec!["fee".into()],
            progress: vec![goods, fee],
            ..Default::default()
        }
    }

    /// What may be invoiced of goods, fee and freight, by the order, which is as much as by its quote.
    fn bases(order: &sales::Order) -> [String; 3] {
        let billables = of_order(order, 3).expect("an order");
        let of = |document: &str, line: &str| {
            let mut found = billables
                .iter()
                .filter(|one| one.document == document && one.line == line && one.revision == 3);
            found.next().expect("it is known").basis.to_string()
        };
        ["goods", "fee", "freight"].map(|line| {
            assert_eq!(of("orders/1", line), of("quotes/1", line), "{line}");
            of("orders/1", line)
        })
    }

    /// DOC-04, DOC-07: what may be invoiced of an order follows its policy, and its quote follows the order: fees as they are ordered,
    /// charges with the first delivery or their share of what is released, and nothing of what is not wanted any more.
    #[test]
    fn an_order_says_what_may_be_invoiced_of_it_and_of_its_quote() {
        use InvoicingPolicy::{Delivered, Milestone, Ordered, Prepaid};
        for (policy, quantities, expected) in [
            (Ordered, ["0", "0", "0"], ["10", "1", "1"]),
            (Prepaid, ["6", "0", "0"], ["4", "1", "1"]),
            (Ordered, ["3", "10", "3"], ["7", "1", "1"]),
            (Delivered, ["0", "0", "0"], ["0", "1", "0"]),
            (Delivered, ["0", "4", "0"], ["4", "1", "1"]),
            (Delivered, ["0", "4", "4"], ["0", "1", "1"]),
            (Milestone, ["0", "0", "0"], ["0", "0", "0"]),
        ] {
            assert_eq!(bases(&order(policy, quantities)), expected, "{policy:?} {quantities:?}");
        }
        let released = sales::Order { released_percent: "30".into(), ..order(Milestone, ["2", "0", "0"]) };
        assert_eq!(bases(&released), ["2.4", "0.3", "0.3"]);
    }

    /// DOC-04, DOC-07: nothing of an order that is not wanted any more may be invoiced, by whichever name; nor its charges when all of
    /// it came back.
    #[test]
    fn nothing_is_invoiced_of_what_is_not_wanted() {
        let cancelled = sales::Order {
            state: State::Cancelled.into(),
            ..order(InvoicingPolicy::Ordered, ["0", "0", "0"])
        };
        let refunded = order(InvoicingPolicy::Ordered, ["10", "10", "10"]);
        let draft = sales::Order { state: State::Draft.into(), ..refunded.clone() };

        assert_eq!(bases(&cancelled), ["0", "0", "0"]);
        assert_eq!(bases(&refunded), ["0", "1", "0"]);
        assert!(of_order(&draft, 3).expect("a draft").is_empty());
    }
}
