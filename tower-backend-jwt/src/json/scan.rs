//! The grammar of JSON (RFC 8259), read once and strictly: no member twice at any depth, no text
//! that is none, no number that does not fit.
//!
//! By hand, because what a token's claims cost should be one pass that allocates nothing and says where
//! each value stands; and because what is strict here has to stay so, whatever features of a parser
//! some crate of the program asks for.

use super::{Malformed, Span};
use std::borrow::Cow;

/// Arrays and objects in each other, the outermost counted: as many as serde_json reads, with which programs
/// read claims, and services behind what is copied into their JWTs.
const MAX_DEPTH: usize = 127;

/// A name of serde_json's own: an object with this one member is JSON in a text to it, which nobody would
/// have looked into.
const RAW_VALUE: &str = "$serde_json::private::RawValue";

/// A string, as it stands between its quotes.
#[derive(Clone, Copy)]
pub(super) struct Quoted {
    pub(super) span: Span,
    pub(super) escaped: bool,
}

pub(super) struct Scanner<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    /// The names in the objects that are open below the outermost, one after the other.
    names: Vec<Cow<'a, str>>,
}

impl<'a> Scanner<'a> {
    /// The text is shorter than 4 GiB.
    pub(super) const fn new(text: &'a str) -> Self {
        Self {
            text,
            bytes: text.as_bytes(),
            at: 0,
            names: Vec::new(),
        }
    }

    /// Reads the text as one object, and nothing else. `member` is told of each of its members.
    pub(super) fn only_object(
        mut self,
        mut member: impl FnMut(Quoted, Span),
    ) -> Result<(), Malformed> {
        self.skip_space();
        self.take(b'{')?;
        self.list(b'}', |scanner| {
            let name = scanner.name()?;
            let start = scanner.at;
            scanner.value(MAX_DEPTH - 1)?;
            member(name, Span::new(start, scanner.at));
            Ok(())
        })?;
        self.skip_space();
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(Malformed),
        }
    }

    /// Reads the text, which is a value of such an object, as an array of strings.
    pub(super) fn strings(mut self, mut string: impl FnMut(Quoted)) -> Result<(), Malformed> {
        self.take(b'[')?;
        self.list(b']', |scanner| {
            string(scanner.string()?);
            Ok(())
        })
    }

    fn value(&mut self, depth: usize) -> Result<(), Malformed> {
        match self.peek() {
            Some(b'"') => self.text_value(),
            Some(b'{') => self.object(depth.checked_sub(1).ok_or(Malformed)?),
            Some(b'[') => self.array(depth.checked_sub(1).ok_or(Malformed)?),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word("true"),
            Some(b'f') => self.word("false"),
            Some(b'n') => self.word("null"),
            _ => Err(Malformed),
        }
    }

    fn object(&mut self, depth: usize) -> Result<(), Malformed> {
        self.at += 1;
        let first = self.names.len();
        self.list(b'}', |scanner| {
            let Quoted { span, escaped } = scanner.name()?;
            let name = match span.of(scanner.text) {
                name if escaped => Cow::Owned(unescape(name)?),
                name => Cow::Borrowed(name),
            };
            if name == RAW_VALUE {
                return Err(Malformed);
            }
            scanner.names.push(name);
            scanner.value(depth)
        })?;
        let own = &self.names[first..];
        if !all_different(own.iter().map(AsRef::as_ref)) {
            return Err(Malformed);
        }
        self.names.truncate(first);
        Ok(())
    }

    fn array(&mut self, depth: usize) -> Result<(), Malformed> {
        self.at += 1;
        self.list(b']', |scanner| scanner.value(depth))
    }

    /// Items with commas between them, up to what ends them; the position is at the first of them.
    fn list(
        &mut self,
        end: u8,
        mut item: impl FnMut(&mut Self) -> Result<(), Malformed>,
    ) -> Result<(), Malformed> {
        self.skip_space();
        if self.peek() == Some(end) {
            self.at += 1;
            return Ok(());
        }
        loop {
            item(self)?;
            self.skip_space();
            match self.next()? {
                b',' => self.skip_space(),
                last if last == end => return Ok(()),
                _ => return Err(Malformed),
            }
        }
    }

    /// A member's name and the colon behind it; the position is at its value then.
    fn name(&mut self) -> Result<Quoted, Malformed> {
        let name = self.string()?;
        self.skip_space();
        self.take(b':')?;
        self.skip_space();
        Ok(name)
    }

    fn text_value(&mut self) -> Result<(), Malformed> {
        let Quoted { span, escaped } = self.string()?;
        if escaped {
            // Two halves of a surrogate pair that do not go together are no text.
            unescape(span.of(self.text))?;
        }
        Ok(())
    }

    fn string(&mut self) -> Result<Quoted, Malformed> {
        self.take(b'"')?;
        let start = self.at;
        let (mut end, mut escaped) = (start, false);
        loop {
            end = end_of_plain(self.bytes, end);
            match self.bytes.get(end) {
                Some(b'"') => break,
                // Which escape it is, is judged when the text is unescaped.
                Some(b'\\') if end + 1 < self.bytes.len() => {
                    escaped = true;
                    end += 2;
                }
                _ => return Err(Malformed),
            }
        }
        self.at = end + 1;
        Ok(Quoted {
            span: Span::new(start, end),
            escaped,
        })
    }

    fn number(&mut self) -> Result<(), Malformed> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        match self.next()? {
            b'0' => {}
            b'1'..=b'9' => self.skip_digits(),
            _ => return Err(Malformed),
        }
        let integer = self.at - start;
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.digits()?;
        }
        // An integer of so few digits fits.
        const FEW: usize = 300;
        let text = &self.text[start..self.at];
        if text.len() == integer && integer <= FEW {
            return Ok(());
        }
        match text.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(()),
            _ => Err(Malformed),
        }
    }

    /// One digit at least.
    fn digits(&mut self) -> Result<(), Malformed> {
        if !self.next()?.is_ascii_digit() {
            return Err(Malformed);
        }
        self.skip_digits();
        Ok(())
    }

    fn skip_digits(&mut self) {
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
    }

    fn word(&mut self, word: &str) -> Result<(), Malformed> {
        let rest = &self.bytes[self.at..];
        if !rest.starts_with(word.as_bytes()) {
            return Err(Malformed);
        }
        self.at += word.len();
        Ok(())
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    fn take(&mut self, byte: u8) -> Result<(), Malformed> {
        if self.next()? == byte {
            Ok(())
        } else {
            Err(Malformed)
        }
    }

    fn next(&mut self) -> Result<u8, Malformed> {
        let byte = self.peek().ok_or(Malformed)?;
        self.at += 1;
        Ok(byte)
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }
}

