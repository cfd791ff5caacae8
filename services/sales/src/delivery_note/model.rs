//! A delivery note and its verbs. DRAFT becomes ISSUED, which becomes VOID, or goes its way to the customer.

use std::collections::{HashMap, HashSet};

use chrono_tz::Tz;
use trato_pricing::Quantity;
use trato_types::{
    Address, Date, DomainError, Error, Id, MemberRef, Ref, Result, Timestamp, Violations, id::Collection,
};

use super::content::{Line, Lines, Named, Proof, Refusals};
use crate::{
    foreign::{Account, LegalEntity, Team},
    kit::{Contents, Kits},
    number_series::{NumberSeries, Numbered},
    order::{Good, Order, OrderError, reason_of},
    parties::{Parties, day_in},
    product::Product,
};

/// What left for a customer, or was rendered.
#[derive(Clone, Debug, PartialEq)]
pub struct DeliveryNote {
    /// Member who answers for it.
    pub owner: Option<MemberRef>,
    /// Team it belongs to.
    pub team: Option<Ref<Team>>,
    /// The order it delivers.
    pub order_id: Id<Order>,
    /// Who gets it; none before the order was asked.
    pub account: Option<Ref<Account>>,
    /// What is delivered.
    pub lines: Lines,
    /// What is in the kits among it.
    pub kits: Kits,
    /// Where it goes.
    pub ship_to: Option<Address>,
    /// Text on the document; may be empty.
    pub note: String,
    /// In whose name it is made out, where it is said; in billing.
    pub legal_entity: Option<Ref<LegalEntity>>,
    /// Where it is in its life.
    pub state: State,
    /// Series its number is of.
    pub number_series: Option<Id<NumberSeries>>,
    /// Its number, as it stands on the document.
    pub number: Option<String>,
    /// Day of issue; not before that of the number before.
    pub issue_date: Option<Date>,
    /// When it was issued; none of one that was issued before this was kept.
    pub issue_time: Option<Timestamp>,
    /// Who carries it; may be empty.
    pub carrier: String,
    /// By what the carrier finds it; may be empty.
    pub tracking: String,
    /// When it left.
    pub dispatch_time: Option<Timestamp>,
    /// When it reached the customer.
    pub delivery_time: Option<Timestamp>,
    /// Who took it.
    pub proof: Option<Proof>,
    /// What was refused.
    pub refusals: Refusals,
    /// When it was voided.
    pub void_time: Option<Timestamp>,
    /// Why it was voided; empty unless it was.
    pub void_reason: String,
    /// Who makes it out and who gets it, as it was when it was issued.
    pub parties: Option<Parties>,
}

impl Collection for DeliveryNote {
    const COLLECTION: &'static str = "deliveryNotes";
}

/// Where a delivery note is in its life.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum State {
    /// Can be changed.
    Draft,
    /// Has its number.
    Issued,
    /// Is on its way.
    Dispatched,
    /// Has all reached the customer.
    Delivered,
    /// Some or all of it was refused.
    PartlyRefused,
    /// Nothing was delivered.
    Void,
}

/// Why a verb was refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum DeliveryNoteError {
    /// It is issued.
    #[error("the delivery note is issued and cannot change any more")]
    NotDraft,
    /// It is not in a state that leads on.
    #[error(
        "the delivery note is in another state: only an issued one goes on, and only until it is delivered"
    )]
    NotIssued,
}

impl DomainError for DeliveryNoteError {
    fn reason(&self) -> &'static str {
        match self {
            Self::NotDraft => "DELIVERY_NOTE_NOT_DRAFT",
            Self::NotIssued => "DELIVERY_NOTE_NOT_ISSUED",
        }
    }
}

impl DeliveryNote {
    /// FAILED_PRECONDITION unless it can still be changed.
    pub fn require_draft(&self) -> Result<(), DeliveryNoteError> {
        if self.state == State::Draft { Ok(()) } else { Err(DeliveryNoteError::NotDraft) }
    }

    /// Takes over what the order says: what is left, where no lines are named; what each line is; who gets it, and
    /// where.
    pub fn take_over(&mut self, order: &Order) -> Result<()> {
        order.require_confirmed()?;
        self.account = Some(order.account);
        self.ship_to = self.ship_to.take().or_else(|| order.ship_to.clone());
        self.team = self.team.or(order.team);
        if self.lines.0.is_empty() {
            self.lines = left_of(order);
            if self.lines.0.is_empty() {
                return Err(OrderError::NothingToDeliver.into());
            }
        }
        let goods = Good::all(&order.document);
        let goods: HashMap<&str, &Good> = goods.iter().map(|good| (good.line.as_str(), good)).collect();
        let mut violations = Violations::new();
        let mut serials = HashSet::new();
        for (at, line) in self.lines.0.iter_mut().enumerate() {
            let path = format!("delivery_note.lines[{at}]");
            line.check(&path, &mut violations);
            let Some(good) = goods.get(line.order_line.as_str()) else {
                let why = "the order has no such line";
                violations.add(format!("{path}.order_line"), "ORDER_LINE_NOT_FOUND", why);
                continue;
            };
            for (number, serial) in line.serials.iter().enumerate() {
                if !serials.insert((good.product, serial.clone())) {
                    let why = "stands before it for the same product";
                    violations.add(format!("{path}.serials[{number}]"), "DUPLICATE_SERIAL", why);
                }
            }
            line.good = Some(Named {
                product: good.product,
                description: good.description.clone(),
                unit_code: good.unit_code.clone(),
            });
        }
        violations.into_result(Some(()))
    }

