//! Why a price, a tax or a credit cannot be computed. Nothing is rounded or cut silently, and nothing panics.

use trato_types::{DomainError, Kind, error::FieldError};

/// A reason somebody can act on.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum PricingError {
    /// Letters, an exponent, white space, or nothing.
    #[error("must be a decimal number such as 12.5")]
    NotADecimal,
    /// Finer than what is stored.
    #[error("has too many decimals")]
    TooManyDecimals,
    /// Larger than what is stored, or than 2^63 minor units.
    #[error("is too large")]
    TooLarge,
    /// Below zero where that has no meaning.
    #[error("must not be negative")]
    Negative,
    /// A unit of price, or an exchange rate, of zero or less.
    #[error("must be more than zero")]
    NotPositive,
    /// More than the whole, or less than nothing.
    #[error("must be a percentage from 0 to 100")]
    PercentOutOfRange,
    /// No currency of ISO 4217.
    #[error("is no currency of ISO 4217")]
    UnknownCurrency,
    /// Empty, or longer than 128 bytes.
    #[error("must have 1 to 128 bytes")]
    InvalidKey,
    /// Two lines, or a line and a charge, of one key.
    #[error("stands for another line of the document already")]
    DuplicateKey,
    /// A key that no line has.
    #[error("is no line of the document")]
    UnknownKey,
    /// Takes away more than there is, or has the other sign.
    #[error("takes more than there is to take from")]
    DiscountExceedsAmount,
    /// A charge of the sign opposite to what it is put on.
    #[error("must not have the sign opposite to what it is put on")]
    ChargeReduces,
    /// Two taxes of one line with equal code, category and rate.
    #[error("is on the line already")]
    DuplicateTax,
    /// A line without any tax category.
    #[error("must name the tax category of the line, even where no tax is due")]
    TaxMissing,
    /// A category that is never zero has no rate, or one that is always zero has one (EN 16931, BR-S-05 to BR-O-05).
    #[error("does not go with the tax category")]
    RateUnsuited,
    /// A category without tax says no reason, or one with tax does (EN 16931, BR-E-10 and its like).
    #[error("must say why no tax is due, and only where none is")]
    ReasonUnsuited,
    /// Category O beside others (EN 16931, BR-O-11 to BR-O-14).
    #[error("what is not subject to the tax cannot stand in one document with what is")]
    NotSubjectMixed,
    /// A document without lines.
    #[error("must have at least one line")]
    NoLines,
    /// There is nothing a total could be shared over.
    #[error("has nothing it could be shared over")]
    NothingToShare,
    /// More than what earlier credits left.
    #[error("is more than what is left to be credited")]
    CreditExceedsRest,
    /// More than the open amount of the document, or of the other sign.
    #[error("is more than what the document still has open")]
    AllocationExceedsDocument,
    /// More than what the payment has left, or of the other sign.
    #[error("is more than what the payment has left")]
    AllocationExceedsPayment,
    /// From a currency into itself at another rate than one.
    #[error("must be 1 within one currency")]
    RateWithinCurrency,
    /// No list has a price for the product.
    #[error("has no price in any list")]
    PriceMissing,
    /// The same coupon twice.
    #[error("was handed in already")]
    CouponTwice,
}

impl PricingError {
    /// The stable reason.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::NotADecimal => "NOT_A_DECIMAL",
            Self::TooManyDecimals => "TOO_MANY_DECIMALS",
            Self::TooLarge => "AMOUNT_TOO_LARGE",
            Self::Negative => "NEGATIVE_AMOUNT",
            Self::NotPositive => "NOT_POSITIVE",
            Self::PercentOutOfRange => "PERCENT_OUT_OF_RANGE",
            Self::UnknownCurrency => "UNKNOWN_CURRENCY",
            Self::InvalidKey => "INVALID_LINE_KEY",
            Self::DuplicateKey => "DUPLICATE_LINE_KEY",
            Self::UnknownKey => "UNKNOWN_LINE_KEY",
            Self::DiscountExceedsAmount => "DISCOUNT_EXCEEDS_AMOUNT",
            Self::ChargeReduces => "CHARGE_REDUCES",
            Self::DuplicateTax => "DUPLICATE_TAX",
            Self::TaxMissing => "TAX_MISSING",
            Self::RateUnsuited => "TAX_RATE_UNSUITED",
            Self::ReasonUnsuited => "TAX_REASON_UNSUITED",
            Self::NotSubjectMixed => "NOT_SUBJECT_TO_TAX_MIXED",
            Self::NoLines => "NO_LINES",
            Self::NothingToShare => "NOTHING_TO_SHARE",
            Self::CreditExceedsRest => "CREDIT_EXCEEDS_REST",
            Self::AllocationExceedsDocument => "ALLOCATION_EXCEEDS_DOCUMENT",
            Self::AllocationExceedsPayment => "ALLOCATION_EXCEEDS_PAYMENT",
            Self::RateWithinCurrency => "RATE_WITHIN_CURRENCY",
            Self::PriceMissing => "PRICE_MISSING",
            Self::CouponTwice => "COUPON_TWICE",
        }
    }
}

impl FieldError for PricingError {
    fn reason(&self) -> &'static str {
        (*self).reason()
    }
}

impl DomainError for PricingError {
    fn kind(&self) -> Kind {
        Kind::Invalid
    }

    fn reason(&self) -> &'static str {
        (*self).reason()
    }
}
