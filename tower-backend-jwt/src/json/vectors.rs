//! What is an object and what is not, text by text.

use super::*;

fn is_read(text: impl AsRef<[u8]>) -> bool {
    Object::parse(text.as_ref().to_vec()).is_ok()
}

fn is_value(json: &str) -> bool {
    let text = format!("{{\"a\":{json}}}");
    let object = Object::parse(text.into_bytes());
    if let Ok(object) = &object {
        assert_eq!(object.get("a"), Some(json));
    }
    // It stands for itself wherever it stands.
    for around in [
        format!("{{\"a\":[{json}]}}"),
        format!("{{\"a\":[0 , {json} ,0]}}"),
        format!("{{\"a\":{{\"b\":{json}}},\"c\":0}}"),
    ] {
        assert_eq!(is_read(around), object.is_ok(), "{json}");
    }
    object.is_ok()
}

#[test]
fn objects_and_arrays_are_as_deep_as_serde_json_reads_them() {
    for (levels, expected) in [
        (1, true),
        (126, true),
        (127, true),
        (128, false),
        (129, false),
    ] {
        let inner = levels - 1;
        let arrays = format!("{{\"a\":{}{}}}", "[".repeat(inner), "]".repeat(inner));
        let objects = format!("{}{{}}{}", "{\"a\":".repeat(inner), "}".repeat(inner));
        let both = inner / 2;
        let mixed = format!("{}0{}", "{\"a\":[".repeat(both + 1), "]}".repeat(both + 1));
        if inner > 0 {
            assert_eq!(is_read(&arrays), expected, "{levels} arrays");
        }
        assert_eq!(is_read(&objects), expected, "{levels} objects");
        if inner % 2 == 1 {
            assert_eq!(is_read(&mixed), expected, "{levels} of both");
        }
        for text in [arrays, objects].iter().filter(|text| is_read(text)) {
            serde_json::from_str::<serde_json::Value>(text).unwrap();
        }
    }
    for depth in [1_000, 100_000] {
        assert!(!is_read(format!("{{\"a\":{}", "[".repeat(depth))));
        assert!(!is_read("{\"a\":".repeat(depth)));
    }
    // Beside each other there may be many.
    assert!(is_value(&format!("[{}[]]", "[[]],".repeat(1000))));
}

#[test]
fn a_control_character_is_in_no_string_and_no_name_but_as_an_escape() {
    for byte in 0..0x20_u8 {
        let character = char::from(byte);
        // At every place of the eight bytes that are looked at in one.
        for before in 0..9 {
            let before = "x".repeat(before);
            let raw = format!("\"{before}{character}yyyyyyyyy\"");
            assert!(!is_value(&raw), "{byte}");
            assert!(!is_read(format!("{{{raw}:0}}")), "{byte}");
            let escaped = format!("\"{before}\\u{byte:04x}yyyyyyyyy\"");
            assert!(is_value(&escaped), "{byte}");
            assert_eq!(text(&escaped).unwrap().as_bytes()[before.len()], byte);
        }
        // Between the others it is a space, or nothing at all.
        let space = matches!(character, ' ' | '\t' | '\n' | '\r');
        assert_eq!(is_read(format!("{{{character}\"a\":0}}")), space, "{byte}");
        assert_eq!(is_read(format!("{{\"a\"{character}:0}}")), space, "{byte}");
        assert_eq!(is_read(format!("{{\"a\":0}}{character}")), space, "{byte}");
    }
    assert!(is_value("\"\u{7f}\u{80}\u{a0}\u{2028}\u{feff}\u{10ffff}\""));
    for space in ["\u{b}", "\u{a0}", "\u{2028}", "\u{3000}"] {
        assert!(!is_read(format!("{{\"a\":{space}0}}")));
    }
}

