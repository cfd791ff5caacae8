//! What a document costs, on the wire.

use std::collections::HashMap;

use trato_pricing::{Adjustment, Amounts, Line, PricedLine, TaxAmount, TaxGroup, Totals};
use trato_proto::{
    google::value::Money,
    sales::v1::{self as pb, price_document_response as response},
    wire,
};
use trato_types::{Currency, Error, Id, Minor, Result};

use super::{
    catalogue::Catalogue,
    model::{Answer, Question},
    trace::{self, render_tax},
};
use crate::{price_list::render_prices, product::Product, promotion::Promotion};

/// Writes the answer to a question.
pub fn answer(
    question: &Question,
    catalogue: &Catalogue,
    answer: &Answer,
) -> Result<pb::PriceDocumentResponse> {
    let (offer, priced) = (&answer.offer, &answer.priced);
    let writer = Writer {
        currency: question.currency,
        names: catalogue
            .promotions
            .iter()
            .map(|(id, one)| (Id::<Promotion>::from_uuid(*id).name(), one.display_name.to_string()))
            .collect(),
        catalogue,
    };
    let lines = offer.document.lines.iter().zip(&priced.lines).enumerate();
    Ok(pb::PriceDocumentResponse {
        currency_code: question.currency.code().to_owned(),
        date: Some(wire::date(question.date)),
        prices: render_prices(question.inclusion(&catalogue.lists)).into(),
        lines: lines
            .map(|(at, (line, amounts))| match question.lines.get(at) {
                Some(wanted) => {
                    let own = answer.own_adjustments.get(at).copied().unwrap_or_default();
                    Ok(writer.line(line, amounts, wanted.product, own))
                }
                None => writer.gift(line, amounts),
            })
            .collect::<Result<_>>()?,
        charges: offer
            .document
            .charges
            .iter()
            .zip(&priced.charges)
            .map(|(charge, amounts)| writer.charge(&charge.reason, amounts))
            .collect(),
        discounts: priced.discounts.iter().map(|amount| writer.money(*amount)).collect(),
        tax_groups: priced.groups.iter().map(|group| writer.group(group)).collect(),
        totals: Some(writer.totals(&priced.totals)),
        given: offer
            .given
            .iter()
            .map(|given| response::Given {
                promotion: given.promotion.to_string(),
                amount: Some(writer.money(given.amount)),
            })
            .collect(),
        unused_coupon_codes: offer.unused_coupons.iter().map(ToString::to_string).collect(),
        trace: trace::render(&priced.trace),
    })
}

struct Writer<'a> {
    currency: Currency,
    /// Names people use of the promotions, by their resource names.
    names: HashMap<String, String>,
    catalogue: &'a Catalogue,
}

impl Writer<'_> {
    fn money(&self, amount: Minor) -> Money {
        wire::money(amount, self.currency)
    }

    fn line(&self, line: &Line, priced: &PricedLine, product: Id<Product>, own: usize) -> response::Line {
        // Those of promotions come first; their reason is the promotion's resource name.
        let by_promotions = line.adjustments.len().saturating_sub(own);
        let adjustments = line.adjustments.iter().zip(&priced.adjustments).enumerate();
        let adjustment = |(at, (given, amount)): (usize, (&Adjustment, &Minor))| {
            let promotion = if at < by_promotions { given.reason.to_string() } else { String::new() };
            let name = self.names.get(&promotion).map(String::as_str);
            response::AppliedAdjustment {
                amount: Some(self.money(*amount)),
                reason: name.unwrap_or(&given.reason).to_owned(),
                promotion,
            }
        };
        let unit = self.catalogue.goods.get(&product.uuid()).map(|good| good.unit_code.clone());
        response::Line {
            key: line.key.to_string(),
            product: product.name(),
            quantity: line.quantity.to_string(),
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
            promotion: String::new(),
            unit_code: unit.unwrap_or_default(),
        }
    }

    /// A line that is given for nothing; its key names the promotion and the product.
    fn gift(&self, line: &Line, priced: &PricedLine) -> Result<response::Line> {
        let (promotion, product) = line.key.split_once(':').unwrap_or((&line.key, ""));
        let product = Id::parse(product).map_err(Error::internal)?;
        Ok(response::Line { promotion: promotion.to_owned(), ..self.line(line, priced, product, 0) })
    }

    fn charge(&self, reason: &str, amounts: &Amounts) -> response::Charge {
        response::Charge {
            key: amounts.key.to_string(),
            reason: reason.to_owned(),
            net: Some(self.money(amounts.net)),
            taxes: self.taxes(amounts),
            gross: Some(self.money(amounts.gross)),
        }
    }

    fn taxes(&self, amounts: &Amounts) -> Vec<response::TaxAmount> {
        let tax = |tax: &TaxAmount| response::TaxAmount {
            tax: Some(render_tax(&tax.key)),
            amount: Some(self.money(tax.amount)),
        };
        amounts.taxes.iter().map(tax).collect()
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

    fn totals(&self, totals: &Totals) -> response::Totals {
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
        }
    }
}
