//! Text that is no token.

use super::*;

#[test]
fn text_that_is_not_a_compact_jws_is_malformed() {
    let good = good();
    let parts: Vec<&str> = good.split('.').collect();
    let [header, claims, signature] = parts[..] else {
        panic!("three parts")
    };
    refused(
        R::MalformedToken,
        [
            String::new(),
            "abc".into(),
            "a.b".into(),
            "a.b.c.d".into(),
            "..".into(),
            format!("{header}..{signature}"),
            format!(".{claims}.{signature}"),
            format!("{header}.{claims}."),
            format!("{header}..{claims}.{signature}"),
            format!("{good}.x.y"),
            format!("{good}="),
            format!("{header}=.{claims}.{signature}"),
            format!("{header}.{claims} .{signature}"),
            format!("{header}.{claims}\n.{signature}"),
            format!("\u{a0}{good}"),
            good.replace('.', "%2E"),
            format!(r#"{{"protected":"{header}","payload":"{claims}","signature":"{signature}"}}"#),
            ".".repeat(10_000),
        ],
    );
    for forbidden in ['+', '/', '=', ' ', '"', '{'] {
        refused(
            R::MalformedToken,
            [format!("{header}.{claims}.{forbidden}{}", &signature[1..])],
        );
    }
}

#[test]
fn one_token_has_one_spelling() {
    // The last character of 64 bytes carries four bits, and two that must be zero.
    let good = good();
    let last = good.chars().last().unwrap();
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let place = alphabet.find(last).unwrap();
    let twin = alphabet.chars().nth(place ^ 1).unwrap();
    refused(
        R::MalformedToken,
        [format!("{}{twin}", &good[..good.len() - 1])],
    );
}

#[test]
fn a_token_that_is_too_long_is_not_read() {
    refused(
        R::TokenTooLong,
        [".".repeat(16 * 1024 + 1), "a".repeat(1_000_000)],
    );
    refused(R::MalformedToken, [".".repeat(16 * 1024)]);
}

#[test]
fn a_header_that_is_not_one_sound_object_is_malformed() {
    let header = forge::header(key(ALGORITHM)).to_string();
    let deep = format!(
        r#"{{"alg":"EdDSA","x":{}{}}}"#,
        "[".repeat(4000),
        "]".repeat(4000)
    );
    let tokens = [
        "null",
        "[]",
        "\"EdDSA\"",
        "{",
        "",
        &format!("{header}x"),
        &format!("\u{feff}{header}"),
        r#"{"alg":"none","alg":"EdDSA"}"#,
        r#"{"alg":"EdDSA","\u0061lg":"none"}"#,
        r#"{"alg":"EdDSA","kid":"a","kid":"b"}"#,
        r#"{"alg":"EdDSA","x":{"y":1,"y":2}}"#,
        r#"{"alg":"EdDSA","x":"\ud800"}"#,
        r#"{"alg":null}"#,
        r#"{"alg":1}"#,
        r#"{"alg":["EdDSA"]}"#,
        r#"{"typ":"at+jwt"}"#,
        r#"{"alg":"EdDSA","kid":1}"#,
        r#"{"alg":"EdDSA","kid":""}"#,
        r#"{"alg":"EdDSA","kid":{}}"#,
        r#"{"alg":"EdDSA","typ":1}"#,
        &deep,
    ]
    .map(|text| Token::of(key(ALGORITHM)).header_text(text).sign());
    refused(R::MalformedToken, tokens);
    let long = Token::of(key(ALGORITHM))
        .header("kid", "k".repeat(257))
        .sign();
    refused(R::MalformedToken, [long]);
    let token = Token::of(key(ALGORITHM))
        .header_text(b"{\"alg\":\"EdDSA\",\"x\":\"\xff\"}")
        .sign();
    refused(R::MalformedToken, [token]);
}

#[test]
fn claims_that_are_not_one_sound_object_are_malformed() {
    let claims = forge::claims().to_string();
    let with = |member: &str| format!("{},{member}}}", claims.trim_end_matches('}'));
    let deep = with(&format!("\"x\":{}{}", "[".repeat(4000), "]".repeat(4000)));
    let texts = [
        "null".to_owned(),
        "[]".to_owned(),
        "1".to_owned(),
        format!("{claims} x"),
        format!("\u{feff}{claims}"),
        with(r#""sub":"mallory""#),
        with(r#""\u0073ub":"mallory""#),
        with(r#""aud":"orders""#),
        with(r#""x":{"a":1,"a":2}"#),
        with(r#""x":[[{"a":1,"\u0061":2}]]"#),
        with(r#""x":"\udfff""#),
        with(r#""x":1e999999999"#),
        with(r#""x":NaN"#),
        deep,
    ];
    let token = |text: String| Token::of(key(ALGORITHM)).claims_text(text).sign();
    refused(R::MalformedToken, texts.map(token));
    let digits = with(&format!("\"x\":{}", "9".repeat(9000)));
    refused(R::MalformedToken, [token(digits)]);
}
