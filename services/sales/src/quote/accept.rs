//! Accepting: what the quote's promotions give is taken of them, and its opportunity is won with it, or nothing is done.

use trato_platform::{
    db::{Facts, Record, Tx, statement::Statements},
    standard::{Changed, require_living},
};
use trato_proto::sales::v1 as pb;
use trato_types::{Error, Result, Violations};

use super::{error::QuoteError, model::Quote, parse::parse_time};
use crate::{
    opportunity::{self, Opportunity},
    promotion::{self, Promotion},
};

/// What accepting writes to beside the quote.
#[derive(Clone, Copy, Debug)]
pub struct Accepting {
    promotions: Statements,
    opportunities: Statements,
}

impl Accepting {
    /// Prepares the statements.
    pub fn new() -> Self {
        Self { promotions: Statements::of::<Promotion>(), opportunities: Statements::of::<Opportunity>() }
    }

    /// Accepts a locked quote that is sent. Whoever accepts waits for quote, promotions and opportunity in this order.
    pub async fn accept(
        &self,
        tx: &mut Tx,
        before: &Record<Quote>,
        body: &pb::AcceptQuoteRequest,
    ) -> Result<Changed<Quote>> {
        require_living(before)?;
        let mut violations = Violations::new();
        let decision_time = parse_time(body.decision_time.as_ref(), "decision_time", &mut violations);
        violations.into_result(Some(()))?;
        let mut quote = before.value.clone();
        quote.accept(decision_time, &body.accepter, &body.signature, tx.cx())?;
        let priced = quote.document.priced.as_ref();
        let given = priced.ok_or_else(|| Error::internal("a quote was not priced"))?.promotions()?;
        promotion::take(tx, &self.promotions, before.id, given).await?;
        if body.win_opportunity {
            let opportunity = quote.opportunity.ok_or(QuoteError::NoOpportunity)?;
            let worth = (quote.net, quote.currency_code);
            opportunity::win_by(tx, &self.opportunities, opportunity, quote.account, worth).await?;
        }
        let facts = Facts::of(&quote.accepted()).at(quote.decision_time);
        Ok((before.next(tx.cx(), quote), facts))
    }
}
