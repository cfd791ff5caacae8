//! A document that is asked for, and what it costs with the part of the catalogue that it needs.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use trato_pricing::{
    Adjustment, Charge, Datum, DocumentDiscount, Input, Key, Occasion, Offer, Period, Priced, Prices,
    PricingError, Quantity, Rule, Step, Subject, TaxRounding, UnitPrice, Value, Wish, offer,
};
use trato_types::{Currency, Date, Error, Id, Kind, Minor, Ref, Result, Violations, error::FieldError};
use uuid::Uuid;

use super::{catalogue::Catalogue, fallback};
use crate::{
    foreign::Account,
    price_list::{Inclusion, PriceList},
    product::{Choice, Product},
    promotion::Promotion,
};

/// A document that is asked for.
#[derive(Clone, Debug)]
pub struct Question {
    /// Who buys.
    pub account: Option<Ref<Account>>,
    /// Market segment the one who buys is in.
    pub segment: Option<String>,
    /// Where it is bought.
    pub channel: Option<String>,
    /// Currency of the document; one that exists.
    pub currency: Currency,
    /// Its day.
    pub date: Date,
    /// Whether its prices include taxes, where it is said.
    pub prices: Option<Inclusion>,
    /// The one list to take prices from.
    pub price_list: Option<Id<PriceList>>,
    /// Codes that are handed in.
    pub coupons: Vec<Key>,
    /// What is wanted, one line at least.
    pub lines: Vec<Wanted>,
    /// Discounts of the whole.
    pub discounts: Vec<DocumentDiscount>,
    /// Charges of the whole.
    pub charges: Vec<WantedCharge>,
    /// How often the tax is rounded.
    pub tax_rounding: TaxRounding,
    /// What was paid before.
    pub prepaid: Minor,
    /// Smallest amount that can be paid.
    pub smallest_payment: Minor,
}

/// Something that is wanted. Documents keep it as it is here.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Wanted {
    /// Names the line.
    pub key: Key,
    /// The product.
    pub product: Id<Product>,
    /// How much of it.
    pub quantity: Quantity,
    /// A price that was agreed on.
    pub agreed: Option<UnitPrice>,
    /// Discounts and charges by hand.
    pub adjustments: Vec<Adjustment>,
    /// Code of the tax, where it is not the product's.
    pub tax_class: String,
    /// Codes of what the buyer withholds of it.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub withheld_tax_classes: Vec<String>,
    /// What is chosen of the product.
    pub choices: Vec<Choice>,
}

/// A charge of the whole. Documents keep it as it is here.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct WantedCharge {
    /// Names it.
    pub key: Key,
    /// How much.
    pub value: Value,
    /// Why.
    pub reason: String,
    /// Code of its tax.
    pub tax_class: String,
    /// Codes of what the buyer withholds of it.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub withheld_tax_classes: Vec<String>,
}

/// What a document costs.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The lines and what the promotions gave.
    pub offer: Offer,
    /// The amounts, and how they came about.
    pub priced: Priced,
    /// How many of the adjustments of each line that was wanted are none of promotions: options, then those by hand.
    pub own_adjustments: Vec<usize>,
}

impl Question {
    /// How much of each product is bought or taken back over all lines, by which its price breaks count.
    pub fn bought(&self) -> BTreeMap<Uuid, Quantity> {
        let mut bought = BTreeMap::new();
        for line in &self.lines {
            let sum = bought.entry(line.product.uuid()).or_insert(Quantity::ZERO);
            // A sum that is too large is refused when the line is priced.
            *sum = sum.plus(line.quantity).unwrap_or(*sum);
        }
        bought.into_iter().map(|(product, sum)| (product, sum.max(sum.negated()))).collect()
    }

    /// Whether prices include taxes: as it is said, else as the named list, else as the default list of the currency.
    pub fn inclusion(&self, lists: &[(Uuid, PriceList)]) -> Inclusion {
        let listed = lists.iter().map(|(_, list)| list);
        let leading = listed.clone().find(|list| self.price_list.is_some() || list.is_default);
        self.prices.or(leading.map(|list| list.prices)).unwrap_or(Inclusion::Net)
    }

