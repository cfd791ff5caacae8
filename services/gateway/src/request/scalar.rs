//! Scalars from text: what stands in a path, a query, a JSON string or a JSON number, as wire bytes.

use std::borrow::Cow;

use base64::{
    Engine,
    alphabet::{STANDARD, URL_SAFE},
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

use crate::{
    codec::wire::put_varint,
    schema::{Kind, Schema},
};

/// Why a value does not fit its field.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Reject {
    /// Stable reason.
    pub reason: &'static str,
    /// Sentence for people.
    pub description: Cow<'static, str>,
}

impl Reject {
    /// A value that does not fit, and why.
    pub fn new(reason: &'static str, description: impl Into<Cow<'static, str>>) -> Self {
        Self { reason, description: description.into() }
    }
}

/// Writes the value of a scalar, without its tag. Enums are read by name and by number.
pub fn put_text(schema: &Schema, kind: Kind, text: &str, out: &mut Vec<u8>) -> Result<(), Reject> {
    match kind {
        Kind::String => put_bytes(out, text.as_bytes()),
        Kind::Bytes => put_bytes(out, &base64(text)?),
        Kind::Bool => match text {
            "true" => out.push(1),
            "false" => out.push(0),
            _ => return Err(Reject::new("WRONG_TYPE", "must be true or false")),
        },
        Kind::Int32 => put_signed(out, integer(text, i32::MIN.into(), i32::MAX.into())?),
        Kind::Int64 => put_signed(out, integer(text, i64::MIN.into(), i64::MAX.into())?),
        Kind::Uint32 => put_signed(out, integer(text, 0, u32::MAX.into())?),
        Kind::Uint64 => put_varint(out, integer(text, 0, u64::MAX.into())? as u64),
        Kind::Sint32 => put_varint(out, zigzag(integer(text, i32::MIN.into(), i32::MAX.into())? as i64)),
        Kind::Sint64 => put_varint(out, zigzag(integer(text, i64::MIN.into(), i64::MAX.into())? as i64)),
        Kind::Fixed32 => out.extend((integer(text, 0, u32::MAX.into())? as u32).to_le_bytes()),
        Kind::Sfixed32 => out.extend((integer(text, i32::MIN.into(), i32::MAX.into())? as i32).to_le_bytes()),
        Kind::Fixed64 => out.extend((integer(text, 0, u64::MAX.into())? as u64).to_le_bytes()),
        Kind::Sfixed64 => out.extend((integer(text, i64::MIN.into(), i64::MAX.into())? as i64).to_le_bytes()),
        Kind::Double => out.extend(float(text)?.to_le_bytes()),
        Kind::Float => out.extend(single(text)?.to_le_bytes()),
        Kind::Enum(id) => {
            let enumeration = schema.enumeration(id);
            let number = match enumeration.number(text) {
                Some(number) => number.into(),
                None => integer(text, i32::MIN.into(), i32::MAX.into()).map_err(|_| {
                    Reject::new("UNKNOWN_VALUE", format!("is not a value of {}", enumeration.name))
                })?,
            };
            put_signed(out, number);
        }
        Kind::Message(_) => return Err(Reject::new("WRONG_TYPE", "is a message; name its fields with dots")),
    }
    Ok(())
}

fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Negative numbers of every width are written as 64 bits.
fn put_signed(out: &mut Vec<u8>, value: i128) {
    put_varint(out, (value as i64).cast_unsigned());
}

fn zigzag(value: i64) -> u64 {
    (value << 1 ^ value >> 63).cast_unsigned()
}

/// A whole number within bounds. `1.0` and `1e3` are whole, as the JSON mapping says.
fn integer(text: &str, least: i128, most: i128) -> Result<i128, Reject> {
    let value = match text.parse::<i128>() {
        Ok(value) if !text.starts_with('+') => value,
        _ => whole_float(text)?,
    };
    if value < least || value > most {
        return Err(Reject::new("OUT_OF_RANGE", format!("must be between {least} and {most}")));
    }
    Ok(value)
}

fn whole_float(text: &str) -> Result<i128, Reject> {
    // Beyond 2^53 a float no longer tells neighbouring numbers apart.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    match number_shaped(text).then(|| text.parse::<f64>()) {
        Some(Ok(value)) if value.fract() == 0.0 && value.abs() <= EXACT => Ok(value as i128),
        Some(Ok(value)) if value.fract() == 0.0 => {
            Err(Reject::new("OUT_OF_RANGE", "is too large to be written with a fraction or exponent"))
        }
        _ => Err(Reject::new("WRONG_TYPE", "must be a whole number")),
    }
}

/// Rust reads `inf` and `nan` as numbers; JSON does not.
fn number_shaped(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte)) && !text.starts_with('+')
}

fn float(text: &str) -> Result<f64, Reject> {
    match text {
        "NaN" => return Ok(f64::NAN),
        "Infinity" => return Ok(f64::INFINITY),
        "-Infinity" => return Ok(f64::NEG_INFINITY),
        _ => {}
    }
    let value = number_shaped(text).then(|| text.parse::<f64>().ok()).flatten();
    let value = value.ok_or_else(|| Reject::new("WRONG_TYPE", "must be a number"))?;
    if value.is_finite() { Ok(value) } else { Err(Reject::new("OUT_OF_RANGE", "is beyond double precision")) }
}

fn single(text: &str) -> Result<f32, Reject> {
    let value = float(text)?;
    let narrow = value as f32;
    if value.is_finite() && narrow.is_infinite() {
        return Err(Reject::new("OUT_OF_RANGE", "is beyond single precision"));
    }
    Ok(narrow)
}

/// Both alphabets, with and without padding, as the JSON mapping asks.
fn base64(text: &str) -> Result<Vec<u8>, Reject> {
    const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    const PLAIN: GeneralPurpose = GeneralPurpose::new(&STANDARD, LENIENT);
    const URL: GeneralPurpose = GeneralPurpose::new(&URL_SAFE, LENIENT);
    let engine = if text.contains(['-', '_']) { URL } else { PLAIN };
    engine.decode(text).map_err(|_| Reject::new("INVALID_BASE64", "must be base64"))
}
