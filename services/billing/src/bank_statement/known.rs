//! Payments that have the keys of entries: which are of them, which are proved by them, and which only have the key.

use std::collections::HashMap;

use trato_platform::db::{NewEvent, Tx, from_sqlx};
use trato_types::{Date, Id, Result, Timestamp};
use uuid::Uuid;

use super::model::Line;
use crate::{
    books::Chart,
    payment::{Payment, Till},
};

/// Days that a bank values an entry ahead, at most.
const AHEAD: u64 = 7;

/// A payment that has the key of an entry.
pub struct Known {
    id: Id<Payment>,
    /// It comes in, else it goes out.
    comes_in: bool,
    /// It is under way, or nobody knows what became of it.
    is_unsettled: bool,
    /// It was made, whatever became of it since.
    is_made: bool,
    amount: (i64, String),
    date: Option<Date>,
    create_time: Timestamp,
}

/// Its key, itself, whether it comes in, is unsettled, and was made, how much it is, and its times.
type Row = (String, Uuid, bool, bool, bool, i64, String, Option<Date>, Timestamp);

/// The payments of the legal entity that have keys of entries, by these.
pub async fn known(tx: &mut Tx, chart: &Chart, lines: &[Line]) -> Result<HashMap<String, Known>> {
    let tenant = tx.cx().tenant;
    let keys: Vec<&str> = lines.iter().map(|line| line.key.as_str()).collect();
    let rows: Vec<Row> = sqlx::query_as(
        "select external_key, id, direction = 'IN', state in ('PENDING', 'UNKNOWN'),
           state in ('SUCCEEDED', 'PARTLY_REFUNDED', 'REFUNDED', 'CHARGED_BACK'),
           amount, currency_code, date, create_time
         from payment
         where tenant_id = $1 and legal_entity = $2 and external_key = any($3) and external_key <> ''
           and delete_time is null",
    )
    .bind(tenant)
    .bind(chart.legal_entity.uuid())
    .bind(keys)
    .fetch_all(tx.connection())
    .await
    .map_err(from_sqlx)?;
    let known = |(key, id, comes_in, is_unsettled, is_made, amount, currency, date, create_time): Row| {
        let (id, amount) = (Id::from_uuid(id), (amount, currency));
        (key, Known { id, comes_in, is_unsettled, is_made, amount, date, create_time })
    };
    Ok(rows.into_iter().map(known).collect())
}

impl Known {
    /// Resource name of the payment.
    pub fn name(&self) -> String {
        self.id.name()
    }

    /// True when it was made and is of this entry, which came in: an entry is dated by its day of value, or by the day on which it
    /// was recorded where it was valued ahead or recorded by hand. Anything else has the key of an entry that it is not of.
    pub fn is_of(&self, line: &Line, chart: &Chart) -> bool {
        let recorded = chart.day_of(self.create_time);
        let latest = recorded.checked_add_days(chrono::Days::new(AHEAD)).unwrap_or(recorded);
        let suits = |date: Date| date == line.date || (date == recorded && line.date <= latest);
        self.comes_in && self.is_made && self.is_alike(line) && self.date.is_some_and(suits)
    }

    /// True when nobody has said yet that it was made, and the entry does.
    pub fn is_proved_by(&self, line: &Line) -> bool {
        self.is_unsettled && !line.is_reversal && self.is_alike(line)
    }

    /// Settles a payment that an entry proves, as of a day. FAILED_PRECONDITION `PAYMENT_NOT_UNKNOWN` when somebody else has
    /// settled it meanwhile.
    pub async fn settle(
        &self,
        till: &Till,
        tx: &mut Tx,
        chart: &Chart,
        (key, date): (&str, Date),
    ) -> Result<()> {
        let before = tx.lock::<Payment>(&till.payments, &self.name()).await?;
        let mut payment = before.value.clone();
        payment.prove(key.to_owned())?;
        till.post(tx, chart, before.id, &mut payment, date).await?;
        let after = before.next(tx.cx(), payment);
        let event = NewEvent::of(tx.cx(), "succeeded", Some(&before), &after);
        tx.save(&till.payments, &after, event).await
    }

    fn is_alike(&self, line: &Line) -> bool {
        self.comes_in == line.is_credit
            && (self.amount.0, self.amount.1.as_str()) == (line.amount.0, line.currency.code())
    }
}