    /// FAILED_PRECONDITION `PRICE_LIST_UNSUITED` unless the list that is named can be used.
    pub fn require_suited(&self, list: &PriceList, is_deleted: bool, prices: Inclusion) -> Result<()> {
        let period = Period { from: list.start_date, until: list.end_date };
        let why = if is_deleted {
            "it is deleted"
        } else if list.currency != self.currency {
            "its currency is another"
        } else if list.prices != prices {
            "it is not equally with or without tax"
        } else if !period.holds(self.date) {
            "it is not valid on the day"
        } else if !list.audience.holds(
            self.account.map(Ref::uuid),
            self.segment.as_deref(),
            self.channel.as_deref(),
        ) {
            "it is not for the one who asks"
        } else {
            return Ok(());
        };
        let name = self.price_list.map(Id::name).unwrap_or_default();
        let message = format!("{name} cannot be used: {why}");
        Err(Error::new(Kind::Precondition, "PRICE_LIST_UNSUITED", message).with("name", &name).about(name))
    }

    /// Prices the document, or says everything that is wrong with it.
    pub fn answer(&self, catalogue: &Catalogue) -> Result<Answer> {
        let prices = self.inclusion(&catalogue.lists).into();
        let mut violations = Violations::new();
        let wishes: Vec<Wish> = self
            .lines
            .iter()
            .enumerate()
            .filter_map(|(at, line)| self.wish(at, line, prices, catalogue, &mut violations))
            .collect();
        let surcharges: Vec<Vec<Adjustment>> = self
            .lines
            .iter()
            .enumerate()
            .map(|(at, line)| self.surcharges(at, line, catalogue, &mut violations))
            .collect();
        let charges: Vec<Charge> = self
            .charges
            .iter()
            .enumerate()
            .filter_map(|(at, charge)| self.charge(at, charge, prices, catalogue, &mut violations))
            .collect();
        violations.into_result(Some(()))?;

        let occasion = Occasion {
            currency: self.currency,
            prices,
            date: self.date,
            account: self.account.map(|account| account.name().into()),
            segment: self.segment.as_deref().map(Key::from),
            channel: self.channel.as_deref().map(Key::from),
            coupons: self.coupons.clone(),
        };
        let (promotions, left_out) = self.promotions(prices, catalogue);
        let mut offer = offer(&occasion, &self.lists(prices, catalogue), &promotions, &wishes)?;
        offer.trace.steps.extend(left_out);
        let mut own_adjustments = Vec::with_capacity(self.lines.len());
        let wanted = self.lines.iter().zip(surcharges);
        for (line, (wanted, surcharges)) in offer.document.lines.iter_mut().zip(wanted) {
            own_adjustments.push(surcharges.len() + wanted.adjustments.len());
            line.adjustments.extend(surcharges.into_iter().chain(wanted.adjustments.iter().cloned()));
        }
        offer.document.discounts.clone_from(&self.discounts);
        offer.document.charges = charges;
        offer.document.tax_rounding = self.tax_rounding;
        offer.document.prepaid = self.prepaid;
        offer.document.smallest_payment = self.smallest_payment;
        let priced = offer.price()?;
        self.require_charges_put_on(priced.totals.lines)?;
        Ok(Answer { offer, priced, own_adjustments })
    }

    /// INVALID_ARGUMENT `CHARGE_REDUCES` for a charge whose amount has the sign opposite to that of the lines: it would be
    /// a discount without a limit.
    fn require_charges_put_on(&self, lines: Minor) -> Result<()> {
        let mut violations = Violations::new();
        for (at, charge) in self.charges.iter().enumerate() {
            let Value::Amount(amount) = charge.value else { continue };
            let reduces = if lines < Minor(0) { amount > Minor(0) } else { amount < Minor(0) };
            if reduces {
                let refused = Err::<(), _>(PricingError::ChargeReduces);
                violations.keep(&format!("charges[{at}].amount"), refused);
            }
        }
        violations.into_result(Some(()))
    }

