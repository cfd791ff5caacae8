//! What a document costs, on the wire.

use trato_pricing::{Amounts, PricedLine, TaxAmount, TaxGroup, Totals, Trace, WithheldAmount, WithheldGroup};
use trato_proto::{
    google::value::Money,
    sales::v1::{self as pb, price_document_response as response},
    wire,
};
use trato_types::{Currency, Id, Minor};

use super::{
    frozen::{Frozen, FrozenAdjustment, FrozenLine},
    trace::{self, render_tax},
};
use crate::price_list::render_prices;

/// Writes the answer to a question, and the steps that led to it.
pub fn answer(frozen: &Frozen, trace: &Trace) -> pb::PriceDocumentResponse {
    let writer = Writer::of(frozen);
    pb::PriceDocumentResponse {
        currency_code: writer.currency.code().to_owned(),
        date: Some(wire::date(frozen.date)),
        prices: render_prices(frozen.prices).into(),
        lines: writer.lines(),
        charges: writer.charges(),
        discounts: writer.discounts(),
        tax_groups: writer.groups(),
        totals: Some(writer.totals()),
        given: writer.given(),
        unused_coupon_codes: writer.unused_coupons(),
        trace: trace::render(trace),
        withheld_groups: writer.withheld_groups(),
    }
}

/// Writes the parts of what a document costs.
pub struct Writer<'a> {
    currency: Currency,
    frozen: &'a Frozen,
}

impl<'a> Writer<'a> {
    /// Writes of this one.
    pub fn of(frozen: &'a Frozen) -> Self {
        Self { currency: frozen.priced.currency, frozen }
    }

    /// The lines that were wanted, then those that are given for nothing.
    pub fn lines(&self) -> Vec<response::Line> {
        let lines = self.frozen.lines.iter().zip(&self.frozen.priced.lines);
        lines.map(|(line, priced)| self.line(line, priced)).collect()
    }

    /// The charges of the whole.
    pub fn charges(&self) -> Vec<response::Charge> {
        let charges = self.frozen.charge_reasons.iter().zip(&self.frozen.priced.charges);
        charges.map(|(reason, amounts)| self.charge(reason, amounts)).collect()
    }

    /// What each discount of the whole takes.
    pub fn discounts(&self) -> Vec<Money> {
        self.frozen.priced.discounts.iter().map(|amount| self.money(*amount)).collect()
    }

    /// The taxes.
    pub fn groups(&self) -> Vec<response::TaxGroup> {
        self.frozen.priced.groups.iter().map(|group| self.group(group)).collect()
    }

    /// What is withheld.
    pub fn withheld_groups(&self) -> Vec<response::WithheldGroup> {
        let group = |group: &WithheldGroup| response::WithheldGroup {
            code: group.key.code.to_string(),
            percent: group.key.rate.to_string(),
            basis: Some(self.money(group.basis)),
            amount: Some(self.money(group.amount)),
        };
        self.frozen.priced.withheld.iter().map(group).collect()
    }

    /// The totals.
    pub fn totals(&self) -> response::Totals {
        let totals: &Totals = &self.frozen.priced.totals;
        response::Totals {
            lines: Some(self.money(totals.lines)),
            discounts: Some(self.money(totals.discounts)),
            charges: Some(self.money(totals.charges)),
            net: Some(self.money(totals.net)),
            tax: Some(self.money(totals.tax)),
            gross: Some(self.money(totals.gross)),
            prepaid: Some(self.money(totals.prepaid)),
            rounding: Some(self.money(totals.rounding)),
            due: Some(self.money(totals.due)),
            withheld: Some(self.money(totals.withheld)),
        }
    }

    /// What each promotion that applied gives.
    pub fn given(&self) -> Vec<response::Given> {
        let given = self.frozen.given.iter().map(|given| response::Given {
            promotion: given.promotion.to_string(),
            amount: Some(self.money(given.amount)),
        });
        given.collect()
    }

    /// Codes that no promotion took.
    pub fn unused_coupons(&self) -> Vec<String> {
        self.frozen.unused_coupons.iter().map(ToString::to_string).collect()
    }

    /// An amount.
    pub fn money(&self, amount: Minor) -> Money {
        wire::money(amount, self.currency)
    }

    fn line(&self, line: &FrozenLine, priced: &PricedLine) -> response::Line {
        let adjustments = line.adjustments.iter().zip(&priced.adjustments);
        let adjustment = |(given, amount): (&FrozenAdjustment, &Minor)| response::AppliedAdjustment {
            amount: Some(self.money(*amount)),
            reason: given.reason.clone(),
            promotion: given.promotion.map(Id::name).unwrap_or_default(),
        };
        response::Line {
            key: priced.amounts.key.to_string(),
            product: line.product.name(),
            quantity: priced.quantity.to_string(),
            unit_price: line.unit_price.to_string(),
            per: line.per.to_string(),
            base: Some(self.money(priced.base)),
            adjustments: adjustments.map(adjustment).collect(),
            priced: Some(self.money(priced.priced)),
            discounts: priced.discounts.iter().map(|amount| self.money(*amount)).collect(),
            line_net: Some(self.money(priced.line_net)),
            net: Some(self.money(priced.amounts.net)),
            taxes: self.taxes(&priced.amounts),
            gross: Some(self.money(priced.amounts.gross)),
            promotion: line.promotion.map(Id::name).unwrap_or_default(),
            unit_code: line.unit_code.clone(),
            withheld: self.withheld(&priced.amounts),
        }
    }

    fn charge(&self, reason: &str, amounts: &Amounts) -> response::Charge {
        response::Charge {
            key: amounts.key.to_string(),
            reason: reason.to_owned(),
            net: Some(self.money(amounts.net)),
            taxes: self.taxes(amounts),
            gross: Some(self.money(amounts.gross)),
            withheld: self.withheld(amounts),
        }
    }

    fn taxes(&self, amounts: &Amounts) -> Vec<response::TaxAmount> {
        let tax = |tax: &TaxAmount| response::TaxAmount {
            tax: Some(render_tax(&tax.key)),
            amount: Some(self.money(tax.amount)),
        };
        amounts.taxes.iter().map(tax).collect()
    }

    fn withheld(&self, amounts: &Amounts) -> Vec<response::WithheldAmount> {
        let withheld = |withheld: &WithheldAmount| response::WithheldAmount {
            code: withheld.key.code.to_string(),
            percent: withheld.key.rate.to_string(),
            amount: Some(self.money(withheld.amount)),
        };
        amounts.withheld.iter().map(withheld).collect()
    }

    fn group(&self, group: &TaxGroup) -> response::TaxGroup {
        response::TaxGroup {
            tax: Some(render_tax(&group.key)),
            exemption_reasons: group.reasons.iter().map(ToString::to_string).collect(),
            lines: Some(self.money(group.lines)),
            discounts: Some(self.money(group.discounts)),
            charges: Some(self.money(group.charges)),
            basis: Some(self.money(group.basis)),
            amount: Some(self.money(group.tax)),
        }
    }
}
