//! What an account had paid in advance to another system, taken over as a payment: it is allocated and refunded like any other, and
//! was not received by a bank of ours.

use trato_platform::db::{NewEvent, Record, Tx};
use trato_types::Result;

use super::{
    model::{Method, Payment, State},
    till::Till,
};
use crate::{books::Chart, invoice::Takeover};

/// Takes over a payment of which so much is left, and posts it; the amount is more than zero. ALREADY_EXISTS `PAYMENT_KEY_TAKEN`.
pub async fn take_over(till: &Till, tx: &mut Tx, chart: &Chart, takeover: Takeover) -> Result<()> {
    let date = takeover.date;
    let mut record = Record::new(tx.cx(), Payment::taken_over(takeover), None);
    till.post(tx, chart, record.id, &mut record.value, date).await?;
    let event = NewEvent::of(tx.cx(), "taken_over", None, &record);
    tx.insert(&till.payments, &[&record], vec![event]).await.map(drop)
}

impl Payment {
    fn taken_over(takeover: Takeover) -> Self {
        let Takeover { description, reference, .. } = takeover;
        let reference = if reference.is_empty() { description.clone() } else { reference };
        Self {
            method: Method::Other,
            state: State::Succeeded,
            state_reason: description,
            takeover_date: Some(takeover.date),
            ..Self::transfer(
                (takeover.account, takeover.legal_entity),
                (takeover.amount, takeover.currency_code),
                takeover.number,
                reference,
                takeover.date,
            )
        }
    }
}