    /// What the options that are chosen put on a line, where they go together; then what they take off it, which is never
    /// more than there is.
    fn surcharges(
        &self,
        at: usize,
        line: &Wanted,
        catalogue: &Catalogue,
        violations: &mut Violations,
    ) -> Vec<Adjustment> {
        // What is wrong with the product is said already.
        let Some(good) = catalogue.goods.get(&line.product.uuid()) else { return Vec::new() };
        let path = format!("lines[{at}].choices");
        let issues = good.options.issues(&line.choices);
        for issue in &issues {
            let field = issue.choice.map_or_else(|| path.clone(), |choice| format!("{path}[{choice}]"));
            violations.add(field, issue.error.reason(), format!("{} {}", issue.key, issue.error));
        }
        if !issues.is_empty() {
            return Vec::new();
        }
        let surcharges = good.options.surcharges(&line.choices, self.currency);
        let Some(surcharges) = violations.keep(&path, surcharges) else {
            return Vec::new();
        };
        let (off, on): (Vec<_>, Vec<_>) = surcharges.into_iter().partition(|(_, each)| *each < Minor(0));
        let mut amount =
            |quantity: Quantity, each| violations.keep(&path, quantity.of(each)).map(Value::Amount);
        let mut adjustments = Vec::with_capacity(on.len() + off.len());
        for (name, each) in on {
            adjustments.extend(amount(line.quantity, each).map(|value| Adjustment::charge(value, name)));
        }
        for (name, each) in off {
            let value = amount(line.quantity.negated(), each);
            adjustments.extend(value.map(|value| Adjustment::discount(value, name)));
        }
        adjustments
    }

    fn wish(
        &self,
        at: usize,
        line: &Wanted,
        prices: Prices,
        catalogue: &Catalogue,
        violations: &mut Violations,
    ) -> Option<Wish> {
        let good = catalogue.good(line.product.uuid(), self.date);
        let path = format!("lines[{at}]");
        let good = violations.keep(&format!("{path}.product"), good)?;
        let class = if line.tax_class.is_empty() { &good.tax_class } else { &line.tax_class };
        let tax = catalogue.tax(class, self.date, prices);
        let tax = violations.keep(&format!("{path}.tax_class"), tax);
        let withheld = catalogue.withheld(&line.withheld_tax_classes, self.date, &path, violations);
        Some(Wish {
            key: line.key.clone(),
            product: line.product.name().into(),
            quantity: line.quantity,
            agreed: line.agreed,
            taxes: vec![tax?],
            withheld,
        })
    }

    fn charge(
        &self,
        at: usize,
        charge: &WantedCharge,
        prices: Prices,
        catalogue: &Catalogue,
        violations: &mut Violations,
    ) -> Option<Charge> {
        let path = format!("charges[{at}]");
        let tax = catalogue.tax(&charge.tax_class, self.date, prices);
        let tax = violations.keep(&format!("{path}.tax_class"), tax);
        let withheld = catalogue.withheld(&charge.withheld_tax_classes, self.date, &path, violations);
        Some(Charge {
            key: charge.key.clone(),
            value: charge.value,
            reason: charge.reason.as_str().into(),
            taxes: vec![tax?],
            withheld,
        })
    }

    /// The lists for the arithmetic; the products' own prices are asked last, where nothing stands against it.
    fn lists(&self, prices: Prices, catalogue: &Catalogue) -> Vec<trato_pricing::PriceList> {
        let listed = catalogue.lists.iter().map(|(id, list)| trato_pricing::PriceList {
            key: Id::<PriceList>::from_uuid(*id).name().into(),
            currency: list.currency,
            prices: list.prices.into(),
            valid: Period { from: list.start_date, until: list.end_date },
            scope: list.audience.scope(),
            priority: list.priority,
            items: catalogue.prices.get(id).cloned().unwrap_or_default(),
        });
        let own = (prices == Prices::Net && self.price_list.is_none())
            .then(|| fallback::list(self.currency, &catalogue.goods));
        listed.chain(own).collect()
    }

    /// The promotions for the arithmetic, and a word on those that give what cannot be sold.
    fn promotions(
        &self,
        prices: Prices,
        catalogue: &Catalogue,
    ) -> (Vec<trato_pricing::Promotion>, Vec<Step>) {
        let (mut offered, mut left_out) = (Vec::new(), Vec::new());
        for (id, promotion) in &catalogue.promotions {
            let key: Key = Id::<Promotion>::from_uuid(*id).name().into();
            let Some(gift) = promotion.effect.gift() else {
                offered.push(promotion.offered(key, Vec::new()));
                continue;
            };
            let good = catalogue.good(gift, self.date).ok();
            match good.and_then(|good| catalogue.tax(&good.tax_class, self.date, prices).ok()) {
                Some(tax) => offered.push(promotion.offered(key, vec![tax])),
                None => left_out.push(Step {
                    rule: Rule::Skipped,
                    subject: Subject::Document,
                    inputs: vec![Input {
                        name: "promotion".into(),
                        value: Datum::Text(key.to_string().into()),
                    }],
                    output: Datum::Text("what it gives is not sold, or not taxed".into()),
                }),
            }
        }
        (offered, left_out)
    }
}
