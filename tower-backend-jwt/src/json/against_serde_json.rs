//! What is read here, and how, is what serde_json reads, but for what is refused on purpose.
//!
//! The texts are made, and damaged, in the same way in each run.

use super::Object;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Number, Value};
use std::{collections::HashSet, fmt};

/// An object as serde_json reads it, without a member twice at any depth: names and values in their order.
struct Expected(Vec<(String, Value)>);

/// A value in such an object.
struct Strict(Value);

const RAW_VALUE: &str = "$serde_json::private::RawValue";

impl<'de> Deserialize<'de> for Expected {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = Expected;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Expected, A::Error> {
                members(map).map(Expected)
            }
        }

        deserializer.deserialize_map(Members)
    }
}

fn members<'de, A: MapAccess<'de>>(mut map: A) -> Result<Vec<(String, Value)>, A::Error> {
    let mut names = HashSet::new();
    let mut members = Vec::new();
    while let Some((name, Strict(value))) = map.next_entry::<String, _>()? {
        if !names.insert(name.clone()) {
            return Err(Error::custom("a member twice"));
        }
        members.push((name, value));
    }
    Ok(members)
}

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Values).map(Self)
    }
}

struct Values;

impl<'de> Visitor<'de> for Values {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        let number = Number::from_f64(value);
        Ok(number.ok_or_else(|| E::custom("too large"))?.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(Strict(item)) = seq.next_element()? {
            items.push(item);
        }
        Ok(items.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Value, A::Error> {
        let members = members(map)?;
        if members.iter().any(|(name, _)| name == RAW_VALUE) {
            return Err(Error::custom("JSON in a text"));
        }
        Ok(Value::Object(members.into_iter().collect()))
    }
}

/// Reads a text both ways; whether it is one to both.
fn compare(text: &[u8]) -> bool {
    let shown = || String::from_utf8_lossy(text).into_owned();
    let expected = serde_json::from_slice::<Expected>(text);
    let object = match (Object::parse(text.to_vec()), expected) {
        (Ok(object), Ok(Expected(expected))) => {
            let members = object.iter().map(|(name, json)| {
                let value = serde_json::from_str::<Value>(json);
                (name.to_owned(), value.unwrap())
            });
            assert!(members.eq(expected), "{}", shown());
            object
        }
        (Err(_), Err(_)) => return false,
        (Ok(_), Err(error)) => panic!("serde_json says {error}: {}", shown()),
        (Err(_), Ok(_)) => panic!("serde_json reads {}", shown()),
    };
    // Renamed or not, it is the same JSON again.
    assert_eq!(object.as_json().as_bytes(), text);
    let again: Value = serde_json::from_str(&object.to_json()).unwrap();
    assert_eq!(again, serde_json::from_slice::<Value>(text).unwrap());
    // Texts are those that serde_json reads.
    for (_, json) in object.iter() {
        let text = super::text(json).map(std::borrow::Cow::into_owned);
        assert_eq!(text, serde_json::from_str(json).ok(), "{}", shown());
    }
    true
}

/// A stream of numbers that look random: xorshift64.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound.max(1) as u64).unwrap()
    }

    fn one_of<'a>(&mut self, texts: &[&'a str]) -> &'a str {
        texts[self.below(texts.len())]
    }
}

/// What a number is made of, good and bad.
const NUMBERS: [&str; 24] = [
    "0",
    "-0",
    "7",
    "-12",
    "0.0",
    "1.50",
    "1E+2",
    "1e-3",
    "-0.1e1",
    "01",
    "-",
    "1.",
    ".5",
    "+1",
    "1e",
    "1e400",
    "-1e400",
    "1e-400",
    "0e999999",
    "18446744073709551615",
    "18446744073709551616",
    "-9223372036854775809",
    "NaN",
    "0x1",
];

/// What the text of a string is made of.
const PIECES: [&str; 28] = [
    "a",
    "bc",
    "iss",
    "a longer text, of more than sixteen bytes",
    " ",
    "\u{e9}",
    "\u{20ac}",
    "\u{1f600}",
    "\u{7f}",
    "\u{feff}",
    "\\n",
    "\\t",
    "\\\"",
    "\\\\",
    "\\/",
    "\\b",
    "\\f",
    "\\r",
    "\\u0041",
    "\\u0061",
    "\\uD83D\\uDE00",
    "\\u0000",
    "\\ud800",
    "\\udc00",
    "\\x",
    "\\u12",
    "\t",
    "$serde_json::private::RawValue",
];

/// Names that meet again in one object, some with an escape.
const NAMES: [&str; 8] = [
    "a",
    "\\u0061",
    "b",
    "iss",
    "i\\u0073s",
    "",
    "\u{e9}",
    "\\u00e9",
];

fn space(numbers: &mut Numbers, text: &mut String) {
    if numbers.below(4) == 0 {
        text.push_str(numbers.one_of(&[" ", "\t", "\n", "\r\n", "  "]));
    }
}