/// The text of a string with escapes.
pub(super) fn unescape(inner: &str) -> Result<String, Malformed> {
    // Between quotes again: escapes are rare, and serde_json knows them all.
    serde_json::from_str(&format!("\"{inner}\"")).map_err(|_| Malformed)
}

/// The first place from `at` on, if any, of a quote, a backslash or a control character.
fn end_of_plain(bytes: &[u8], mut at: usize) -> usize {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    const HIGH: u64 = ONES * 0x80;
    // With this bit turned over a quote comes before the space as well, and the space behind both.
    const TURNED: u64 = ONES * 0x02;
    const BACKSLASHES: u64 = ONES * b'\\' as u64;
    // Eight at a time. A subtraction marks the bytes that are less; above the lowest mark others may be wrong, and
    // the lowest is the first.
    while let Some(eight) = bytes.get(at..).and_then(<[u8]>::first_chunk) {
        let word = u64::from_le_bytes(*eight);
        let quotes_and_controls = (word ^ TURNED).wrapping_sub(ONES * 0x21);
        let backslashes = (word ^ BACKSLASHES).wrapping_sub(ONES);
        let marks = (quotes_and_controls | backslashes) & !word & HIGH;
        if marks != 0 {
            return at + (marks.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    let plain = |byte: &u8| !matches!(byte, b'"' | b'\\' | ..b' ');
    at + bytes[at..].iter().take_while(|byte| plain(byte)).count()
}

pub(super) fn all_different<'a>(names: impl ExactSizeIterator<Item = &'a str> + Clone) -> bool {
    // Few names are compared in place, without memory; many are sorted, so that a hostile object
    // costs no more than its length times a logarithm.
    const FEW: usize = 32;
    if names.len() > FEW {
        let mut sorted: Vec<&str> = names.collect();
        sorted.sort_unstable();
        return sorted.windows(2).all(|pair| pair[0] != pair[1]);
    }
    // Most differ in their length or their ends already, which are compared as a number.
    let mut outlines = [0; FEW];
    let mut names = names.enumerate();
    let all = names.clone();
    names.all(|(place, name)| {
        outlines[place] = outline(name);
        let alike = |other: &usize| *other == outlines[place];
        !outlines[..place].iter().any(alike)
            || !all.clone().take(place).any(|(_, other)| other == name)
    })
}

/// A name's length, its first byte and its last.
fn outline(name: &str) -> usize {
    let end = |byte: Option<&u8>| byte.map_or(0, |byte| usize::from(*byte));
    let bytes = name.as_bytes();
    bytes.len() << 16 | end(bytes.first()) << 8 | end(bytes.last())
}
