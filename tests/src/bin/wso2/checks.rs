//! What is as it should be.

use crate::Failure;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::{Map, Value};
use std::{collections::BTreeSet, fs, path::Path};

/// The header and the claims of the backend JWT that the service behind saw.
pub(crate) fn assertion(answer: &Value) -> Result<(Value, Value), Failure> {
    let jwt = answer["fields"]["x-jwt-assertion"]
        .as_str()
        .ok_or("the service behind saw no backend JWT")?;
    let mut parts = jwt.split('.').map(|part| -> Result<Value, Failure> {
        Ok(serde_json::from_slice(
            &BASE64_URL_SAFE_NO_PAD.decode(part)?,
        )?)
    });
    let mut part = || parts.next().ok_or("too few parts")?;
    Ok((part()?, part()?))
}

pub(crate) fn same(what: &str, had: &Value, expected: impl Into<Value>) -> Result<(), Failure> {
    let expected = expected.into();
    if *had == expected {
        return Ok(());
    }
    Err(format!("{what} is {had}, not {expected}").into())
}

pub(crate) fn same_type(what: &str, had: &Value, sample: &Value) -> Result<(), Failure> {
    if had.is_u64() == sample.is_u64() && had.is_string() == sample.is_string() {
        return Ok(());
    }
    Err(format!("{what} is {had}, not of the type of {sample}").into())
}

pub(crate) fn names(object: &Map<String, Value>) -> BTreeSet<String> {
    object.keys().cloned().collect()
}

pub(crate) fn text<'o>(object: &'o Map<String, Value>, name: &str) -> Result<&'o str, Failure> {
    let value = object.get(name).and_then(Value::as_str);
    value.ok_or_else(|| format!("no {name}").into())
}

pub(crate) fn number(object: &Value, name: &str) -> Result<i64, Failure> {
    let value = object[name].as_i64();
    value.ok_or_else(|| format!("{name} is no number").into())
}

pub(crate) fn read(file: &Path) -> Result<Map<String, Value>, Failure> {
    Ok(serde_json::from_slice(&fs::read(file)?)?)
}
