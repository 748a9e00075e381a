//! A certificate by its issuer and serial number, in the text of WSO2's products: the issuer as Java's
//! `X500Name.toString` writes it, `#`, and the number in decimal.

use crate::{
    ConfigError,
    der::{content, octets},
};
use std::fmt::Write as _;
use x509_cert::der::{Decode, Error, Reader, SliceReader, Tag, asn1::ObjectIdentifier};

/// RFC 5280 section 4.1.2.2.
const MAX_SERIAL_BYTES: usize = 20;

/// The attribute types that Java writes by a name; the others it writes as `OID.1.2.3`.
const KEYWORDS: [(ObjectIdentifier, &str); 18] = [
    (oid("0.9.2342.19200300.100.1.1"), "UID"),
    (oid("0.9.2342.19200300.100.1.25"), "DC"),
    (oid("1.2.840.113549.1.9.1"), "EMAILADDRESS"),
    (oid("1.3.6.1.4.1.42.2.11.2.1"), "IP"),
    (oid("2.5.4.3"), "CN"),
    (oid("2.5.4.4"), "SURNAME"),
    (oid("2.5.4.5"), "SERIALNUMBER"),
    (oid("2.5.4.6"), "C"),
    (oid("2.5.4.7"), "L"),
    (oid("2.5.4.8"), "ST"),
    (oid("2.5.4.9"), "STREET"),
    (oid("2.5.4.10"), "O"),
    (oid("2.5.4.11"), "OU"),
    (oid("2.5.4.12"), "T"),
    (oid("2.5.4.42"), "GIVENNAME"),
    (oid("2.5.4.43"), "INITIALS"),
    (oid("2.5.4.44"), "GENERATION"),
    (oid("2.5.4.46"), "DNQ"),
];

const fn oid(text: &str) -> ObjectIdentifier {
    ObjectIdentifier::new_unwrap(text)
}

/// `<issuer>#<serial number>` of a certificate in DER.
pub(crate) fn issuer_serial(certificate: &[u8]) -> Result<String, ConfigError> {
    let text = || {
        let (issuer, serial) = parts(certificate)?;
        Ok(format!("{}#{}", name(issuer)?, decimal(serial)?))
    };
    text().map_err(|Unusual(message)| {
        ConfigError::new(
            "kid",
            format!("cannot be made from this certificate: {message}"),
        )
    })
}

