//! Submitting: a draft is priced once more and measured by the approval rules.

use trato_platform::{
    db::{Facts, Record, Tx},
    standard::{Changed, Draft as _, require_living},
};
use trato_pricing::AdjustmentKind;
use trato_types::{Error, MemberRef, Minor, Result};

use super::{approvals::Approvals, error::QuoteError, model::Quote};
use crate::{
    approval_rule::{self, Measure},
    document,
    references::References,
};

/// Submits a locked draft that comes to the same as when it was written. What it costs us may have changed since: it is
/// judged, and kept, as of now.
pub async fn submit(references: &References, tx: &mut Tx, before: &Record<Quote>) -> Result<Changed<Quote>> {
    require_living(before)?;
    before.value.require_draft()?;
    let mut quote = before.value.clone();
    Quote::complete(references, tx, vec![&mut quote]).await?.into_iter().collect::<Result<()>>()?;
    if !document::same_price(&quote.document, &before.value.document) {
        return Err(QuoteError::PriceChanged.into());
    }
    let measure = quote.measure();
    let rules = approval_rule::find(tx).await?;
    let matching = approval_rule::matching(rules, &measure);
    let cx = tx.cx();
    let submitter = cx.actor.subject().map(MemberRef::from_subject);
    let submitter = submitter.transpose().map_err(Error::internal)?;
    let submitter = submitter.ok_or_else(|| Error::internal("a quote is submitted by somebody"))?;
    quote.submit(Approvals::of(&matching), submitter, cx.now)?;
    Ok((before.next(cx, quote), Facts::default()))
}

impl Quote {
    /// What approval rules ask about. Sums of amounts that add up to the totals are within them. A price that was agreed on
    /// takes off what it is below that of the lists.
    fn measure(&self) -> Measure {
        let totals = self.document.totals();
        let mut measure = Measure {
            currency: self.currency_code,
            net: self.net,
            listed: Minor(0),
            discounts: None,
            goods: Minor(totals.lines.0.saturating_sub(totals.discounts.0)),
            cost: self.document.priced.as_ref().and_then(|priced| priced.cost()),
        };
        let Some(frozen) = &self.document.priced else { return measure };
        let (mut discounts, mut is_known) = (Minor(0), true);
        let lines = self.document.lines.iter().zip(&frozen.priced.lines).zip(&frozen.lines);
        for ((line, priced), frozen) in lines {
            let agreed = line.wanted.agreed.map(|_| frozen.listed);
            is_known &= agreed != Some(None);
            let off = agreed.flatten().map_or(0, |listed| listed.0.saturating_sub(priced.base.0).max(0));
            add(&mut measure.listed, priced.base);
            add(&mut measure.listed, Minor(off));
            add(&mut discounts, Minor(off));
            // Those by hand come last.
            let by_hand = line.wanted.adjustments.iter().rev().zip(priced.adjustments.iter().rev());
            for (_, amount) in by_hand.filter(|(adjustment, _)| adjustment.kind == AdjustmentKind::Discount) {
                add(&mut discounts, Minor(amount.0.saturating_neg()));
            }
        }
        frozen.priced.discounts.iter().for_each(|amount| add(&mut discounts, *amount));
        measure.discounts = is_known.then_some(discounts);
        measure
    }
}

fn add(sum: &mut Minor, amount: Minor) {
    *sum = Minor(sum.0.saturating_add(amount.0));
}
