//! The part of the catalogue that a document needs: what is sold on its day, and how it is taxed.

use std::collections::HashMap;

use trato_pricing::{ListPrice, Period, Prices, PricingError, Tax, Withholding};
use trato_types::{Currency, Date, Id, Minor, Violations, error::FieldError};
use uuid::Uuid;

use crate::{
    price_list::PriceList,
    product::OptionGroups,
    promotion::Promotion,
    tax_code::{TaxCode, TaxError},
};

/// What a document must know of a product.
#[derive(Clone, Debug, Default)]
pub struct Good {
    /// It is deleted.
    pub is_deleted: bool,
    /// It is sold at all.
    pub sellable: bool,
    /// When it is sold.
    pub sold: Period,
    /// Code of its tax; may be empty.
    pub tax_class: String,
    /// Unit it is counted in.
    pub unit_code: String,
    /// Suggested price of one without tax.
    pub list_price: Option<(Minor, Currency)>,
    /// What can be chosen of it.
    pub options: OptionGroups,
    /// Name people use.
    pub display_name: String,
    /// What one costs us.
    pub cost: Option<(Minor, Currency)>,
}

/// The part of the catalogue that a document needs.
#[derive(Clone, Debug, Default)]
pub struct Catalogue {
    /// The lists that hold for it.
    pub lists: Vec<(Uuid, PriceList)>,
    /// Their prices.
    pub prices: HashMap<Uuid, Vec<ListPrice>>,
    /// The promotions that can apply to it.
    pub promotions: Vec<(Uuid, Promotion)>,
    /// The products in it, and those that are given.
    pub goods: HashMap<Uuid, Good>,
    /// The taxes of all of them and what is withheld, by code.
    pub taxes: HashMap<String, TaxCode>,
}

/// Why a line cannot be sold.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum LineError {
    /// There is no such product.
    #[error("does not exist")]
    NotFound,
    /// The product is deleted.
    #[error("is deleted")]
    Deleted,
    /// The product is not sold at all.
    #[error("is not sold")]
    NotSellable,
    /// The product is not sold on the day.
    #[error("is not sold on the day of the document")]
    NotActive,
}

impl FieldError for LineError {
    fn reason(&self) -> &'static str {
        match self {
            Self::NotFound => "PRODUCT_NOT_FOUND",
            Self::Deleted => "PRODUCT_DELETED",
            Self::NotSellable => "NOT_SELLABLE",
            Self::NotActive => "NOT_ACTIVE",
        }
    }
}

impl Catalogue {
    /// Name people use of a promotion.
    pub fn name_of(&self, promotion: Id<Promotion>) -> Option<&str> {
        let found = self.promotions.iter().find(|(id, _)| *id == promotion.uuid())?;
        Some(found.1.display_name.as_str())
    }

    /// A product that is sold on a day.
    pub fn good(&self, product: Uuid, date: Date) -> Result<&Good, LineError> {
        let good = self.goods.get(&product).ok_or(LineError::NotFound)?;
        if good.is_deleted {
            Err(LineError::Deleted)
        } else if !good.sellable {
            Err(LineError::NotSellable)
        } else if !good.sold.holds(date) {
            Err(LineError::NotActive)
        } else {
            Ok(good)
        }
    }

    /// The tax of a class on a day, in a document whose prices are of this kind.
    pub fn tax(&self, class: &str, date: Date, prices: Prices) -> Result<Tax, TaxError> {
        if class.is_empty() {
            return Err(TaxError::ClassMissing);
        }
        self.taxes.get(class).ok_or(TaxError::NotFound)?.on(date, prices)
    }

    /// What is withheld by these classes on a day, of the line or charge at `path`. Two codes of one tax and rate are the same.
    pub fn withheld(
        &self,
        classes: &[String],
        date: Date,
        path: &str,
        violations: &mut Violations,
    ) -> Vec<Withholding> {
        let mut withheld = Vec::with_capacity(classes.len());
        for (at, class) in classes.iter().enumerate() {
            let field = format!("{path}.withheld_tax_classes[{at}]");
            let found = self.taxes.get(class).ok_or(TaxError::NotFound);
            let Some(one) = violations.keep(&field, found.and_then(|tax| tax.withheld_on(date))) else {
                continue;
            };
            if withheld.contains(&one) {
                violations.keep(&field, Err::<(), _>(PricingError::DuplicateTax));
            }
            withheld.push(one);
        }
        withheld
    }
}