fn string(numbers: &mut Numbers, text: &mut String) {
    text.push('"');
    for _ in 0..numbers.below(4) {
        // Good ones, as a rule: one bad piece and the whole text is refused.
        let good = if numbers.below(40) == 0 { 28 } else { 22 };
        text.push_str(numbers.one_of(&PIECES[..good]));
    }
    text.push('"');
}

fn value(numbers: &mut Numbers, text: &mut String, depth: usize) {
    match numbers.below(if depth == 0 { 6 } else { 9 }) {
        0 | 1 => string(numbers, text),
        2 => {
            let good = if numbers.below(30) == 0 { 24 } else { 9 };
            text.push_str(numbers.one_of(&NUMBERS[..good]));
        }
        3 => text.push_str(&(numbers.0 >> numbers.below(64)).to_string()),
        4 => text.push_str(numbers.one_of(&["true", "false", "null"])),
        5 => text.push_str(numbers.one_of(&["{}", "[]", "[ ]", "{\n}"])),
        6 => object(numbers, text, depth - 1),
        _ => {
            text.push('[');
            for place in 0..numbers.below(4) {
                if place > 0 {
                    text.push(',');
                }
                space(numbers, text);
                value(numbers, text, depth - 1);
                space(numbers, text);
            }
            text.push(']');
        }
    }
}

fn object(numbers: &mut Numbers, text: &mut String, depth: usize) {
    text.push('{');
    for place in 0..numbers.below(6) {
        if place > 0 {
            text.push(',');
        }
        space(numbers, text);
        match numbers.below(20) {
            0 => string(numbers, text),
            1 => {
                text.push('"');
                text.push_str(numbers.one_of(&NAMES));
                text.push('"');
            }
            // One that is not there yet.
            _ => text.push_str(&format!("\"n{}\"", text.len())),
        }
        space(numbers, text);
        text.push(':');
        space(numbers, text);
        value(numbers, text, depth);
        space(numbers, text);
    }
    text.push('}');
}

fn made(numbers: &mut Numbers) -> String {
    let mut text = String::new();
    space(numbers, &mut text);
    object(numbers, &mut text, 4);
    space(numbers, &mut text);
    text
}

/// What breaks parsers, put where it does not belong.
const FRAGMENTS: [&[u8]; 20] = [
    b"{",
    b"}",
    b"[",
    b"]",
    b"\"",
    b"\\",
    b"\\u",
    b",",
    b":",
    b"1e999",
    b"-",
    b"0",
    b".",
    b"null",
    b"tru",
    b"\xff",
    b"\xc3",
    b"\0",
    b"\x1f",
    b"\xef\xbb\xbf",
];

fn damage(text: &str, numbers: &mut Numbers) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    for _ in 0..=numbers.below(2) {
        let place = numbers.below(bytes.len());
        match numbers.below(6) {
            0 if !bytes.is_empty() => bytes[place] ^= 1 << numbers.below(8),
            1 if !bytes.is_empty() => drop(bytes.remove(place)),
            2 => bytes.truncate(place),
            3 => {
                let end = (place + numbers.below(20)).min(bytes.len());
                let copy = bytes[place.min(end)..end].to_vec();
                bytes.splice(place..place, copy);
            }
            _ => {
                let fragment = FRAGMENTS[numbers.below(FRAGMENTS.len())];
                bytes.splice(place..place, fragment.iter().copied());
            }
        }
    }
    bytes
}

#[test]
fn an_object_is_read_as_serde_json_reads_it_or_refused_by_both() {
    const ROUNDS: usize = 8_000;
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    let (mut made_read, mut damaged_read) = (0, 0);
    for _ in 0..ROUNDS {
        let text = made(&mut numbers);
        made_read += usize::from(compare(text.as_bytes()));
        for _ in 0..2 {
            damaged_read += usize::from(compare(&damage(&text, &mut numbers)));
        }
    }
    // Neither is nearly always read nor nearly never, or the comparison says little.
    let (made, damaged) = (made_read * 100 / ROUNDS, damaged_read * 100 / (2 * ROUNDS));
    assert!((40..98).contains(&made), "{made} % of those made are read");
    assert!(
        (3..60).contains(&damaged),
        "{damaged} % of those damaged are read"
    );
}

#[test]
fn one_byte_anywhere_in_a_text_is_judged_as_serde_json_judges_it() {
    let text = "{\"a\": [1.5e+2, -0, {\"b\\u0041\": \"\u{e9}\\ud83d\\ude00\"}], \"c\" :null,\"d\":\"12345678\"}";
    let mut read = 0;
    for place in 0..text.len() {
        for byte in 0..=u8::MAX {
            let mut bytes = text.as_bytes().to_vec();
            bytes[place] = byte;
            read += usize::from(compare(&bytes));
        }
    }
    assert!(read > text.len());
}
