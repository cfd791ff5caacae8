//! Taxes of a line: which tax, in which category of EN 16931, at which rate; and what is withheld.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{Percent, PricingError};

/// Category of a tax, as EN 16931 codes it (UNTDID 5305, BT-118 and BT-151).
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub enum TaxCategory {
    /// Taxed at a rate above zero, standard or reduced.
    #[serde(rename = "S")]
    Standard,
    /// Taxed at a rate of zero.
    #[serde(rename = "Z")]
    Zero,
    /// Exempt, for a reason.
    #[serde(rename = "E")]
    Exempt,
    /// The buyer owes the tax.
    #[serde(rename = "AE")]
    ReverseCharge,
    /// Supply to a business in another member state.
    #[serde(rename = "K")]
    IntraCommunity,
    /// Exported.
    #[serde(rename = "G")]
    Export,
    /// Not subject to the tax.
    #[serde(rename = "O")]
    NotSubject,
    /// The tax of the Canary Islands (IGIC).
    #[serde(rename = "L")]
    CanaryIslands,
    /// The tax of Ceuta and Melilla (IPSI).
    #[serde(rename = "M")]
    CeutaAndMelilla,
}

/// A tax of a line. Lines of equal code, category and rate are one group, whose tax is computed once.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Tax {
    /// Which tax at which rate.
    pub key: TaxKey,
    /// Why none is due (BT-120); exactly the categories E, AE, K, G and O have one.
    pub reason: Option<Arc<str>>,
}

/// What the lines of a group have in common.
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct TaxKey {
    /// Which tax it is, `VAT` say. Where one tax has several codes that EN 16931 wants in one group, they come under one.
    pub code: Arc<str>,
    /// How the line is taxed.
    pub category: TaxCategory,
    /// The rate; zero unless the category has one.
    pub rate: Percent,
}

/// A tax that the buyer keeps back and pays in the seller's name. It lessens what is due, not what the line costs.
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct Withholding {
    /// Which one, `IRPF` say.
    pub code: Arc<str>,
    /// Share of the net amount.
    pub rate: Percent,
}

impl TaxCategory {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Standard,
        Self::Zero,
        Self::Exempt,
        Self::ReverseCharge,
        Self::IntraCommunity,
        Self::Export,
        Self::NotSubject,
        Self::CanaryIslands,
        Self::CeutaAndMelilla,
    ];

    /// The category of a code of UNTDID 5305; none for codes that EN 16931 does not list.
    pub fn of_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|category| category.code() == code)
    }

    /// The code of UNTDID 5305.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Standard => "S",
            Self::Zero => "Z",
            Self::Exempt => "E",
            Self::ReverseCharge => "AE",
            Self::IntraCommunity => "K",
            Self::Export => "G",
            Self::NotSubject => "O",
            Self::CanaryIslands => "L",
            Self::CeutaAndMelilla => "M",
        }
    }

    /// True for categories that owe a reason (BR-E-10, BR-AE-10, BR-IC-10, BR-G-10, BR-O-10); the others must have none.
    pub const fn needs_reason(self) -> bool {
        matches!(
            self,
            Self::Exempt | Self::ReverseCharge | Self::IntraCommunity | Self::Export | Self::NotSubject
        )
    }

    /// True when a rate goes with the category (BR-S-05, BR-Z-05, BR-E-05, BR-AE-05, BR-IC-05, BR-G-05, BR-O-05,
    /// BR-IG-05, BR-IP-05).
    pub const fn admits(self, rate: Percent) -> bool {
        match self {
            Self::Standard => !rate.is_zero(),
            Self::CanaryIslands | Self::CeutaAndMelilla => true,
            _ => rate.is_zero(),
        }
    }
}

impl Tax {
    /// A tax with a rate, or one that is zero without further reason.
    pub fn new(code: &str, category: TaxCategory, rate: Percent) -> Self {
        Self { key: TaxKey { code: code.into(), category, rate }, reason: None }
    }

    /// No tax, for a reason.
    pub fn none(code: &str, category: TaxCategory, reason: &str) -> Self {
        Self { key: TaxKey { code: code.into(), category, rate: Percent::ZERO }, reason: Some(reason.into()) }
    }

    /// Whether rate and reason go with the category.
    pub(crate) fn check(&self) -> Result<(), PricingError> {
        if !self.key.category.admits(self.key.rate) {
            return Err(PricingError::RateUnsuited);
        }
        let has_reason = self.reason.as_deref().is_some_and(|reason| !reason.trim().is_empty());
        if has_reason != self.key.category.needs_reason() {
            return Err(PricingError::ReasonUnsuited);
        }
        Ok(())
    }
}
