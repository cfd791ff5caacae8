//! Wire → JSON, held against prost-reflect.

use proptest::prelude::*;
use prost_reflect::{DynamicMessage, SerializeOptions, Value, prost::Message};
use trato_gateway::codec::{self, CodecError, write_message};

use crate::{
    contract::{self, SCHEMA},
    random::{Random, random},
};

fn written(name: &str, wire: &[u8]) -> Result<serde_json::Value, CodecError> {
    let id = SCHEMA.find(&format!("example.library.v1.{name}")).expect("a message of the contract");
    let mut out = Vec::new();
    write_message(&SCHEMA, id, wire, &mut out)?;
    let text = String::from_utf8(out).expect("JSON is UTF-8");
    Ok(serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}")))
}

/// What prost-reflect writes, when it does. By way of the text, as single precision has another value there.
fn expected(message: &DynamicMessage) -> Option<serde_json::Value> {
    let mut text = Vec::new();
    let options = SerializeOptions::new().skip_default_fields(false);
    message.serialize_with_options(&mut serde_json::Serializer::new(&mut text), &options).ok()?;
    Some(serde_json::from_slice(&text).expect("the oracle's text"))
}

fn everything(build: impl FnOnce(&mut DynamicMessage)) -> serde_json::Value {
    let mut message = DynamicMessage::new(contract::message("Everything"));
    build(&mut message);
    written("Everything", &message.encode_to_vec()).expect("a message")
}

/// Splits a message into its top-level fields, tag included.
fn split(wire: &[u8]) -> Vec<&[u8]> {
    let mut reader = codec::wire::Reader::new(wire);
    let mut rest = wire;
    let mut fields = Vec::new();
    while let Some(tag) = reader.tag().expect("a tag") {
        reader.skip(tag).expect("a value");
        let length = rest.len() - reader.remaining();
        fields.push(&rest[..length]);
        rest = &rest[length..];
    }
    fields
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_message_is_written_as_prost_reflect_writes_it(Random(message) in random("Everything", 2)) {
        prop_assert_eq!(written("Everything", &message.encode_to_vec()).ok(), expected(&message));
    }

    #[test]
    fn order_and_repetition_on_the_wire_do_not_matter(
        Random(first) in random("Everything", 2),
        Random(second) in random("Everything", 2),
        seed in any::<u64>(),
    ) {
        let (first, second) = (first.encode_to_vec(), second.encode_to_vec());
        let mut fields = split(&first);
        fields.extend(split(&second));
        let mut state = seed | 1;
        for index in (1..fields.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            fields.swap(index, usize::try_from(state >> 33).expect("31 bits") % (index + 1));
        }
        let wire = fields.concat();
        let message = DynamicMessage::decode(contract::message("Everything"), wire.as_slice()).expect("a message");

        // A duration merged from two may have two signs, which prost-reflect mends and we refuse.
        let written = written("Everything", &wire);
        prop_assume!(written != Err(CodecError::Range));
        prop_assert_eq!(written.ok(), expected(&message));
    }

    #[test]
    fn no_bytes_make_it_panic(wire in any::<Vec<u8>>()) {
        let _ = written("Everything", &wire);
    }

    #[test]
    fn a_damaged_message_is_an_error_or_valid_json(
        Random(message) in random("Everything", 2),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let mut wire = message.encode_to_vec();
        if !wire.is_empty() {
            let at = at.index(wire.len());
            wire[at] = byte;
        }
        let _ = written("Everything", &wire);
    }
}

#[test]
fn numbers_that_are_none_are_texts() {
    let json = everything(|message| {
        message.set_field_by_name("double_value", Value::F64(f64::NAN));
        message.set_field_by_name("float_value", Value::F32(f32::NEG_INFINITY));
        message.set_field_by_name("doubles", Value::List(vec![Value::F64(f64::INFINITY)]));
    });

    assert_eq!(json["doubleValue"], "NaN");
    assert_eq!(json["floatValue"], "-Infinity");
    assert_eq!(json["doubles"][0], "Infinity");
}

#[test]
fn every_scalar_is_printed_and_what_is_unset_is_not() {
    let json = everything(|_| {});

    assert_eq!(json["int64Value"], "0");
    assert_eq!(json["colour"], "COLOUR_UNSPECIFIED");
    assert_eq!(json["texts"], serde_json::json!([]));
    assert_eq!(json["labels"], serde_json::json!({}));
    for absent in ["nested", "choiceText", "optionalNumber", "time", "int64Wrapper"] {
        assert!(json.get(absent).is_none(), "{absent}");
    }
}

#[test]
fn an_any_of_an_unknown_type_keeps_its_bytes() {
    let mut any =
        DynamicMessage::new(contract::POOL.get_message_by_name("google.protobuf.Any").expect("Any"));
    any.set_field_by_name("type_url", Value::String("type.example.com/not.Known".to_owned()));
    any.set_field_by_name("value", Value::Bytes(vec![1, 2, 3].into()));

    let json = everything(|message| message.set_field_by_name("any", Value::Message(any)));

    assert_eq!(json["any"], serde_json::json!({"@type": "type.example.com/not.Known", "value": "AQID"}));
}

#[test]
fn messages_nested_too_deeply_are_refused() {
    let mut wire = Vec::new();
    for _ in 0..10_000 {
        let mut outer = Vec::with_capacity(wire.len() + 8);
        codec::wire::put_delimited(&mut outer, 17, &wire);
        wire = outer;
    }

    assert_eq!(written("Everything", &wire), Err(CodecError::TooDeep));
}

#[test]
fn what_is_not_the_message_is_refused() {
    for (wire, error) in [
        (&b"\x72\x05abc"[..], CodecError::Malformed),
        (b"\x72\x02\xff\xfe", CodecError::Utf8),
        (b"\x70\x01", CodecError::WireType),
        (b"\x00\x01", CodecError::Malformed),
        (b"\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", CodecError::Malformed),
        (b"\xe2\x03\x0b\x08\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", CodecError::Range),
    ] {
        assert_eq!(written("Everything", wire), Err(error), "{wire:?}");
    }
}
