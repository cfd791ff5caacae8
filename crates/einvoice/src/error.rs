//! Why something is no e-invoice, or cannot be read as one. Nothing is left out silently, and nothing panics.

use trato_types::error::FieldError;

/// A reason somebody can act on. Rules of EN 16931 are named as its validators name them.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum EInvoiceError {
    /// A document without lines (BR-16).
    #[error("must have at least one line")]
    NoLines,
    /// More lines than a document may have here.
    #[error("has more items than a document may have")]
    TooMany,
    /// No currency of ISO 4217 (BR-CL-03, BR-CL-04).
    #[error("is no currency of ISO 4217")]
    UnknownCurrency,
    /// A currency with thousandths, which the standard has no place for (BR-DEC-01 to BR-DEC-28).
    #[error("has more decimals than the two that EN 16931 allows")]
    CurrencyTooFine,
    /// The tax is given a second time in the currency it has already, or an amount is in another than the document's.
    #[error("is not the currency that belongs here")]
    CurrencyUnsuited,
    /// Two lines of one number.
    #[error("stands for another line of the document already")]
    DuplicateLine,
    /// A total is not the sum of what it stands over (BR-CO-10 to BR-CO-16).
    #[error("is not the sum of what it stands over")]
    SumDiffers,
    /// The basis of a tax is not the sum of what is taxed (BR-S-08, BR-Z-08 and the like).
    #[error("is not the sum of the lines, allowances and charges of this category and rate")]
    TaxBasisDiffers,
    /// The tax is further from its rate than a unit of the currency (BR-CO-17, BR-S-09 and the like).
    #[error("is not what the rate makes of the basis")]
    TaxAmountDiffers,
    /// A category that is never zero has no rate, or one that is always zero has one (BR-S-05, BR-Z-05 and the like).
    #[error("does not go with the tax category")]
    TaxRateUnsuited,
    /// A category without tax says no reason, or one with tax does (BR-S-10, BR-E-10 and the like).
    #[error("must say why no tax is due, and only where none is")]
    TaxReasonUnsuited,
    /// Something is taxed in a way for which there is no breakdown (BR-CO-18, BR-S-01, BR-Z-01 and the like).
    #[error("has a tax category and rate that the tax breakdown does not have")]
    TaxGroupMissing,
    /// A breakdown of a category and rate by which nothing is taxed, or a second one (BR-Z-01, BR-E-01 and the like).
    #[error("must be the only breakdown of its category and rate, and something must be taxed so")]
    TaxGroupUnsuited,
    /// Category O beside others (BR-O-11 to BR-O-14).
    #[error("what is not subject to the tax cannot stand in one document with what is")]
    NotSubjectMixed,
    /// The category needs a tax number of this party (BR-S-02, BR-AE-02, BR-IC-02, BR-G-02 and the like).
    #[error("the tax categories of the document need a tax number here")]
    TaxNumberMissing,
    /// A VAT number where nothing is subject to the tax (BR-O-02 to BR-O-04).
    #[error("must not be given where nothing is subject to the tax")]
    TaxNumberUnsuited,
    /// Neither an identifier, nor a registration, nor a VAT number of the seller (BR-CO-26).
    #[error("must have an identifier, a registration or a VAT number")]
    SellerUnidentified,
    /// The payee is the seller (BR-17).
    #[error("must be somebody else than the seller")]
    PayeeIsSeller,
    /// More identifiers than the standard has a place for.
    #[error("must have at most one identifier")]
    IdentifierRepeated,
    /// Something is owed, and nothing says when (BR-CO-25).
    #[error("a day or terms must say when the amount is due")]
    TermsMissing,
    /// Due before the day of issue.
    #[error("must not be before the day of issue")]
    DueBeforeIssue,
    /// UBL keeps the day on which a credit note is due with the means of payment.
    #[error("needs means of payment, which the due date of a credit note belongs to")]
    DueWithoutMeans,
    /// A transfer without an account (BR-50, BR-61).
    #[error("must have an account for this code")]
    AccountMissing,
    /// Accounts to pay to beside a mandate to collect.
    #[error("a transfer and a direct debit exclude each other")]
    MeansMixed,
    /// An allowance or a charge without a reason (BR-33, BR-38, BR-42, BR-44).
    #[error("must have a reason or the code of one")]
    ReasonMissing,
    /// The last day is before the first (BR-29, BR-30).
    #[error("the last day must not be before the first")]
    EndBeforeStart,
    /// A supply within the union without its day (BR-IC-11).
    #[error("must have a day of delivery or a period where something is supplied within the union")]
    DeliveryDateMissing,
    /// A supply within the union without its country (BR-IC-12).
    #[error("must have a country where something is supplied within the union")]
    DeliveryCountryMissing,
    /// The price is not its gross less its discount (BT-146 to BT-148).
    #[error("must be the gross price less the discount")]
    PriceDiffers,
    /// A quantity that a price is for of zero or less.
    #[error("must be more than zero")]
    NotPositive,
    /// A text that stands for the absence of one in UBL.
    #[error("stands for no number at all")]
    Placeholder,
    /// A year before 1 or after 9999, or no day at all.
    #[error("must be a day of the years 1 to 9999")]
    InvalidDate,
    /// The profile needs what the standard leaves open.
    #[error("must be given by the rules of the profile")]
    RequiredByProfile,
    /// A code of another form than its list has, or one that is not known here.
    #[error("is none of the codes that may stand here")]
    UnknownCode,
    /// Not a country of ISO 3166-1.
    #[error("is no country of ISO 3166-1")]
    InvalidCountry,
    /// Not a VAT number with its country (BR-CO-09).
    #[error("must be a VAT number that begins with its country")]
    InvalidVatNumber,
    /// Not an IBAN, or one whose check digits are wrong.
    #[error("must be an IBAN")]
    InvalidIban,
    /// Not a number, or with an exponent.
    #[error("must be a decimal number such as 12.5")]
    NotADecimal,
    /// Finer than the currency's minor unit.
    #[error("has more decimals than the currency's minor unit")]
    AmountTooFine,
    /// More than 2^63 minor units.
    #[error("is too large")]
    AmountTooLarge,
    /// Neither `true` nor `false`.
    #[error("must be true or false")]
    NotABoolean,
    /// More bytes or elements than a document may have.
    #[error("the document is too large")]
    DocumentTooLarge,
    /// Elements within elements within elements.
    #[error("the elements are nested too deep")]
    TooDeep,
    /// Not UTF-8, or said not to be.
    #[error("the document must be XML 1.0 in UTF-8")]
    NotUtf8,
    /// Not XML, or not all of it.
    #[error("the document is not well-formed XML")]
    Malformed,
    /// A document type: entities and what else comes with it are never looked at.
    #[error("the document must not have a document type")]
    DtdNotAllowed,
    /// A reference to anything but the five entities of XML itself.
    #[error("refers to an entity that is not there")]
    UnknownEntity,
    /// Another root than that of an invoice in this syntax.
    #[error("is no invoice in this syntax")]
    NotAnInvoice,
    /// Something that must be there is not.
    #[error("must be there")]
    Missing,
    /// Twice what there is a place for once.
    #[error("must stand only once")]
    Repeated,
    /// An element that has no place in the model. It is not passed over, since it may change the meaning.
    #[error("cannot be kept")]
    NotSupported,
    /// The same fact given in several places differs.
    #[error("says something else than the same fact elsewhere in the document")]
    Contradictory,
}

