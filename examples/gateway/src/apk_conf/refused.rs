//! What an apk-conf can say and this gateway does not do.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{Error, IgnoredAny, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer},
};
use serde_json::Value;

pub(super) const MESSAGE: &str = "not implemented by this gateway";

/// A field that may only be there to say nothing: null, `[]` or `{}`.
#[derive(Debug, Default)]
pub(super) struct Refused;

impl<'de> Deserialize<'de> for Refused {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::Null => Ok(Self),
            Value::Array(items) if items.is_empty() => Ok(Self),
            Value::Object(members) if members.is_empty() => Ok(Self),
            _ => Err(D::Error::custom(MESSAGE)),
        }
    }
}

/// A switch that may only be off, alone or with the settings of what it switches.
#[derive(Debug, Default)]
pub(super) struct Off;

impl<'de> Deserialize<'de> for Off {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        let switch = match &value {
            Value::Object(settings) => settings
                .get("enabled")
                .or_else(|| settings.get("corsConfigurationEnabled"))
                .unwrap_or(&Value::Null),
            plain => plain,
        };
        match switch {
            Value::Null | Value::Bool(false) => Ok(Self),
            _ => Err(D::Error::custom(MESSAGE)),
        }
    }
}

/// One of a thing, written alone or as a list of one.
#[derive(Debug)]
pub(super) struct One<T>(pub(super) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for One<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OneVisitor(PhantomData))
    }
}

struct OneVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for OneVisitor<T> {
    type Value = One<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a mapping, or a list of one")
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<One<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(entries)).map(One)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<One<T>, A::Error> {
        let Some(item) = items.next_element()? else {
            return Err(A::Error::custom("the list is empty"));
        };
        match items.next_element::<IgnoredAny>()? {
            None => Ok(One(item)),
            Some(_) => Err(A::Error::custom(format!("more than one: {MESSAGE}"))),
        }
    }
}
