//! From a request to a question: every field is read, and all that is wrong with them is said at once.

use trato_pricing::{
    Adjustment, AdjustmentKind, DocumentDiscount, Key, Percent, PricingError, TaxRounding, Value,
};
use trato_proto::{
    google::value::Money,
    sales::v1::{
        self as pb,
        adjustment::Value as AdjustmentValue,
        price_document_request::{
            self as request, charge::Value as ChargeValue, discount::Value as DiscountValue,
        },
    },
    wire::{self, UnknownName},
};
use trato_types::{Context, Currency, Id, Minor, Ref, Result, Violations, text::line};

use super::model::{Question, Wanted, WantedCharge};
use crate::{
    foreign::LegalEntity,
    price_list::parse_prices,
    product::{Choice, OptionGroups, option_key},
};

/// Most lines of a document.
const MAX_LINES: usize = 1_000;
/// Most of anything else in a document or a line.
const MAX_OTHERS: usize = 20;
/// Most that is withheld of one line or charge: with its tax, as much as a line of an invoice has.
const MAX_WITHHELD: usize = 4;
/// Most choices of all lines together.
const MAX_CHOICES: usize = 10_000;

/// Reads what is asked, and who makes the document out, which tells what day it is there.
pub fn request(
    message: &pb::PriceDocumentRequest,
    cx: &Context,
) -> Result<(Question, Option<Ref<LegalEntity>>)> {
    let mut violations = Violations::new();
    let legal_entity = violations.keep("legal_entity", Ref::parse_optional(&message.legal_entity)).flatten();
    let question = violations.absorb("", question(message, cx))?;
    violations.into_result(question.map(|question| (question, legal_entity)))
}

/// Reads a document that is asked for. Its day is today in UTC unless it says another one: what day it is where documents are made
/// out is looked up later.
pub fn question(message: &pb::PriceDocumentRequest, cx: &Context) -> Result<Question> {
    let mut violations = Violations::new();
    let check = &mut violations;
    let account = check.keep("account", Ref::parse_optional(&message.account)).flatten();
    let segment = check.keep("segment", line(&message.segment, 100)).filter(|text| !text.is_empty());
    let channel = check.keep("channel", line(&message.channel, 100)).filter(|text| !text.is_empty());
    let currency = check.keep("currency_code", Currency::parse_existing(&message.currency_code));
    let date = message.date.as_ref().and_then(|date| check.keep("date", wire::parse_date(date)));
    let prices = check.keep("prices", parse_prices(message.prices)).flatten();
    let price_list = check.keep("price_list", Id::parse_optional(&message.price_list)).flatten();
    let coupons = check.keep("coupon_codes", wire::at_most(&message.coupon_codes, MAX_OTHERS));
    let coupons = parse_coupons(coupons.unwrap_or_default(), check);
    let mut form = Form { currency, violations: check };
    let lines = form.lines(&message.lines);
    let discounts = form.discounts(&message.discounts);
    let charges = form.charges(&message.charges);
    let prepaid = form.optional_amount("prepaid", message.prepaid.as_ref()).unwrap_or(Minor(0));
    let smallest_payment = form.optional_amount("smallest_payment", message.smallest_payment.as_ref());
    let tax_rounding = check.keep("tax_rounding", parse_tax_rounding(message.tax_rounding));
    let (date, smallest_payment) =
        (date.unwrap_or_else(|| cx.now.date_naive()), smallest_payment.unwrap_or(Minor(1)));
    #[rustfmt::skip]
    let question = currency.zip(tax_rounding).map(|(currency, tax_rounding)| Question {
        account, segment, channel, currency, date, prices, price_list, coupons, lines, discounts, charges,
        tax_rounding, prepaid, smallest_payment,
    });
    violations.into_result(question)
}

/// The parts of a request, in the currency it is in.
struct Form<'a> {
    currency: Option<Currency>,
    violations: &'a mut Violations,
}

