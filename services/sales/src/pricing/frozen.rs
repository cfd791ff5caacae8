//! What a document costs, with all by which that is shown: names, units and costs as they are when it is priced. Documents
//! keep it as it is here, and PriceDocument answers it.

use serde::{Deserialize, Serialize};
use trato_pricing::{Given, Key, Line, Priced, Quantity, Trace, UnitPrice};
use trato_types::{Currency, Date, Error, Id, Minor, Result};

use super::{
    catalogue::Catalogue,
    model::{Answer, Question},
};
use crate::{
    price_list::Inclusion,
    product::{Chosen, Product},
    promotion::Promotion,
};

/// What a document costs.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Frozen {
    /// Day it was priced for.
    pub date: Date,
    /// Whether it was priced with taxes included.
    pub prices: Inclusion,
    /// The lines that were wanted, in their order, then those that are given for nothing.
    pub lines: Vec<FrozenLine>,
    /// Why there is each charge of the whole.
    pub charge_reasons: Vec<String>,
    /// What each promotion that applied gives.
    pub given: Vec<Given>,
    /// Codes that no promotion took.
    pub unused_coupons: Vec<Key>,
    /// The amounts, without the steps that led to them.
    pub priced: Priced,
}

/// What stands beside the amounts of a line.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct FrozenLine {
    /// The product.
    pub product: Id<Product>,
    /// Its name.
    pub display_name: String,
    /// Unit it is counted in.
    pub unit_code: String,
    /// Code of its tax.
    pub tax_class: String,
    /// Price of `per`.
    pub unit_price: UnitPrice,
    /// How much the price is for.
    pub per: Quantity,
    /// Its discounts and charges, in the order in which they were applied.
    pub adjustments: Vec<FrozenAdjustment>,
    /// The promotion that gives it for nothing.
    pub promotion: Option<Id<Promotion>>,
    /// What so much of it comes to by the lists, where a price was agreed on and a list has one.
    #[serde(default)]
    pub listed: Option<Minor>,
    /// What so much of it costs us, where that is known in the currency of the document.
    pub cost: Option<Minor>,
    /// What was chosen of it, as people call it.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub chosen: Vec<Chosen>,
}

/// Why there is a discount or charge of a line.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct FrozenAdjustment {
    /// What people are told.
    pub reason: String,
    /// The promotion that gave it.
    pub promotion: Option<Id<Promotion>>,
}

impl FrozenLine {
    /// Most characters that are said of a line: as many as an invoice takes.
    const LONGEST: usize = 1_000;

    /// What the documents after the quote say of the line, where `own` is the description it was given: that, or else the name,
    /// and in brackets what was chosen. What is too long ends with `…`.
    pub fn told(&self, own: &str) -> String {
        let mut told = if own.is_empty() { self.display_name.clone() } else { own.to_owned() };
        if self.chosen.is_empty() {
            return told;
        }
        let chosen: Vec<String> = self.chosen.iter().map(ToString::to_string).collect();
        told = format!("{told} ({})", chosen.join(", "));
        if told.chars().count() > Self::LONGEST {
            told = told.chars().take(Self::LONGEST - 1).chain(['…']).collect();
        }
        told
    }
}

impl Frozen {
    /// Puts beside the amounts what the catalogue says of them, and parts them from the steps that led to them.
    pub fn of(question: &Question, catalogue: &Catalogue, answer: Answer) -> Result<(Self, Trace)> {
        let Answer { offer, mut priced, own_adjustments } = answer;
        let bare = Trace { currency: question.currency, steps: Vec::new() };
        let trace = std::mem::replace(&mut priced.trace, bare);
        let lines = offer.document.lines.iter().enumerate().map(|(at, line)| match question.lines.get(at) {
            Some(wanted) => {
                let own = own_adjustments.get(at).copied().unwrap_or_default();
                let frozen = freeze(line, wanted.product, own, question.currency, catalogue)?;
                let said = (!wanted.tax_class.is_empty()).then(|| wanted.tax_class.clone());
                let listed = offer.listed.get(at).copied().flatten();
                let good = catalogue.goods.get(&wanted.product.uuid());
                let chosen = good.map(|good| good.options.named(&wanted.choices)).unwrap_or_default();
                Ok(FrozenLine { tax_class: said.unwrap_or(frozen.tax_class), listed, chosen, ..frozen })
            }
            None => freeze_gift(line, question.currency, catalogue),
        });
        let frozen = Self {
            date: question.date,
            prices: question.inclusion(&catalogue.lists),
            lines: lines.collect::<Result<_>>()?,
            charge_reasons: question.charges.iter().map(|charge| charge.reason.clone()).collect(),
            given: offer.given,
            unused_coupons: offer.unused_coupons,
            priced,
        };
        Ok((frozen, trace))
    }

    /// What each promotion that applied gives: what its budget has less once the document is taken.
    pub fn promotions(&self) -> Result<Vec<(Id<Promotion>, Minor)>> {
        let given = self.given.iter();
        given.map(|given| Ok((parse_key(&given.promotion)?, given.amount))).collect()
    }

    /// What the goods cost us, where that is known of every line.
    pub fn cost(&self) -> Option<Minor> {
        self.lines.iter().try_fold(Minor(0), |sum, line| sum.0.checked_add(line.cost?.0).map(Minor))
    }
}

/// `own` of its adjustments, the last ones, are none of promotions.
fn freeze(
    line: &Line,
    product: Id<Product>,
    own: usize,
    currency: Currency,
    catalogue: &Catalogue,
) -> Result<FrozenLine> {
    // Those of promotions come first; their reason is the promotion's resource name.
    let by_promotions = line.adjustments.len().saturating_sub(own);
    let adjustments = line.adjustments.iter().enumerate().map(|(at, adjustment)| {
        let promotion = if at < by_promotions { Some(parse_key(&adjustment.reason)?) } else { None };
        let name = promotion.and_then(|promotion| catalogue.name_of(promotion));
        Ok(FrozenAdjustment { reason: name.unwrap_or(&adjustment.reason).to_owned(), promotion })
    });
    let adjustments = adjustments.collect::<Result<_>>()?;
    let good = catalogue.goods.get(&product.uuid());
    let cost = good.and_then(|good| good.cost).filter(|(_, known)| *known == currency);
    Ok(FrozenLine {
        product,
        display_name: good.map(|good| good.display_name.clone()).unwrap_or_default(),
        unit_code: good.map(|good| good.unit_code.clone()).unwrap_or_default(),
        tax_class: good.map(|good| good.tax_class.clone()).unwrap_or_default(),
        unit_price: line.unit_price,
        per: line.per,
        adjustments,
        promotion: None,
        listed: None,
        cost: cost.and_then(|(each, _)| line.quantity.of(each).ok()),
        chosen: Vec::new(),
    })
}

/// A line that is given for nothing; its key names the promotion and the product.
fn freeze_gift(line: &Line, currency: Currency, catalogue: &Catalogue) -> Result<FrozenLine> {
    let (promotion, product) = line.key.split_once(':').unwrap_or((&line.key, ""));
    let product = Id::parse(product).map_err(Error::internal)?;
    let frozen = freeze(line, product, 0, currency, catalogue)?;
    Ok(FrozenLine { promotion: Some(parse_key(promotion)?), ..frozen })
}

/// The arithmetic knows promotions by their resource names.
fn parse_key(key: &str) -> Result<Id<Promotion>> {
    Id::parse(key).map_err(Error::internal)
}
