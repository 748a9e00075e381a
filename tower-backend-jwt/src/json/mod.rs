//! JSON as RFC 7519 wants it read: one object, no member twice at any depth, nothing after it.

#[cfg(test)]
mod against_serde_json;
mod scan;
#[cfg(test)]
mod vectors;

use self::scan::{Quoted, Scanner, all_different, unescape};
use std::borrow::Cow;

/// The members of a JSON object, in their order, over the text that holds them.
///
/// The text is read once; a value is found as its own JSON, to be copied or read as a type.
#[derive(Clone)]
pub(crate) struct Object {
    /// The JSON, and behind it what is in it only with escapes, or not at all.
    text: String,
    json: Span,
    members: Vec<Member>,
    mapped: bool,
}

#[derive(Clone, Copy)]
struct Member {
    name: Span,
    value: Span,
}

/// A part of an object's text. Half the size of a range, since there are many of them in a cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    start: u32,
    end: u32,
}

/// A text that is not such an object. Says nothing of its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

impl Span {
    pub(crate) const EMPTY: Self = Self::new(0, 0);

    /// Of a text shorter than 4 GiB.
    const fn new(start: usize, end: usize) -> Self {
        Self {
            start: start as u32,
            end: end as u32,
        }
    }

    pub(crate) const fn is_empty(self) -> bool {
        self.start == self.end
    }

    const fn len(self) -> usize {
        (self.end - self.start) as usize
    }

    fn of(self, text: &str) -> &str {
        &text[self.start as usize..self.end as usize]
    }
}

/// No text that could be a token's has more bytes; with what is written behind it, spans hold it: names and texts
/// that have escapes, the token.
const MAX_BYTES: usize = u32::MAX as usize / 8;

/// As many as a token of everyday size has.
const USUAL_MEMBERS: usize = 20;

impl Object {
    pub(crate) fn parse(text: Vec<u8>) -> Result<Self, Malformed> {
        let text = String::from_utf8(text).map_err(|_| Malformed)?;
        if text.len() > MAX_BYTES {
            return Err(Malformed);
        }
        let mut members = Vec::with_capacity(USUAL_MEMBERS);
        let mut escaped = Vec::new();
        Scanner::new(&text).only_object(|name, value| {
            if name.escaped {
                escaped.push(members.len());
            }
            members.push(Member {
                name: name.span,
                value,
            });
        })?;
        let mut object = Self {
            json: Span::new(0, text.len()),
            text,
            members,
            mapped: false,
        };
        for place in escaped {
            let name = unescape(object.at(object.members[place].name))?;
            object.members[place].name = object.append(&name);
        }
        let names = object.members.iter().map(|member| object.at(member.name));
        if !all_different(names) {
            return Err(Malformed);
        }
        Ok(object)
    }

