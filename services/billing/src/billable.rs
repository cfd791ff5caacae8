//! How much of documents of sales may be invoiced, and how much of it is. Invoices and credit notes move the quantities by
//! themselves, in the table's own triggers, so that no way of writing one goes past them.

use std::collections::HashMap;

use rust_decimal::Decimal;
use trato_platform::db::{Constraint, Tx, constrained, from_sqlx};
use trato_pricing::Quantity;
use trato_types::{Error, Kind, Result};

/// What a violated constraint tells the client.
pub const EXCEEDED: Constraint = Constraint {
    name: "billable_line_exceeded",
    kind: Kind::Precondition,
    reason: "BASIS_EXCEEDED",
    message: "more would be invoiced than may be",
};

/// An invoice counts where sales has told how much there is, or it would be counted nowhere.
pub const UNKNOWN: Constraint = Constraint {
    name: "billable_line_known",
    kind: Kind::Precondition,
    reason: "SOURCE_LINE_UNKNOWN",
    message: "a line says that it invoices one of a document that is not known here: invoice the document itself",
};

/// More would be taken back than was counted.
pub const UNEVEN: Constraint = Constraint {
    name: "billable_line_quantities_check",
    kind: Kind::Precondition,
    reason: "QUANTITY_NOT_INVOICED",
    message: "more of a line would be taken back than is invoiced of it",
};

/// What may be invoiced of a line.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Billable {
    /// The document, such as `orders/…`.
    pub document: String,
    /// Its line.
    pub line: String,
    /// How much of it may be invoiced.
    pub basis: Quantity,
    /// Document and line for which the same quantity counts as well.
    pub parent: Option<(String, String)>,
    /// Revision of the document.
    pub revision: i64,
}

/// Records what sales has told, where it is news.
pub async fn record(tx: &mut Tx, mut billables: Vec<Billable>) -> Result<()> {
    if billables.is_empty() {
        return Ok(());
    }
    // Everybody locks in this order.
    billables.sort();
    let parents = |part: fn(&(String, String)) -> &String| -> Vec<Option<String>> {
        billables.iter().map(|billable| billable.parent.as_ref().map(part).cloned()).collect()
    };
    let tenant = tx.cx().tenant;
    sqlx::query(include_str!("../sql/record_billable_lines.sql"))
        .bind(tenant)
        .bind(billables.iter().map(|billable| billable.document.clone()).collect::<Vec<_>>())
        .bind(billables.iter().map(|billable| billable.line.clone()).collect::<Vec<_>>())
        .bind(billables.iter().map(|billable| Decimal::from(billable.basis)).collect::<Vec<_>>())
        .bind(parents(|(document, _)| document))
        .bind(parents(|(_, line)| line))
        .bind(billables.iter().map(|billable| billable.revision).collect::<Vec<_>>())
        .execute(tx.connection())
        .await
        .map_err(|error| constrained(error, &[]))?;
    Ok(())
}

/// How much of a line may be invoiced yet.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Room {
    /// How much of what was sold is invoiced and not credited, by this document or by another one of its chain.
    pub before: Quantity,
    /// How much is left of the line itself.
    pub own: Quantity,
    /// How much is left of what it counts for; none where it counts for nothing else.
    pub above: Option<Quantity>,
    /// How much of the line itself may be invoiced in all.
    pub basis: Quantity,
    /// How much of the line itself is invoiced and not credited.
    pub counted: Quantity,
}

/// A line as it is read, its quantities in the order of those of `Room`.
type Row = (String, Decimal, Decimal, Option<Decimal>, Decimal, Decimal);

impl Room {
    /// Nothing.
    pub const NONE: Self = Self {
        before: Quantity::ZERO,
        own: Quantity::ZERO,
        above: None,
        basis: Quantity::ZERO,
        counted: Quantity::ZERO,
    };

    /// The same when `taken` of what it counts for is invoiced by another line.
    pub fn less(self, taken: Quantity) -> Result<Self> {
        let above = self.above.map(|above| above.plus(taken.negated())).transpose()?;
        let above = above.map(|above| above.max(Quantity::ZERO));
        Ok(Self { before: self.before.plus(taken)?, above, ..self })
    }

    /// True where something may be invoiced of the line, and something is, by whichever document. Of a line that was refused nothing
    /// may be, whatever another one has taken of what both count for.
    pub fn is_taken(self) -> bool {
        self.basis > Quantity::ZERO && self.before > Quantity::ZERO
    }

    /// How much may be invoiced.
    pub fn left(self) -> Quantity {
        self.above.map_or(self.own, |above| above.min(self.own))
    }
}

/// How much of each line of a document may be invoiced yet. The lines, and all that they count for, stay locked until the
/// transaction ends.
pub async fn lock(tx: &mut Tx, document: &str) -> Result<HashMap<String, Room>> {
    let tenant = tx.cx().tenant;
    let rows: Vec<Row> = sqlx::query_as(include_str!("../sql/lock_billable_lines.sql"))
        .bind(tenant)
        .bind(document)
        .fetch_all(tx.connection())
        .await
        .map_err(from_sqlx)?;
    let exact = |decimal: Decimal| Quantity::try_from(decimal).map_err(Error::internal);
    let room = |(line, before, own, above, basis, counted): Row| {
        let above = above.map(exact).transpose()?;
        let (basis, counted) = (exact(basis)?, exact(counted)?);
        Ok((line, Room { before: exact(before)?, own: exact(own)?, above, basis, counted }))
    };
    rows.into_iter().map(room).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(number: i64) -> Quantity {
        Quantity::whole(number).expect("a quantity")
    }

    /// DOC-07: what another line takes of what both count for is gone, and what is left of the line itself is not.
    #[test]
    fn lines_that_count_for_the_same_share_what_is_left_of_it() {
        let room =
            Room { before: of(1), own: of(6), above: Some(of(9)), basis: of(6), counted: Quantity::ZERO };

        let after = room.less(of(2)).expect("it fits");
        let crowded = room.less(of(20)).expect("it fits");

        assert_eq!((room.left(), after.left(), after.before), (of(6), of(6), of(3)));
        assert_eq!(room.less(of(4)).expect("it fits").left(), of(5));
        assert_eq!(crowded.left(), Quantity::ZERO);
        assert_eq!(Room { above: None, ..room }.less(of(4)).expect("it fits").left(), of(6));
    }

    /// DOC-04, DOC-07: a line of which nothing may be invoiced is not invoiced by what another one has taken of the order's.
    #[test]
    fn a_line_is_taken_by_others_where_something_may_be_invoiced_of_it() {
        let line = |basis, before| Room { basis: of(basis), before: of(before), ..Room::NONE };
        assert!(line(2, 2).is_taken() && !line(0, 2).is_taken() && !line(2, 0).is_taken());
    }
}