impl EInvoiceError {
    /// The stable reason.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::NoLines => "NO_LINES",
            Self::TooMany => "TOO_MANY",
            Self::UnknownCurrency => "UNKNOWN_CURRENCY",
            Self::CurrencyTooFine => "CURRENCY_TOO_FINE",
            Self::CurrencyUnsuited => "CURRENCY_UNSUITED",
            Self::DuplicateLine => "DUPLICATE_LINE_NUMBER",
            Self::SumDiffers => "SUM_DIFFERS",
            Self::TaxBasisDiffers => "TAX_BASIS_DIFFERS",
            Self::TaxAmountDiffers => "TAX_AMOUNT_DIFFERS",
            Self::TaxRateUnsuited => "TAX_RATE_UNSUITED",
            Self::TaxReasonUnsuited => "TAX_REASON_UNSUITED",
            Self::TaxGroupMissing => "TAX_GROUP_MISSING",
            Self::TaxGroupUnsuited => "TAX_GROUP_UNSUITED",
            Self::NotSubjectMixed => "NOT_SUBJECT_TO_TAX_MIXED",
            Self::TaxNumberMissing => "TAX_NUMBER_MISSING",
            Self::TaxNumberUnsuited => "TAX_NUMBER_UNSUITED",
            Self::SellerUnidentified => "SELLER_UNIDENTIFIED",
            Self::PayeeIsSeller => "PAYEE_IS_SELLER",
            Self::IdentifierRepeated => "IDENTIFIER_REPEATED",
            Self::TermsMissing => "PAYMENT_TERMS_MISSING",
            Self::DueBeforeIssue => "DUE_BEFORE_ISSUE",
            Self::DueWithoutMeans => "DUE_WITHOUT_PAYMENT_MEANS",
            Self::AccountMissing => "ACCOUNT_MISSING",
            Self::MeansMixed => "PAYMENT_MEANS_MIXED",
            Self::ReasonMissing => "REASON_MISSING",
            Self::EndBeforeStart => "END_BEFORE_START",
            Self::DeliveryDateMissing => "DELIVERY_DATE_MISSING",
            Self::DeliveryCountryMissing => "DELIVERY_COUNTRY_MISSING",
            Self::PriceDiffers => "PRICE_DIFFERS",
            Self::NotPositive => "NOT_POSITIVE",
            Self::Placeholder => "PLACEHOLDER",
            Self::InvalidDate => "INVALID_DATE",
            Self::RequiredByProfile => "REQUIRED_BY_PROFILE",
            Self::UnknownCode => "UNKNOWN_CODE",
            Self::InvalidCountry => "INVALID_COUNTRY_CODE",
            Self::InvalidVatNumber => "INVALID_VAT_NUMBER",
            Self::InvalidIban => "INVALID_IBAN",
            Self::NotADecimal => "NOT_A_DECIMAL",
            Self::AmountTooFine => "AMOUNT_TOO_FINE",
            Self::AmountTooLarge => "AMOUNT_TOO_LARGE",
            Self::NotABoolean => "NOT_A_BOOLEAN",
            Self::DocumentTooLarge => "DOCUMENT_TOO_LARGE",
            Self::TooDeep => "XML_TOO_DEEP",
            Self::NotUtf8 => "NOT_UTF8",
            Self::Malformed => "XML_MALFORMED",
            Self::DtdNotAllowed => "DTD_NOT_ALLOWED",
            Self::UnknownEntity => "UNKNOWN_ENTITY",
            Self::NotAnInvoice => "NOT_AN_INVOICE",
            Self::Missing => "ELEMENT_MISSING",
            Self::Repeated => "ELEMENT_REPEATED",
            Self::NotSupported => "ELEMENT_NOT_SUPPORTED",
            Self::Contradictory => "CONTRADICTORY",
        }
    }
}