impl Form<'_> {
    fn lines(&mut self, given: &[request::Line]) -> Vec<Wanted> {
        if given.is_empty() {
            self.violations.add("lines", "REQUIRED", "must not be empty");
        }
        let given = self.violations.keep("lines", wire::at_most(given, MAX_LINES)).unwrap_or_default();
        if given.iter().map(|line| line.choices.len()).sum::<usize>() > MAX_CHOICES {
            let message = format!("must have at most {MAX_CHOICES} choices in all");
            self.violations.add("lines", "TOO_MANY", message);
            return Vec::new();
        }
        given.iter().enumerate().filter_map(|(at, line)| self.line(at, line)).collect()
    }

    fn line(&mut self, at: usize, given: &request::Line) -> Option<Wanted> {
        let path = format!("lines[{at}]");
        let key =
            if given.key.is_empty() { (at + 1).to_string().into() } else { Key::from(given.key.as_str()) };
        let product = self.violations.keep(&format!("{path}.product"), Id::parse(&given.product));
        let quantity = self.violations.keep(&format!("{path}.quantity"), given.quantity.parse());
        let agreed = Some(given.unit_price.as_str()).filter(|price| !price.is_empty());
        let agreed =
            agreed.and_then(|price| self.violations.keep(&format!("{path}.unit_price"), price.parse()));
        let field = format!("{path}.adjustments");
        let adjustments = self.violations.keep(&field, wire::at_most(&given.adjustments, MAX_OTHERS));
        let adjustments = adjustments.unwrap_or_default().iter().enumerate();
        let adjustments =
            adjustments.filter_map(|(at, one)| self.adjustment(&format!("{field}[{at}]"), one)).collect();
        let tax_class = self.violations.keep(&format!("{path}.tax_class"), line(&given.tax_class, 40));
        let withheld_tax_classes = self.withheld(&path, &given.withheld_tax_classes);
        let choices = choices(&format!("{path}.choices"), &given.choices, self.violations);
        let ((product, quantity), tax_class) = product.zip(quantity).zip(tax_class)?;
        #[rustfmt::skip]
        let wanted = Wanted {
            key, product, quantity, agreed, adjustments, tax_class, withheld_tax_classes, choices,
        };
        Some(wanted)
    }

    /// Reads codes of what is withheld of a line or a charge; whether they are, the tax codes say.
    fn withheld(&mut self, path: &str, given: &[String]) -> Vec<String> {
        let field = format!("{path}.withheld_tax_classes");
        let given = self.violations.keep(&field, wire::at_most(given, MAX_WITHHELD)).unwrap_or_default();
        let code =
            |(at, code): (usize, &String)| self.violations.keep(&format!("{field}[{at}]"), line(code, 40));
        given.iter().enumerate().filter_map(code).collect()
    }

    fn adjustment(&mut self, path: &str, given: &pb::Adjustment) -> Option<Adjustment> {
        let kind = self.violations.keep(&format!("{path}.kind"), parse_kind(given.kind));
        let percent_or_amount = given.value.as_ref().map(Given::from);
        let most = (kind == Some(AdjustmentKind::Discount)).then_some(Percent::HUNDRED);
        let value = self.value(path, percent_or_amount, most);
        let reason = self.violations.keep(&format!("{path}.reason"), line(&given.reason, 200));
        let ((kind, value), reason) = kind.zip(value).zip(reason)?;
        Some(Adjustment { kind, value, reason: reason.into() })
    }

    fn discounts(&mut self, given: &[request::Discount]) -> Vec<DocumentDiscount> {
        let given = self.violations.keep("discounts", wire::at_most(given, MAX_OTHERS)).unwrap_or_default();
        let discount = |(at, given): (usize, &request::Discount)| {
            let path = format!("discounts[{at}]");
            let percent_or_amount = given.value.as_ref().map(Given::from);
            let value = self.value(&path, percent_or_amount, Some(Percent::HUNDRED));
            let reason = self.violations.keep(&format!("{path}.reason"), line(&given.reason, 200));
            let lines =
                self.violations.keep(&format!("{path}.lines"), wire::at_most(&given.lines, MAX_LINES));
            let lines = lines.unwrap_or_default().iter().map(|key| Key::from(key.as_str())).collect();
            let (value, reason) = value.zip(reason)?;
            Some(DocumentDiscount { value, reason: reason.into(), lines })
        };
        given.iter().enumerate().filter_map(discount).collect()
    }

    fn charges(&mut self, given: &[request::Charge]) -> Vec<WantedCharge> {
        let given = self.violations.keep("charges", wire::at_most(given, MAX_OTHERS)).unwrap_or_default();
        let charge = |(at, given): (usize, &request::Charge)| {
            let path = format!("charges[{at}]");
            let percent_or_amount = given.value.as_ref().map(Given::from);
            let value = self.value(&path, percent_or_amount, None);
            let reason = self.violations.keep(&format!("{path}.reason"), line(&given.reason, 200));
            let tax_class = self.violations.keep(&format!("{path}.tax_class"), line(&given.tax_class, 40));
            let withheld_tax_classes = self.withheld(&path, &given.withheld_tax_classes);
            let ((value, reason), tax_class) = value.zip(reason).zip(tax_class)?;
            let key = given.key.as_str().into();
            Some(WantedCharge { key, value, reason, tax_class, withheld_tax_classes })
        };
        given.iter().enumerate().filter_map(charge).collect()
    }

    /// Reads a share or an amount; a share is at most `most`.
    fn value(&mut self, path: &str, given: Option<Given<'_>>, most: Option<Percent>) -> Option<Value> {
        match given {
            Some(Given::Percent(percent)) => {
                let percent = percent.parse::<Percent>().and_then(|percent| match most {
                    Some(most) if percent > most => Err(PricingError::PercentOutOfRange),
                    _ => Ok(percent),
                });
                self.violations.keep(&format!("{path}.percent"), percent).map(Value::Percent)
            }
            Some(Given::Amount(amount)) => self.amount(&format!("{path}.amount"), amount).map(Value::Amount),
            None => {
                self.violations.add(path, "REQUIRED", "must say a percentage or an amount");
                None
            }
        }
    }

    /// Reads an amount in the currency of the document.
    fn amount(&mut self, field: &str, amount: &Money) -> Option<Minor> {
        let (amount, currency) = self.violations.keep(field, wire::parse_money(amount))?;
        // Where the document has no currency, that is what is wrong.
        if self.currency.is_some_and(|own| own != currency) {
            self.violations.add(field, "CURRENCY_DIFFERS", "must be in the currency of the document");
        }
        Some(amount)
    }

    fn optional_amount(&mut self, field: &str, amount: Option<&Money>) -> Option<Minor> {
        let amount = self.amount(field, amount?)?;
        if amount < Minor(0) {
            self.violations.keep(field, Err::<(), _>(PricingError::Negative));
        }
        Some(amount)
    }
}

