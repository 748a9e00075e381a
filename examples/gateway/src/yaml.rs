//! YAML into types, with errors that name the file, the line and the field.

use std::{fs, path::Path};

use serde::de::DeserializeOwned;

use crate::error::{Fault, LoadError};

/// Reads a file whose every field must be known.
pub(crate) fn read<T: DeserializeOwned>(file: &Path) -> Result<T, LoadError> {
    parse(&text(file)?, file)
}

/// What is in a file.
pub(crate) fn text(file: &Path) -> Result<String, LoadError> {
    fs::read_to_string(file).map_err(|error| Fault::new("", error).in_file(file))
}

/// `file` is for the errors alone.
pub(crate) fn parse<T: DeserializeOwned>(text: &str, file: &Path) -> Result<T, LoadError> {
    let mut field = String::new();
    serde_saphyr::with_deserializer_from_str(text, |yaml| {
        serde_path_to_error::deserialize(yaml).map_err(|error| {
            field = error.path().to_string();
            error.into_inner()
        })
    })
    .map_err(|error| load_error(&error, &field, file))
}

/// What is wrong with the YAML of a file, in this field as far as it is known.
pub(crate) fn load_error(error: &serde_saphyr::Error, field: &str, file: &Path) -> LoadError {
    let position = error.location().map(|place| (place.line(), place.column()));
    let mut message = match error.without_snippet() {
        serde_saphyr::Error::MultipleDocuments { .. } => "more than one document".to_owned(),
        other => other.to_string(),
    };
    if let Some((line, column)) = position {
        // The place is said once, before the field.
        let suffix = format!(" at line {line}, column {column}");
        message.truncate(
            message
                .strip_suffix(&suffix)
                .map_or(message.len(), str::len),
        );
    }
    LoadError::at(
        file,
        position,
        Fault::new(known(field), without_value(&message)),
    )
}

/// A message of serde's without the value that has the wrong type: it may be a secret that only lacks its
/// quotes.
pub(crate) fn without_value(message: &str) -> String {
    let start = ["invalid type: ", "invalid value: "]
        .into_iter()
        .find_map(|start| Some(message.find(start)? + start.len()));
    match (start, message.rfind("expected ")) {
        (Some(start), Some(end)) if start < end => {
            format!("{}{}", &message[..start], &message[end..])
        }
        _ => message.to_owned(),
    }
}

/// A path of serde's: "." stands for the document itself, "?" for a part of which it cannot be told.
pub(crate) fn known(field: &str) -> &str {
    field.trim_end_matches('?').trim_end_matches('.')
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Outer {
        #[expect(dead_code, reason = "only the errors are looked at")]
        inner: Vec<Inner>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        #[expect(dead_code, reason = "only the errors are looked at")]
        number: u8,
    }

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let error = parse::<Outer>(text, Path::new("a.yaml"))
            .map(|_| ())
            .unwrap_err();
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn a_value_of_a_wrong_type_is_not_shown() {
        for (message, expected) in [
            (
                "invalid type: integer `4815`, expected a string",
                "invalid type: expected a string",
            ),
            (
                "parameters.a: invalid value: string \"x, expected y\", expected u8",
                "parameters.a: invalid value: expected u8",
            ),
            (
                "unknown field `a`, expected `b`",
                "unknown field `a`, expected `b`",
            ),
            ("invalid type: ", "invalid type: "),
        ] {
            assert_eq!(without_value(message), expected);
        }
    }

    #[test]
    fn an_error_names_the_file_the_line_and_the_field() {
        check(
            "inner:\n  - numbr: 1\n",
            "a.yaml:2:5: inner[0].numbr: unknown field `numbr`, expected one of number",
        );
        check(
            "inner:\n  - number: x\n",
            "a.yaml:2:13: inner[0].number: invalid u8",
        );
        check(
            "inner: []\n---\ninner: []\n",
            "a.yaml:3:1: more than one document",
        );
    }
}