    /// What is in each of its lines, line by line; nothing in one that is no kit.
    pub fn contents(&self) -> Vec<Contents<'_>> {
        self.kits.contents(self.lines.0.iter().map(|line| (line.product(), line.quantity)))
    }

    /// Gives a draft its number and its day, made out by and to these now.
    pub fn issue(
        &mut self,
        numbered: Numbered,
        parties: Parties,
        now: Timestamp,
    ) -> Result<(), DeliveryNoteError> {
        self.require_draft()?;
        self.state = State::Issued;
        self.number_series = Some(numbered.number_series);
        self.number = Some(numbered.number);
        self.issue_date = Some(numbered.day);
        self.issue_time = Some(now);
        self.parties = Some(parties);
        Ok(())
    }

    /// The day on which it was issued in a zone. Its own may be later, where the number before was given in a zone that is ahead.
    pub fn issued_on(&self, zone: Tz) -> Option<Date> {
        self.issue_time.map(|time| day_in(zone, time)).or(self.issue_date)
    }

    /// Notes that it is on its way.
    pub fn dispatch(
        &mut self,
        carrier: String,
        tracking: String,
        now: Timestamp,
    ) -> Result<(), DeliveryNoteError> {
        self.require(&[State::Issued])?;
        self.state = State::Dispatched;
        self.carrier = carrier;
        self.tracking = tracking;
        self.dispatch_time = Some(now);
        Ok(())
    }

    /// Notes what has reached the customer, and who took it.
    pub fn confirm(
        &mut self,
        proof: Proof,
        refusals: Refusals,
        time: Timestamp,
    ) -> Result<(), DeliveryNoteError> {
        self.require(&[State::Issued, State::Dispatched])?;
        self.state = if refusals.0.is_empty() { State::Delivered } else { State::PartlyRefused };
        self.delivery_time = Some(time);
        self.proof = Some(proof);
        self.refusals = refusals;
        Ok(())
    }

    /// Makes it say that nothing was delivered, for a reason of 1 to 500 characters. Its number stays.
    pub fn void(&mut self, reason: &str, now: Timestamp) -> Result<()> {
        let reason = reason_of(reason)?;
        self.require(&[State::Issued])?;
        self.state = State::Void;
        self.void_time = Some(now);
        self.void_reason = reason;
        Ok(())
    }

    /// How much of a line of its own was taken.
    pub fn taken(&self, line: &Line) -> Quantity {
        line.quantity.plus(self.refusals.of_line(&line.key).negated()).unwrap_or(Quantity::ZERO)
    }

    /// Lines of the order and how much of each was taken.
    pub fn accepted(&self) -> Result<Vec<(&str, Quantity)>> {
        let accepted = |line: &Line| line.quantity.plus(self.refusals.of_line(&line.key).negated());
        let lines = self.lines.0.iter().map(|line| {
            let quantity = accepted(line).map_err(Error::internal)?;
            Ok((line.order_line.as_str(), quantity))
        });
        lines.collect()
    }

    /// True when the customer took nothing of it.
    pub fn is_wholly_refused(&self) -> Result<bool> {
        let accepted = self.accepted()?;
        Ok(!self.refusals.0.is_empty() && accepted.iter().all(|(_, quantity)| quantity.is_zero()))
    }

    /// Lines of the order and how much of each was refused.
    pub fn refused(&self) -> Vec<(&str, Quantity)> {
        let refused = self.refusals.0.iter();
        refused.filter_map(|one| Some((self.lines.order_line(&one.line)?, one.quantity))).collect()
    }

    /// Serial numbers that were refused, with their products.
    pub fn refused_serials(&self) -> impl Iterator<Item = (Id<Product>, &str)> {
        self.refusals.0.iter().flat_map(|refusal| {
            let product = self.lines.get(&refusal.line).and_then(|line| Some(line.good.as_ref()?.product));
            product
                .into_iter()
                .flat_map(|product| refusal.serials.iter().map(move |serial| (product, serial.as_str())))
        })
    }

    fn require(&self, states: &[State]) -> Result<(), DeliveryNoteError> {
        if states.contains(&self.state) { Ok(()) } else { Err(DeliveryNoteError::NotIssued) }
    }
}

/// Everything of an order that is left to be delivered, one line for each of its lines.
fn left_of(order: &Order) -> Lines {
    let open = order.ledger.0.iter().filter(|entry| !entry.open().is_zero());
    let line = open.take(Lines::MAX).enumerate().map(|(at, entry)| Line {
        key: (at + 1).to_string(),
        order_line: entry.line.clone(),
        quantity: entry.open(),
        lot: String::new(),
        serials: Vec::new(),
        good: None,
    });
    Lines(line.collect())
}
