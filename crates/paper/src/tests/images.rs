//! Logos: what is an image, what is not, and what is too much of one.

use trato_types::Kind;

use super::{JPEG, PNG, invoice, line, logo, pictures, read};
use crate::{Language, Logo, Paper};

fn refusal(bytes: &[u8]) -> &'static str {
    let error = Logo::checked("logo", bytes.to_vec()).expect_err("it is refused");
    assert_eq!((error.kind(), error.violations()[0].field.as_str()), (Kind::Invalid, "logo"));
    error.reason()
}

#[test]
fn png_and_jpeg_are_logos() {
    for (bytes, media_type) in [(PNG, "image/png"), (JPEG, "image/jpeg")] {
        let logo = Logo::checked("logo", bytes.to_vec()).expect("a logo");
        assert_eq!((logo.bytes(), logo.media_type()), (bytes, media_type));
        let mut document = invoice(Language::English, Paper::A4, vec![line("Coffee")]);
        document.issuer.logo = Some(logo);
        let file = read(&document.to_pdf().expect("a PDF"));
        assert_eq!(pictures(&file), 1, "{media_type}");
    }
    assert_eq!(logo().bytes(), PNG);
}

/// What is not an image is refused before a document is made with it, and so is half of one.
#[test]
fn what_is_no_image_is_refused() {
    let svg: &[u8] = b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>";
    for bytes in [b"".as_slice(), b"GIF89a", svg, &PNG[..8], &JPEG[..3], b"\x89PNG\r\n\x1a\nnothing"] {
        assert_eq!(refusal(bytes), "NOT_AN_IMAGE", "{bytes:?}");
    }
    for (whole, share) in [(PNG, 2), (JPEG, 2), (JPEG, 3)] {
        assert_eq!(refusal(&whole[..whole.len() / share]), "NOT_AN_IMAGE");
    }
}

/// Bytes are counted before anything is read, and pixels before anything is decoded.
#[test]
fn what_is_too_large_is_refused_before_it_is_decoded() {
    assert_eq!(refusal(&vec![0; Logo::MAX_BYTES + 1]), "TOO_LARGE");
    // The head says two thousand by two thousand, and no pixel follows.
    let mut head = PNG[..33].to_vec();
    head[16..24].copy_from_slice(&[0, 0, 7, 208, 0, 0, 7, 208]);
    let crc = crc(&head[12..29]);
    head[29..33].copy_from_slice(&crc.to_be_bytes());
    let rest = &PNG[33..];
    assert_eq!(refusal(&[&head, rest].concat()), "TOO_MANY_PIXELS");
}

/// The check sum of a PNG's chunk.
fn crc(bytes: &[u8]) -> u32 {
    let step =
        |crc: u32, byte: &u8| {
            (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
                if crc & 1 == 1 { 0xEDB8_8320 ^ (crc >> 1) } else { crc >> 1 }
            })
        };
    !bytes.iter().fold(u32::MAX, step)
}