#[test]
fn every_escape_is_read_and_no_other() {
    for byte in 0..0x80_u8 {
        let escape = format!("\"\\{}\"", char::from(byte));
        let known = matches!(byte, b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't');
        assert_eq!(
            is_value(&escape) && text(&escape).is_some(),
            known,
            "{escape}"
        );
    }
    assert_eq!(
        text(r#""\"\\\/\b\f\n\r\t""#).unwrap(),
        "\"\\/\u{8}\u{c}\n\r\t"
    );
    for escape in [
        "\\u0", "\\u00", "\\u004", "\\u004g", "\\u+041", "\\U0041", "\\u 041", "\\",
    ] {
        assert!(!is_value(&format!("\"{escape}\"")), "{escape}");
    }
    assert_eq!(text(r#""\u00e9\u00E9\u20AC""#).unwrap(), "éé€");
}

#[test]
fn half_a_surrogate_pair_is_no_text() {
    assert_eq!(text(r#""\ud83d\ude00\uD83D\uDE00""#).unwrap(), "😀😀");
    for half in [
        r"\ud800",
        r"\udbff",
        r"\udc00",
        r"\udfff",
        r"\ud800\ud800",
        r"\udc00\ud800",
        r"\ud83dx\ude00",
        r"\ud83d\n",
        r"\ud83d\u0041",
        r"\ud83d\\ude00",
        r"\ud83d ",
    ] {
        assert!(!is_value(&format!("\"{half}\"")), "{half}");
        assert!(!is_read(format!("{{\"{half}\":0}}")), "{half}");
        assert!(!is_read(format!("{{\"a\":{{\"{half}\":0}}}}")), "{half}");
    }
}

#[test]
fn a_number_is_what_rfc_8259_says_and_fits() {
    for number in [
        "0",
        "-0",
        "0.0",
        "-0.0",
        "1E+2",
        "1e2",
        "1e-2",
        "1.5E-0",
        "10",
        "0e0",
        "0e400",
        "1e308",
        "1e-400",
        "9007199254740993",
        "18446744073709551616",
        "0.1e309",
    ] {
        assert!(is_value(number), "{number}");
    }
    for number in [
        "01",
        "-01",
        "00",
        "1.",
        "-1.",
        ".5",
        "-.5",
        "+1",
        "--1",
        "-",
        "1e",
        "1e+",
        "1E-",
        "1.e1",
        "1.5.5",
        "1e1e1",
        "1e1.5",
        "0x10",
        "1_000",
        "Infinity",
        "-Infinity",
        "NaN",
        "1e400",
        "-1e400",
        "1e309",
        "1e99999999999",
        "1f",
        "\u{661}",
    ] {
        assert!(!is_value(number), "{number}");
    }
    let digits = |count| "9".repeat(count);
    assert!(is_value(&digits(300)) && is_value(&digits(308)));
    assert!(!is_value(&digits(400)) && !is_value(&format!("-{}", digits(400))));
    assert!(is_value(&format!("{}e-100", digits(400))));
    assert!(is_value(&format!("0.{}", digits(400))));
}

#[test]
fn nothing_stands_before_or_behind_an_object() {
    assert!(is_read("{}") && is_read(" \t\r\n{ } \t\r\n") && is_read("{\"a\" : 0 }"));
    for text in [
        "",
        " ",
        "{",
        "}",
        "{}{}",
        "{},",
        "{}\0",
        "\0{}",
        "{}x",
        "\u{feff}{}",
        "{}\u{feff}",
        "{} //",
        "{}/**/",
        "[{}]",
        "{,}",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":0,}",
        "{,\"a\":0}",
        "{\"a\":0,,\"b\":0}",
        "{\"a\":0 \"b\":0}",
        "{\"a\"::0}",
        "{\"a\":0:0}",
        "{a:0}",
        "{'a':0}",
        "{0:0}",
        "{null:0}",
        "{\"a\":0;}",
        "{\"a\":[}",
        "{\"a\":[0}",
        "{\"a\":[0,]}",
        "{\"a\":[,0]}",
        "{\"a\":[0]]}",
        "{\"a\":{]}",
        "{\"a\":\"}",
        "{\"a\":\"\\\"}",
        "{\"a\":tru}",
        "{\"a\":True}",
        "{\"a\":nulll}",
        "{\"a\":truefalse}",
        "{\"a\":undefined}",
    ] {
        assert!(!is_read(text), "{text}");
    }
    // Text that is none: an overlong form, a surrogate, half a character.
    for bytes in [
        &b"\xc0\xaf"[..],
        b"\xed\xa0\x80",
        b"\xc3",
        b"\x80",
        b"\xff",
        b"\xf4\x90\x80\x80",
    ] {
        assert!(!is_read([b"{\"a\":\"", bytes, b"\"}"].concat()));
        assert!(!is_read([b"{\"", bytes, b"\":0}"].concat()));
    }
}

#[test]
fn a_name_twice_is_refused_at_every_depth_however_it_is_written() {
    let twice = [
        ("a", "a"),
        ("a", "\\u0061"),
        ("\\u0061", "a"),
        ("\\u0061", "\\u0061"),
        ("", ""),
        ("/", "\\/"),
        ("\\u00e9", "\u{e9}"),
        ("\\u00e9", "\\u00E9"),
        ("\\ud83d\\ude00", "\u{1f600}"),
        ("\\n", "\\u000a"),
        ("12345678a", "12345678\\u0061"),
    ];
    let once = [
        ("a", "A"),
        ("a", "a "),
        ("", "\\u0000"),
        ("12345678a", "12345678b"),
        // A name that starts like the other, or is padded like it.
        ("12345678", "123456789"),
        ("a", "a\\u0000"),
        ("\u{e9}", "e\u{301}"),
    ];
    for (pairs, expected) in [(&twice[..], false), (&once[..], true)] {
        for (one, two) in pairs {
            let both = format!("{{\"{one}\":0,\"x\":{{\"{one}\":0}},\"{two}\":1}}");
            assert_eq!(is_read(&both), expected, "{both}");
            for depth in 1..20 {
                let nested = format!("{}{both}{}", "{\"a\":[0,".repeat(depth), "]}".repeat(depth));
                assert_eq!(is_read(&nested), expected, "{nested}");
            }
        }
    }
    // Among few and among many, wherever the two stand.
    for count in [1, 2, 31, 32, 33, 34, 200] {
        let names = || (0..count).map(|number| format!("\"name {number}\":0"));
        let all: Vec<_> = names().collect();
        assert!(is_read(format!("{{{}}}", all.join(","))));
        for place in [0, count / 2, count - 1] {
            let last = format!("\"\\u006eame {place}\":0");
            let all: Vec<_> = names().chain([last]).collect();
            let text = format!("{{{}}}", all.join(","));
            assert!(!is_read(&text), "{text}");
            assert!(!is_read(format!("{{\"x\":[{text}]}}")), "{text}");
        }
    }
    // In objects beside each other, and in each other, a name may be the same.
    assert!(is_value(
        r#"[{"a":0},{"a":{"a":{"b":0,"c":0}},"b":0},{"a":0}]"#
    ));
}