impl EInvoiceError {
    /// The rule of the standard, or the first of them, that is behind a reason of what is missing; empty where it has none.
    pub fn rule(reason: &str) -> &'static str {
        const RULES: [(EInvoiceError, &str); 12] = [
            (EInvoiceError::TermsMissing, "BR-CO-25"),
            (EInvoiceError::SellerUnidentified, "BR-CO-26"),
            (EInvoiceError::TaxNumberMissing, "BR-S-02"),
            (EInvoiceError::TaxNumberUnsuited, "BR-O-02"),
            (EInvoiceError::TaxReasonUnsuited, "BR-E-10"),
            (EInvoiceError::TaxRateUnsuited, "BR-S-05"),
            (EInvoiceError::NotSubjectMixed, "BR-O-11"),
            (EInvoiceError::DeliveryDateMissing, "BR-IC-11"),
            (EInvoiceError::DeliveryCountryMissing, "BR-IC-12"),
            (EInvoiceError::CurrencyTooFine, "BR-DEC-23"),
            (EInvoiceError::AccountMissing, "BR-61"),
            (EInvoiceError::RequiredByProfile, "BR-DE-1"),
        ];
        RULES.iter().find(|(error, _)| error.reason() == reason).map_or("", |(_, rule)| rule)
    }
}

impl FieldError for EInvoiceError {
    fn reason(&self) -> &'static str {
        (*self).reason()
    }
}
