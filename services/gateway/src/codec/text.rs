//! Writing JSON scalars straight into the output buffer.

use base64::{Engine, engine::general_purpose::STANDARD};

/// Writes `"…"` with everything escaped that JSON wants escaped.
pub fn put_string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    put_escaped(out, text);
    out.push(b'"');
}

/// 0: as it is; 1: as `\u00XX`; else the letter after the backslash.
const ESCAPE: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 0x20 {
        table[byte] = 1;
        byte += 1;
    }
    table[0x08] = b'b';
    table[0x09] = b't';
    table[0x0A] = b'n';
    table[0x0C] = b'f';
    table[0x0D] = b'r';
    table[b'"' as usize] = b'"';
    table[b'\\' as usize] = b'\\';
    table
};

/// Writes the inside of a JSON string.
pub fn put_escaped(out: &mut Vec<u8>, text: &str) {
    let bytes = text.as_bytes();
    let mut written = 0;
    for (index, byte) in bytes.iter().enumerate() {
        let escape = ESCAPE[usize::from(*byte)];
        if escape == 0 {
            continue;
        }
        out.extend_from_slice(&bytes[written..index]);
        if escape == 1 {
            const DIGITS: &[u8; 16] = b"0123456789abcdef";
            out.extend_from_slice(b"\\u00");
            out.push(DIGITS[usize::from(byte >> 4)]);
            out.push(DIGITS[usize::from(byte & 15)]);
        } else {
            out.extend_from_slice(&[b'\\', escape]);
        }
        written = index + 1;
    }
    out.extend_from_slice(&bytes[written..]);
}

/// Writes a decimal number.
pub fn put_u64(out: &mut Vec<u8>, mut value: u64) {
    let mut digits = [0_u8; 20];
    let mut start = digits.len();
    loop {
        start -= 1;
        // A remainder by ten is one digit.
        digits[start] = b'0' + (value % 10) as u8;
        value /= 10;
        if value == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[start..]);
}

/// Writes a decimal number with its sign.
pub fn put_i64(out: &mut Vec<u8>, value: i64) {
    if value < 0 {
        out.push(b'-');
    }
    put_u64(out, value.unsigned_abs());
}

/// Writes a number with a fixed count of digits, zeros in front.
pub fn put_padded(out: &mut Vec<u8>, mut value: u64, digits: usize) {
    let start = out.len();
    out.resize(start + digits, b'0');
    for place in out[start..].iter_mut().rev() {
        *place = b'0' + (value % 10) as u8;
        value /= 10;
    }
}

/// Writes the shortest decimal that reads back as the same number; the three that are none as texts.
pub fn put_f64(out: &mut Vec<u8>, value: f64) {
    if value.is_finite() {
        // Writing a number to memory cannot fail.
        let _ = serde_json::to_writer(out, &value);
    } else {
        put_not_finite(out, value.is_nan(), value > 0.0);
    }
}

/// As [`put_f64`], for single precision.
pub fn put_f32(out: &mut Vec<u8>, value: f32) {
    if value.is_finite() {
        // Writing a number to memory cannot fail.
        let _ = serde_json::to_writer(out, &value);
    } else {
        put_not_finite(out, value.is_nan(), value > 0.0);
    }
}

fn put_not_finite(out: &mut Vec<u8>, is_nan: bool, is_positive: bool) {
    out.extend_from_slice(match (is_nan, is_positive) {
        (true, _) => b"\"NaN\"",
        (_, true) => b"\"Infinity\"",
        (_, false) => b"\"-Infinity\"",
    });
}

/// Writes bytes as padded base64 in quotes.
pub fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    out.push(b'"');
    let start = out.len();
    out.resize(start + bytes.len().div_ceil(3) * 4, 0);
    // The space was made for exactly this length.
    let written = STANDARD.encode_slice(bytes, &mut out[start..]).unwrap_or(0);
    out.truncate(start + written);
    out.push(b'"');
}