/// Reads options that are chosen; whether they go together, the product says.
pub fn choices(field: &str, given: &[pb::Choice], violations: &mut Violations) -> Vec<Choice> {
    let given = violations.keep(field, wire::at_most(given, OptionGroups::MAX_OPTIONS)).unwrap_or_default();
    let mut choices = Vec::with_capacity(given.len());
    for (at, given) in given.iter().enumerate() {
        let option = violations.keep(&format!("{field}[{at}].option"), option_key(&given.option));
        let count = if given.count == 0 { 1 } else { given.count };
        choices.extend(option.map(|option| Choice { option, count }));
    }
    choices
}

fn parse_coupons(given: &[String], violations: &mut Violations) -> Vec<Key> {
    let mut coupons: Vec<Key> = Vec::with_capacity(given.len());
    for (at, code) in given.iter().enumerate() {
        let field = format!("coupon_codes[{at}]");
        let Some(code) = violations.keep(&field, line(code, 40)) else { continue };
        let code = Key::from(code.as_str());
        if coupons.contains(&code) {
            violations.keep(&field, Err::<(), _>(PricingError::CouponTwice));
        }
        coupons.push(code);
    }
    coupons
}

/// A share or an amount, as it was given.
enum Given<'a> {
    Percent(&'a str),
    Amount(&'a Money),
}

// The three messages say it alike, each in a type of its own.
macro_rules! given_as {
    ($($value:ident),*) => {$(
        impl<'a> From<&'a $value> for Given<'a> {
            fn from(value: &'a $value) -> Self {
                match value {
                    $value::Percent(percent) => Self::Percent(percent),
                    $value::Amount(amount) => Self::Amount(amount),
                }
            }
        }
    )*};
}
given_as!(AdjustmentValue, DiscountValue, ChargeValue);

fn parse_kind(kind: i32) -> Result<AdjustmentKind, UnknownName> {
    match pb::adjustment::Kind::try_from(kind) {
        Ok(pb::adjustment::Kind::Unspecified | pb::adjustment::Kind::Discount) => {
            Ok(AdjustmentKind::Discount)
        }
        Ok(pb::adjustment::Kind::Charge) => Ok(AdjustmentKind::Charge),
        Err(_) => Err(UnknownName),
    }
}

fn parse_tax_rounding(rounding: i32) -> Result<TaxRounding, UnknownName> {
    match request::TaxRounding::try_from(rounding) {
        Ok(request::TaxRounding::Unspecified | request::TaxRounding::Group) => Ok(TaxRounding::Group),
        Ok(request::TaxRounding::Line) => Ok(TaxRounding::Line),
        Err(_) => Err(UnknownName),
    }
}
