//! Logos: PNG or JPEG, bounded before anything is decoded, and decoded once before they are kept.

use std::{io::Cursor, sync::Arc};

use krilla::{Data, image::Image};
use trato_types::{Result, error::FieldError as _};
use zune_jpeg::{JpegDecoder, zune_core::options::DecoderOptions};

use crate::{PaperError, pdf};

/// A picture that stands at the head of a document.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Logo {
    bytes: Arc<Vec<u8>>,
    format: Format,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Format {
    Png,
    Jpeg,
}

impl Logo {
    /// Most bytes.
    pub const MAX_BYTES: usize = 256 * 1024;
    /// Most pixels.
    pub const MAX_PIXELS: u64 = 2_000_000;

    /// Takes an image that can be printed; INVALID_ARGUMENT by `field` for all else.
    pub fn checked(field: &str, bytes: Vec<u8>) -> Result<Self> {
        let refused =
            |error: PaperError| trato_types::Error::invalid(field, error.reason(), error.to_string());
        let logo = Self::read(bytes).map_err(refused)?;
        logo.decode().map_err(refused)?;
        Ok(logo)
    }

    /// Takes an image that was checked before.
    pub fn read(bytes: Vec<u8>) -> Result<Self, PaperError> {
        if bytes.len() > Self::MAX_BYTES {
            return Err(PaperError::TooManyBytes);
        }
        let format = match bytes.as_slice() {
            [0x89, b'P', b'N', b'G', 0x0D, 0x0A, 0x1A, 0x0A, ..] => Format::Png,
            [0xFF, 0xD8, 0xFF, ..] => Format::Jpeg,
            _ => return Err(PaperError::NotAnImage),
        };
        Ok(Self { bytes: Arc::new(bytes), format })
    }

    /// The bytes, as they were given.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What the bytes are.
    pub const fn media_type(&self) -> &'static str {
        match self.format {
            Format::Png => "image/png",
            Format::Jpeg => "image/jpeg",
        }
    }

    /// The image, of which no more than the head is read yet.
    pub(crate) fn image(&self) -> Result<Image, PaperError> {
        let data = Data::from(Arc::clone(&self.bytes));
        let image = match self.format {
            Format::Png => Image::from_png(data, false),
            Format::Jpeg => Image::from_jpeg(data, false),
        };
        let image = image.map_err(|_| PaperError::NotAnImage)?;
        let (width, height) = image.size();
        match u64::from(width) * u64::from(height) {
            0 => Err(PaperError::NotAnImage),
            pixels if pixels > Self::MAX_PIXELS => Err(PaperError::TooManyPixels),
            _ => Ok(image),
        }
    }

    /// Reads the whole image. That of a JPEG goes into a document as it is, so it is read for this alone.
    fn decode(&self) -> Result<(), PaperError> {
        let image = self.image()?;
        if self.format == Format::Jpeg {
            let options = DecoderOptions::default().set_strict_mode(true);
            let mut decoder = JpegDecoder::new_with_options(Cursor::new(self.bytes()), options);
            decoder.decode().map_err(|_| PaperError::NotAnImage)?;
        }
        pdf::try_image(image)
    }
}
