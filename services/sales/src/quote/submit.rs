//! Submitting: a draft is priced once more and measured by the approval rules.

use trato_platform::{
    db::{Facts, Record, Tx},
    standard::{Changed, Draft as _, require_living},
};
use trato_pricing::AdjustmentKind;
use trato_types::{Error, MemberRef, Minor, Result};

use super::{approvals::Approvals, error::QuoteError, model::Quote, requests::References};
use crate::{
    approval_rule::{self, Measure},
    document,
};

/// Submits a locked draft that comes to the same as when it was written.
pub async fn submit(references: &References, tx: &mut Tx, before: &Record<Quote>) -> Result<Changed<Quote>> {
    require_living(before)?;
    before.value.require_draft()?;
    let mut again = before.value.clone();
    Quote::complete(references, tx, vec![&mut again]).await?.into_iter().collect::<Result<()>>()?;
    if !document::same_price(&again.document, &before.value.document) {
        return Err(QuoteError::PriceChanged.into());
    }
    let measure = before.value.measure();
    let rules = approval_rule::find(tx).await?;
    let matching: Vec<_> = rules.into_iter().filter(|(_, rule)| rule.matches(&measure)).collect();
    let cx = tx.cx();
    let submitter = cx.actor.subject().map(MemberRef::from_subject);
    let submitter = submitter.transpose().map_err(Error::internal)?;
    let submitter = submitter.ok_or_else(|| Error::internal("a quote is submitted by somebody"))?;
    let mut quote = before.value.clone();
    quote.submit(Approvals::of(&matching), submitter, cx.now)?;
    Ok((before.next(cx, quote), Facts::default()))
}

impl Quote {
    /// What approval rules ask about. Sums of amounts that add up to the totals are within them.
    fn measure(&self) -> Measure {
        let totals = self.document.totals();
        let mut measure = Measure {
            currency: self.currency_code,
            net: self.net,
            listed: Minor(0),
            discounts: Minor(0),
            goods: Minor(totals.lines.0.saturating_sub(totals.discounts.0)),
            cost: self.document.priced.as_ref().and_then(|priced| priced.cost()),
        };
        let Some(frozen) = &self.document.priced else { return measure };
        for (line, priced) in self.document.lines.iter().zip(&frozen.priced.lines) {
            add(&mut measure.listed, priced.base);
            // Those by hand come last.
            let by_hand = line.wanted.adjustments.iter().rev().zip(priced.adjustments.iter().rev());
            for (_, amount) in by_hand.filter(|(adjustment, _)| adjustment.kind == AdjustmentKind::Discount) {
                add(&mut measure.discounts, Minor(amount.0.saturating_neg()));
            }
        }
        frozen.priced.discounts.iter().for_each(|amount| add(&mut measure.discounts, *amount));
        measure
    }
}

fn add(sum: &mut Minor, amount: Minor) {
    *sum = Minor(sum.0.saturating_add(amount.0));
}
