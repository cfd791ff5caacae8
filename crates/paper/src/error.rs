//! Why something cannot be put on paper.

use trato_types::error::FieldError;

/// Why something was refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum PaperError {
    /// Bytes that are neither PNG nor JPEG, or not all of one.
    #[error("must be a PNG or JPEG image")]
    NotAnImage,
    /// An image in colours that only a printing press knows.
    #[error("must be an image in RGB or grey")]
    ColoursUnsuited,
    /// More bytes than a logo may have.
    #[error("must have at most 256 KiB")]
    TooManyBytes,
    /// More pixels than a logo may have.
    #[error("must have at most 2,000,000 pixels")]
    TooManyPixels,
    /// A language in which documents have no words yet.
    #[error("must be one of en, en-US and es")]
    UnknownLanguage,
}

impl FieldError for PaperError {
    fn reason(&self) -> &'static str {
        match self {
            Self::NotAnImage => "NOT_AN_IMAGE",
            Self::ColoursUnsuited => "COLOURS_UNSUITED",
            Self::TooManyBytes => "TOO_LARGE",
            Self::TooManyPixels => "TOO_MANY_PIXELS",
            Self::UnknownLanguage => "UNKNOWN_LANGUAGE",
        }
    }
}
