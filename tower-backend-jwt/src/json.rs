//! JSON as RFC 7519 wants it read: one object, no member twice at any depth, nothing after it.

use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, SeqAccess, Visitor},
};
use serde_json::value::RawValue;
use std::{borrow::Cow, fmt, ops::Range};

/// The members of a JSON object, in their order, over the text that holds them.
///
/// The text is parsed once; a value is found as its own JSON, to be copied or read as a type.
#[derive(Clone)]
pub(crate) struct Object {
    text: String,
    members: Vec<Member>,
    renamed: bool,
}

#[derive(Clone)]
struct Member {
    name: Name,
    value: Range<usize>,
}

/// A name is nearly always found in the text as it is; one with escapes is kept unescaped.
#[derive(Clone)]
enum Name {
    Plain(Range<usize>),
    Owned(Box<str>),
}

/// A text that is not such an object. Says nothing of its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

impl Object {
    pub(crate) fn parse(text: Vec<u8>) -> Result<Self, Malformed> {
        let text = String::from_utf8(text).map_err(|_| Malformed)?;
        let members = members(&text)?;
        Ok(Self {
            text,
            members,
            renamed: false,
        })
    }

    /// The JSON of a member's value.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.iter()
            .find_map(|(found, value)| (found == name).then_some(value))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.members.iter().map(|member| {
            let name = match &member.name {
                Name::Plain(range) => &self.text[range.clone()],
                Name::Owned(name) => name,
            };
            (name, &self.text[member.value.clone()])
        })
    }

    /// Gives a member another name, in place of a member that already has it.
    pub(crate) fn rename(&mut self, from: &str, to: &str) {
        let place = |object: &Self, name: &str| object.iter().position(|(found, _)| found == name);
        let Some(renamed) = place(self, from) else {
            return;
        };
        if from == to {
            return;
        }
        self.renamed = true;
        self.members[renamed].name = Name::Owned(to.into());
        // Looked for after the renaming: the first of the two may be either.
        let replaced = self
            .iter()
            .enumerate()
            .find_map(|(place, (found, _))| (place != renamed && found == to).then_some(place));
        if let Some(replaced) = replaced {
            self.members.remove(replaced);
        }
    }

    /// The object as JSON: the text it was read from, unless a member was renamed.
    pub(crate) fn as_json(&self) -> Cow<'_, str> {
        if self.renamed {
            Cow::Owned(self.to_json())
        } else {
            Cow::Borrowed(&self.text)
        }
    }

    fn to_json(&self) -> String {
        let mut json = String::with_capacity(self.text.len() + 2);
        json.push('{');
        for (name, value) in self.iter() {
            if json.len() > 1 {
                json.push(',');
            }
            push_string(&mut json, name);
            json.push(':');
            json.push_str(value);
        }
        json.push('}');
        json
    }
}

/// The text of a JSON string of an [`Object`], borrowed where it has no escapes; `None` for a value
/// of another kind.
pub(crate) fn text(value: &str) -> Option<Cow<'_, str>> {
    let inner = value.strip_prefix('"')?.strip_suffix('"')?;
    if inner.contains('\\') {
        return serde_json::from_str(value).ok().map(Cow::Owned);
    }
    Some(Cow::Borrowed(inner))
}

/// Appends a text as a JSON string.
pub(crate) fn push_string(json: &mut String, text: &str) {
    json.push_str(&serde_json::to_string(text).expect("a string always serializes"));
}

fn members(text: &str) -> Result<Vec<Member>, Malformed> {
    struct Members<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

    impl<'de> Deserialize<'de> for Members<'de> {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct Read;

            impl<'de> Visitor<'de> for Read {
                type Value = Members<'de>;

                fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str("an object")
                }

                fn visit_map<A: MapAccess<'de>>(
                    self,
                    mut map: A,
                ) -> Result<Members<'de>, A::Error> {
                    // As many as a token of everyday size has.
                    let mut members = Vec::with_capacity(24);
                    while let Some((Text(name), value)) = map.next_entry()? {
                        members.push((name, value));
                    }
                    Ok(Members(members))
                }
            }

            deserializer.deserialize_map(Read)
        }
    }

    let Members(found) = serde_json::from_str(text).map_err(|_| Malformed)?;
    if !all_different(found.iter().map(|(name, _)| name.as_ref())) {
        return Err(Malformed);
    }
    found
        .into_iter()
        .map(|(name, value)| {
            let value = value.get();
            check(value)?;
            Ok(Member {
                name: match name {
                    Cow::Borrowed(name) => Name::Plain(place(text, name)),
                    Cow::Owned(name) => Name::Owned(name.into()),
                },
                value: place(text, value),
            })
        })
        .collect()
}

/// Where a part of the text lies in it.
fn place(text: &str, part: &str) -> Range<usize> {
    let start = part.as_ptr() as usize - text.as_ptr() as usize;
    start..start + part.len()
}

/// A string, borrowed where it has no escapes: `Cow` itself always copies.
struct Text<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;

        impl<'de> Visitor<'de> for Read {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }

        deserializer.deserialize_str(Read)
    }
}