/// What keeps a certificate from having such a text.
struct Unusual(&'static str);

impl From<Error> for Unusual {
    fn from(_: Error) -> Self {
        Self("it is not a valid X.509 certificate")
    }
}

/// The issuer's relative names, and the serial number.
fn parts(certificate: &[u8]) -> Result<(&[u8], &[u8]), Error> {
    let certificate = octets(&mut SliceReader::new(certificate)?, Tag::Sequence)?;
    let signed = octets(&mut SliceReader::new(certificate)?, Tag::Sequence)?;
    let mut signed = SliceReader::new(signed)?;
    if Tag::peek(&signed)? != Tag::Integer {
        let _version = signed.tlv_bytes()?;
    }
    let serial = octets(&mut signed, Tag::Integer)?;
    let _algorithm = signed.tlv_bytes()?;
    Ok((octets(&mut signed, Tag::Sequence)?, serial))
}

/// The last of the names comes first, as in RFC 2253, but not with its escapes.
fn name(relative_names: &[u8]) -> Result<String, Unusual> {
    let mut names = Vec::new();
    let mut relative_names = SliceReader::new(relative_names)?;
    while !relative_names.is_finished() {
        let mut attributes = SliceReader::new(octets(&mut relative_names, Tag::Set)?)?;
        let mut texts = Vec::new();
        while !attributes.is_finished() {
            texts.push(attribute(octets(&mut attributes, Tag::Sequence)?)?);
        }
        names.push(texts.join(" + "));
    }
    names.reverse();
    Ok(names.join(", "))
}

fn attribute(der: &[u8]) -> Result<String, Unusual> {
    let mut reader = SliceReader::new(der)?;
    let kind = ObjectIdentifier::decode(&mut reader)?;
    let tag = Tag::peek(&reader)?;
    let value = reader.tlv_bytes()?;
    let mut text = match KEYWORDS.iter().find(|(known, _)| *known == kind) {
        Some((_, keyword)) => (*keyword).to_owned(),
        None => format!("OID.{kind}"),
    };
    text.push('=');
    match string(tag, content(value)?)? {
        Some(value) => push_quoted(&mut text, &value),
        None => {
            text.push('#');
            for byte in value {
                let _ = write!(text, "{byte:02x}");
            }
        }
    }
    Ok(text)
}

/// The text of a value, if it is one of the kinds that Java reads as text.
///
/// Where Java puts a mark in the place of what it cannot read, two issuers could get the same text, so
/// those are refused.
fn string(tag: Tag, value: &[u8]) -> Result<Option<String>, Unusual> {
    const UNREADABLE: Unusual = Unusual("its issuer has a text that is not in its encoding");
    let text = match tag {
        Tag::Utf8String => String::from_utf8(value.into()).map_err(|_| UNREADABLE)?,
        Tag::PrintableString | Tag::Ia5String | Tag::GeneralString => match value.is_ascii() {
            true => value.iter().copied().map(char::from).collect(),
            false => return Err(UNREADABLE),
        },
        Tag::TeletexString => value.iter().copied().map(char::from).collect(),
        Tag::BmpString => {
            let (units, []) = value.as_chunks() else {
                return Err(UNREADABLE);
            };
            let units: Vec<u16> = units.iter().copied().map(u16::from_be_bytes).collect();
            String::from_utf16(&units).map_err(|_| UNREADABLE)?
        }
        _ => return Ok(None),
    };
    Ok(Some(text))
}

/// Java's quotes: around the whole value, unless it has some of its own, and a backslash in front of
/// each `"` and `\` inside of them.
fn push_quoted(text: &mut String, value: &str) {
    let is_blank = |c: char| matches!(c, ' ' | '\n');
    let inner = value
        .strip_prefix('"')
        .and_then(|value| value.strip_suffix('"'));
    let quoted = inner.is_none()
        && (value.contains(|c| ",+=\n<>#;\\\"".contains(c))
            || value.starts_with(is_blank)
            || value.ends_with(is_blank)
            || value.contains("  "));
    let mark = if quoted || inner.is_some() { "\"" } else { "" };
    text.push_str(mark);
    for c in inner.unwrap_or(value).chars() {
        if matches!(c, '"' | '\\') {
            text.push('\\');
        }
        text.push(c);
    }
    text.push_str(mark);
}

/// A positive number, big-endian.
fn decimal(number: &[u8]) -> Result<String, Unusual> {
    let number = match number {
        [0x80..=0xff, ..] => return Err(Unusual("its serial number is negative")),
        [0, rest @ ..] => rest,
        all => all,
    };
    if number.len() > MAX_SERIAL_BYTES {
        return Err(Unusual("its serial number has more than 20 bytes"));
    }
    // The last digit first.
    let mut digits = vec![0];
    for byte in number {
        let mut carry = u32::from(*byte);
        for digit in &mut digits {
            carry += *digit * 256;
            *digit = carry % 10;
            carry /= 10;
        }
        while carry > 0 {
            digits.push(carry % 10);
            carry /= 10;
        }
    }
    let digits = digits.iter().rev();
    Ok(digits
        .filter_map(|digit| char::from_digit(*digit, 10))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(tag: u8, content: &[u8]) -> Vec<u8> {
        let length = u8::try_from(content.len()).unwrap();
        assert!(length < 128);
        [&[tag, length], content].concat()
    }

    fn attribute(kind: &str, tag: u8, content: &[u8]) -> Vec<u8> {
        let kind = ObjectIdentifier::new(kind).unwrap();
        value(
            0x30,
            &[value(6, kind.as_bytes()), value(tag, content)].concat(),
        )
    }

    fn common_name(tag: u8, content: &[u8]) -> Result<String, &'static str> {
        let names = value(0x31, &attribute("2.5.4.3", tag, content));
        let text = name(&names).map_err(|Unusual(reason)| reason)?;
        Ok(text.strip_prefix("CN=").unwrap().to_owned())
    }

    /// Expectations here and below are what Java 17 writes.
    #[test]
    fn values_are_quoted_as_java_quotes_them() {
        for (given, expected) in [
            ("", ""),
            ("Example, Inc.", r#""Example, Inc.""#),
            ("a+b", r#""a+b""#),
            ("a=b", r#""a=b""#),
            ("a<b", r#""a<b""#),
            ("a>b", r#""a>b""#),
            ("a;b", r#""a;b""#),
            ("#a", r##""#a""##),
            ("a\nb", "\"a\nb\""),
            ("a\\b", r#""a\\b""#),
            ("a\"b", r#""a\"b""#),
            ("\"", r#""\"""#),
            ("\"\"", r#""""#),
            ("\"a\"", r#""a""#),
            ("\"a,b\"", r#""a,b""#),
            ("\"a\"b\"", r#""a\"b""#),
            (" a", r#"" a""#),
            ("a ", r#""a ""#),
            (" é", r#"" é""#),
            ("a b", "a b"),
            ("a  b", r#""a  b""#),
            ("é  x", r#""é  x""#),
            ("a\n b", "\"a\n b\""),
            ("a\t", "a\t"),
            ("a\0b", "a\0b"),
            ("a\u{a0}", "a\u{a0}"),
            ("a@b*c_d'e/f:g?(h)", "a@b*c_d'e/f:g?(h)"),
            ("é日😀", "é日😀"),
        ] {
            assert_eq!(common_name(12, given.as_bytes()).as_deref(), Ok(expected));
        }
    }

    #[test]
    fn each_kind_of_string_is_read_in_its_encoding() {
        for (tag, content, expected) in [
            (12, "é".as_bytes(), "é"),
            (19, b"a*b", "a*b"),
            (20, b"\xe9a", "éa"),
            (22, b"a@b", "a@b"),
            (27, b"ab", "ab"),
            (30, &[0, 0x61, 0x65, 0xe5], "a日"),
            (30, &[0xd8, 0x3d, 0xde, 0], "😀"),
            // What is no text.
            (2, b"\x05", "#020105"),
            (4, b"ab", "#04026162"),
            (5, b"", "#0500"),
            (18, b"12", "#12023132"),
            (3, b"\0ab", "#0303006162"),
        ] {
            assert_eq!(common_name(tag, content).as_deref(), Ok(expected));
        }
        const REASON: &str = "its issuer has a text that is not in its encoding";
        for (tag, content) in [
            (12, &b"\xff"[..]),
            (19, b"\xe9"),
            (22, b"\xe9"),
            (27, b"\xe9"),
            (30, b"a"),
            (30, &[0xd8, 0]),
        ] {
            assert_eq!(common_name(tag, content), Err(REASON));
        }
        // UniversalString, which Java 11 writes as hex and Java 17 as text.
        assert!(common_name(28, &[0, 0, 0, 0x61]).is_err());
    }

    #[test]
    fn attributes_have_the_names_that_java_has_for_them() {
        for (kind, expected) in [
            ("2.5.4.3", "CN"),
            ("2.5.4.4", "SURNAME"),
            ("2.5.4.5", "SERIALNUMBER"),
            ("2.5.4.6", "C"),
            ("2.5.4.7", "L"),
            ("2.5.4.8", "ST"),
            ("2.5.4.9", "STREET"),
            ("2.5.4.10", "O"),
            ("2.5.4.11", "OU"),
            ("2.5.4.12", "T"),
            ("2.5.4.13", "OID.2.5.4.13"),
            ("2.5.4.42", "GIVENNAME"),
            ("2.5.4.43", "INITIALS"),
            ("2.5.4.44", "GENERATION"),
            ("2.5.4.45", "OID.2.5.4.45"),
            ("2.5.4.46", "DNQ"),
            ("2.5.4.97", "OID.2.5.4.97"),
            ("0.9.2342.19200300.100.1.1", "UID"),
            ("0.9.2342.19200300.100.1.3", "OID.0.9.2342.19200300.100.1.3"),
            ("0.9.2342.19200300.100.1.25", "DC"),
            ("1.2.840.113549.1.9.1", "EMAILADDRESS"),
            ("1.3.6.1.4.1.42.2.11.2.1", "IP"),
            ("1.3.6.1.4.1.311.60.2.1.3", "OID.1.3.6.1.4.1.311.60.2.1.3"),
        ] {
            let names = value(0x31, &attribute(kind, 12, b"a"));
            let text = name(&names).ok().unwrap();
            assert_eq!(text, format!("{expected}=a"));
        }
    }

    #[test]
    fn the_last_relative_name_comes_first_but_its_attributes_stay_in_order() {
        let several = [
            attribute("2.5.4.10", 12, b"b,"),
            attribute("2.5.4.3", 12, b"a"),
        ];
        let names = [
            value(0x31, &attribute("2.5.4.6", 19, b"LK")),
            value(0x31, &several.concat()),
        ];
        assert_eq!(name(&names.concat()).ok().unwrap(), "O=\"b,\" + CN=a, C=LK");
        assert_eq!(name(&[]).ok().unwrap(), "");
    }

    #[test]
    fn serial_numbers_are_decimal() {
        for (number, expected) in [
            (&[0][..], "0"),
            (&[0x7f], "127"),
            (&[0, 0x80], "128"),
            (&[1, 0], "256"),
            (
                &[0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
                "18446744073709551615",
            ),
            (&[1, 0, 0, 0, 0, 0, 0, 0, 0], "18446744073709551616"),
        ] {
            assert_eq!(decimal(number).ok().unwrap(), expected);
        }
        let longest = [&[0][..], &[0xff; 20]].concat();
        assert_eq!(
            decimal(&longest).ok().unwrap(),
            "1461501637330902918203684832716283019655932542975"
        );
        for number in [&[0x80][..], &[1; 21], &[0xff; 20]] {
            assert!(decimal(number).is_err());
        }
    }

    #[test]
    fn what_is_cut_short_or_damaged_is_an_error_at_worst() {
        let names = value(0x31, &attribute("2.5.4.3", 30, &[0, 0x61]));
        for end in 1..names.len() {
            assert!(name(&names[..end]).is_err());
        }
        let whole = value(
            0x30,
            &value(
                0x30,
                &[&[2, 1, 5, 0x30, 0], &value(0x30, &names)[..]].concat(),
            ),
        );
        assert_eq!(issuer_serial(&whole).unwrap(), "CN=a#5");
        for end in 0..whole.len() {
            assert!(issuer_serial(&whole[..end]).is_err());
        }
        for place in 0..whole.len() {
            for byte in 0..=255 {
                let mut damaged = whole.clone();
                damaged[place] = byte;
                let _ = issuer_serial(&damaged);
            }
        }
    }
}