    /// The JSON of a member's value.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.value(name).map(|value| self.at(value))
    }

    /// Where the JSON of a member's value is.
    pub(crate) fn value(&self, name: &str) -> Option<Span> {
        // Most are of another length, which costs less than to look at the text.
        let named =
            |member: &&Member| member.name.len() == name.len() && self.at(member.name) == name;
        self.members.iter().find(named).map(|member| member.value)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.spans().map(|(name, value)| (name, self.at(value)))
    }

    /// Each name, and where its value is.
    pub(crate) fn spans(&self) -> impl Iterator<Item = (&str, Span)> {
        self.members
            .iter()
            .map(|member| (self.at(member.name), member.value))
    }

    pub(crate) fn at(&self, span: Span) -> &str {
        span.of(&self.text)
    }

    /// Where the text of a string value is, without quotes and escapes; `None` for a value of another
    /// kind.
    pub(crate) fn text(&mut self, value: Span) -> Option<Span> {
        let unescaped = match text(self.at(value))? {
            Cow::Borrowed(_) => None,
            Cow::Owned(text) => Some(text),
        };
        Some(match unescaped {
            None => Span {
                start: value.start + 1,
                end: value.end - 1,
            },
            Some(text) => self.append(&text),
        })
    }

    /// Where the texts are in a value that is one string, or an array of nothing but strings; `None` for a
    /// value of another kind.
    pub(crate) fn texts(&mut self, value: Span) -> Option<Vec<Span>> {
        if let Some(text) = self.text(value) {
            return Some(vec![text]);
        }
        let strings = |object: &Self, string: &mut dyn FnMut(Quoted)| {
            Scanner::new(object.at(value)).strings(string).ok()
        };
        // Counted first: as much memory as it takes is kept for long.
        let (mut count, mut escaped) = (0, false);
        strings(self, &mut |string| {
            count += 1;
            escaped |= string.escaped;
        })?;
        let mut texts = Vec::with_capacity(count);
        strings(self, &mut |Quoted { span, .. }| {
            texts.push(Span {
                start: value.start + span.start,
                end: value.start + span.end,
            });
        })?;
        if escaped {
            for text in &mut texts {
                let unescaped = unescape(self.at(*text)).ok()?;
                *text = self.append(&unescaped);
            }
        }
        Some(texts)
    }

    /// Writes a text behind the JSON.
    pub(crate) fn append(&mut self, text: &str) -> Span {
        let start = self.text.len();
        self.text.push_str(text);
        Span::new(start, self.text.len())
    }

    /// Gives members other names, in pairs of a name and the one it is given: in place of a member that has that. Where
    /// there is no member to be given a name, there is none of that name either: who maps `uid` to `sub` does not
    /// take a `sub` of the token's own for a `uid`.
    pub(crate) fn map(&mut self, names: &[(String, String)]) {
        let mut given: Vec<&str> = Vec::new();
        for (from, to) in names {
            if self.rename(from, to) {
                given.push(to);
            }
        }
        for (_, to) in names {
            if !given.contains(&&**to) {
                self.remove(to);
            }
        }
    }

    /// Whether there was one to rename.
    fn rename(&mut self, from: &str, to: &str) -> bool {
        let Some(renamed) = self.place(from) else {
            return false;
        };
        if from == to {
            return true;
        }
        self.mapped = true;
        self.members[renamed].name = self.append(to);
        // Looked for after the renaming: the first of the two may be either.
        let replaced = self
            .iter()
            .enumerate()
            .find_map(|(place, (found, _))| (place != renamed && found == to).then_some(place));
        if let Some(replaced) = replaced {
            self.members.remove(replaced);
        }
        true
    }

    fn remove(&mut self, name: &str) {
        if let Some(place) = self.place(name) {
            self.mapped = true;
            self.members.remove(place);
        }
    }

    fn place(&self, name: &str) -> Option<usize> {
        self.iter().position(|(found, _)| found == name)
    }

    /// The object as JSON: the text it was read from, unless members were [mapped](Self::map).
    pub(crate) fn as_json(&self) -> Cow<'_, str> {
        if self.mapped {
            Cow::Owned(self.to_json())
        } else {
            Cow::Borrowed(self.at(self.json))
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

    /// The bytes it takes in memory beside itself.
    pub(crate) fn bytes(&self) -> usize {
        self.text.capacity() + self.members.capacity() * size_of::<Member>()
    }
}

/// The text of a JSON string of an [`Object`], borrowed where it has no escapes; `None` for a value
/// of another kind.
pub(crate) fn text(value: &str) -> Option<Cow<'_, str>> {
    let inner = value.strip_prefix('"')?.strip_suffix('"')?;
    if inner.contains('\\') {
        return unescape(inner).ok().map(Cow::Owned);
    }
    Some(Cow::Borrowed(inner))
}

/// Appends a text as a JSON string.
pub(crate) fn push_string(json: &mut String, text: &str) {
    // What needs no escape is nearly all there is.
    if text
        .bytes()
        .all(|byte| !matches!(byte, b'"' | b'\\' | ..b' '))
    {
        json.push('"');
        json.push_str(text);
        json.push('"');
        return;
    }
    json.push_str(&serde_json::to_string(text).expect("a string always serializes"));
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
    fn a_member_takes_the_place_of_the_one_that_had_its_new_name() {
        let mapped = |text: &str, names: &[[&str; 2]]| {
            let mut object = parse(text).unwrap();
            let names = names.iter().map(|names| names.map(str::to_owned).into());
            object.map(&names.collect::<Vec<(String, String)>>());
            object.as_json().into_owned()
        };
        let text = r#"{"uid":"u","sub":"s","x":1}"#;
        assert_eq!(mapped(text, &[["uid", "sub"]]), r#"{"sub":"u","x":1}"#);
        assert_eq!(mapped(text, &[["x", "x"]]), text);
        assert_eq!(mapped(text, &[["absent", "other"]]), text);
        // What is named so by the token itself is something else.
        let without = r#"{"uid":"u","x":1}"#;
        assert_eq!(mapped(text, &[["absent", "sub"]]), without);
        // Of several the last that is there counts, and one that is not takes nothing away.
        let both = [["uid", "sub"], ["absent", "sub"]];
        assert_eq!(mapped(text, &both), r#"{"sub":"u","x":1}"#);
        let exchanged = [["uid", "t"], ["sub", "uid"], ["t", "sub"]];
        assert_eq!(mapped(text, &exchanged), r#"{"sub":"u","uid":"s","x":1}"#);
    }
}