/// Looks into a value for what a raw one does not show: duplicate members further down, escapes
/// that are no text, numbers that do not fit.
fn check(value: &str) -> Result<(), Malformed> {
    let first = value.as_bytes().first();
    let sound = match first {
        Some(b'"') if !value.contains('\\') => true,
        Some(b't' | b'f' | b'n') => true,
        // Not by way of serde_json, which keeps a number of any size if some crate of the program
        // asks it to.
        Some(b'-' | b'0'..=b'9') => {
            return match value.parse::<f64>() {
                Ok(number) if number.is_finite() => Ok(()),
                _ => Err(Malformed),
            };
        }
        _ => false,
    };
    if sound {
        return Ok(());
    }
    serde_json::from_str::<Checked>(value)
        .map(|_| ())
        .map_err(|_| Malformed)
}

/// Any JSON value in which no object has a member twice.
struct Checked;

impl<'de> Deserialize<'de> for Checked {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Check;

        impl<'de> Visitor<'de> for Check {
            type Value = Checked;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON value")
            }

            fn visit_unit<E>(self) -> Result<Checked, E> {
                Ok(Checked)
            }

            fn visit_bool<E>(self, _: bool) -> Result<Checked, E> {
                Ok(Checked)
            }

            fn visit_i64<E>(self, _: i64) -> Result<Checked, E> {
                Ok(Checked)
            }

            fn visit_u64<E>(self, _: u64) -> Result<Checked, E> {
                Ok(Checked)
            }

            fn visit_f64<E>(self, _: f64) -> Result<Checked, E> {
                Ok(Checked)
            }

            fn visit_str<E>(self, _: &str) -> Result<Checked, E> {
                Ok(Checked)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Checked, A::Error> {
                while seq.next_element::<Checked>()?.is_some() {}
                Ok(Checked)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Checked, A::Error> {
                let mut names = Vec::new();
                while let Some((Text(name), Checked)) = map.next_entry()? {
                    // serde_json takes an object with this one member for JSON in a text, which
                    // nobody has looked into.
                    if name == "$serde_json::private::RawValue" {
                        return Err(de::Error::custom("a name of serde_json's own"));
                    }
                    names.push(name);
                }
                if all_different(names.iter().map(AsRef::as_ref)) {
                    Ok(Checked)
                } else {
                    Err(de::Error::custom("a member twice"))
                }
            }
        }

        deserializer.deserialize_any(Check)
    }
}

fn all_different<'a>(names: impl ExactSizeIterator<Item = &'a str> + Clone) -> bool {
    // Few names are compared in place, without memory; many are sorted, so that a hostile object
    // costs no more than its length times a logarithm.
    const FEW: usize = 32;
    if names.len() <= FEW {
        let mut rest = names;
        while let Some(name) = rest.next() {
            if rest.clone().any(|other| other == name) {
                return false;
            }
        }
        return true;
    }
    let mut sorted: Vec<&str> = names.collect();
    sorted.sort_unstable();
    sorted.windows(2).all(|pair| pair[0] != pair[1])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Object, Malformed> {
        Object::parse(text.as_bytes().to_vec())
    }

    #[test]
    fn an_object_is_read_once_and_its_values_stay_as_written() {
        let object = parse(r#"{"a": 1.50, "b":{"c":[1,2]} ,"d":"\u0041", "\u0065":null}"#).unwrap();
        let members: Vec<_> = object.iter().collect();
        assert_eq!(
            members,
            [
                ("a", "1.50"),
                ("b", r#"{"c":[1,2]}"#),
                ("d", r#""\u0041""#),
                ("e", "null")
            ]
        );
        assert_eq!(
            object.to_json(),
            r#"{"a":1.50,"b":{"c":[1,2]},"d":"\u0041","e":null}"#
        );
    }

    #[test]
    fn what_is_not_one_sound_object_is_refused() {
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(10_000), "]".repeat(10_000));
        let many: String = (0..1000).map(|n| format!("\"m{n}\":0,")).collect();
        let many = format!("{{{many}\"m7\":1}}");
        for text in [
            "",
            "null",
            "[]",
            "\"a\"",
            "1",
            "{",
            "{}x",
            "{} {}",
            "\u{feff}{}",
            r#"{"a":1,"a":2}"#,
            r#"{"a":1,"\u0061":2}"#,
            r#"{"a":{"b":1,"b":2}}"#,
            r#"{"a":[{"b":1,"\u0062":2}]}"#,
            r#"{"a":"\ud800"}"#,
            r#"{"a":["\udc00"]}"#,
            r#"{"\ud800":1}"#,
            r#"{"a":1e400}"#,
            r#"{"a":-1e400}"#,
            r#"{"a":[1e400]}"#,
            r#"{"a":{"$serde_json::private::RawValue":"{}"}}"#,
            r#"{"a":[{"\u0024serde_json::private::RawValue":"{}"}]}"#,
            r#"{"a":NaN}"#,
            r#"{"a":01}"#,
            r#"{"a":'b'}"#,
            "{\"a\":\"b\nc\"}",
            "{\"a\":\"b\0c\"}",
            "{\"a\nb\":1}",
            r#"{"a":1,}"#,
            &deep,
            &many,
        ] {
            assert!(parse(text).is_err(), "{}", &text[..text.len().min(40)]);
        }
        assert!(Object::parse(b"{\"a\":\"\xff\"}".to_vec()).is_err());
    }

    #[test]
    fn a_renamed_member_takes_the_place_of_the_one_that_had_the_name() {
        let mut object = parse(r#"{"uid":"u","sub":"s","x":1}"#).unwrap();
        object.rename("uid", "sub");
        assert_eq!(object.to_json(), r#"{"sub":"u","x":1}"#);
        object.rename("absent", "x");
        object.rename("x", "x");
        assert_eq!(object.get("x"), Some("1"));
    }
}
