//! Why verbs of quotes are refused.

use trato_types::DomainError;

/// Why a verb was refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum QuoteError {
    /// It was submitted.
    #[error("the quote is neither a draft nor rejected")]
    NotDraft,
    /// It comes to something else than when it was written.
    #[error("prices, promotions or taxes have changed since the draft was written; write it again")]
    PriceChanged,
    /// Nobody is to approve it now.
    #[error("the quote is not in approval")]
    NotInApproval,
    /// It is not approved.
    #[error("the quote is not approved")]
    NotApproved,
    /// It is not with the customer.
    #[error("the quote is not with the customer, or came to its outcome")]
    NotSent,
    /// Its days are over.
    #[error("the last day on which the quote is valid is over")]
    Expired,
    /// It came to its outcome.
    #[error("the quote came to its outcome before")]
    Closed,
    /// It is to win an opportunity, and has none.
    #[error("the quote has no opportunity")]
    NoOpportunity,
    /// It is worth nothing any more.
    #[error("the quote was cancelled, or the next version is in its place")]
    Withdrawn,
}

impl DomainError for QuoteError {
    fn reason(&self) -> &'static str {
        match self {
            Self::NotDraft => "QUOTE_NOT_DRAFT",
            Self::PriceChanged => "PRICE_CHANGED",
            Self::NotInApproval => "QUOTE_NOT_IN_APPROVAL",
            Self::NotApproved => "QUOTE_NOT_APPROVED",
            Self::NotSent => "QUOTE_NOT_SENT",
            Self::Expired => "QUOTE_EXPIRED",
            Self::Closed => "QUOTE_CLOSED",
            Self::NoOpportunity => "NO_OPPORTUNITY",
            Self::Withdrawn => "QUOTE_WITHDRAWN",
        }
    }
}
