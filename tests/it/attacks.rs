//! Tokens that must not pass, and what is said of them.

use serde_json::{Value, json};
use tests::{
    forge::{self, ISSUER, Token, compact, encode, issuer_builder, verifier_of},
    keys::{key, new_key},
    time::{NOW, clock},
    upstream::signed,
};
use tower_backend_jwt::{Issuer, RefusalReason as R, VerifiedToken, Verifier};
use tower_jwks::{Algorithm, JwkSet, VerifyingKey};

const ALGORITHM: Algorithm = Algorithm::EdDSA;

fn verify(token: &str) -> Result<VerifiedToken, R> {
    let verifier = forge::verifier(key(ALGORITHM));
    verifier.verify(token).map_err(|refusal| refusal.reason())
}

fn good() -> String {
    Token::of(key(ALGORITHM)).sign()
}

/// Each token is refused, for this reason.
fn refused(reason: R, tokens: impl IntoIterator<Item = String>) {
    for token in tokens {
        let shown = &token[..token.len().min(120)];
        assert_eq!(verify(&token).err(), Some(reason), "{shown}");
    }
}

#[test]
fn a_good_token_passes() {
    let token = verify(&good()).unwrap();
    assert_eq!(token.issuer(), ISSUER);
    assert_eq!(token.subject(), Some("alice"));
    assert_eq!(token.client_id(), Some("shop"));
    assert_eq!(token.audiences().collect::<Vec<_>>(), ["orders"]);
    assert_eq!(
        token.scopes().collect::<Vec<_>>(),
        ["orders:read", "orders:write"]
    );
    assert_eq!(token.issued_at(), Some(NOW));
    assert_eq!(token.expires_at().as_secs(), NOW.as_secs() + 600);
    assert_eq!(token.jti(), Some("6b0f1f0c"));
    assert_eq!(token.algorithm(), ALGORITHM);
    assert_eq!(token.claim_json("sub"), Some("\"alice\""));
    assert_eq!(
        token.claim::<u64>("exp").unwrap(),
        Some(NOW.as_secs() + 600)
    );
    assert_eq!(token.claim::<String>("absent").unwrap(), None);
    assert_eq!(
        token.claim::<u64>("sub").unwrap_err().reason(),
        R::MalformedClaim
    );
    #[derive(serde::Deserialize)]
    struct Claims {
        sub: String,
        client_id: String,
    }
    let claims: Claims = token.claims().unwrap();
    assert_eq!(
        (claims.sub.as_str(), claims.client_id.as_str()),
        ("alice", "shop")
    );
    assert!(token.claims::<Vec<u8>>().is_err());
}

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
fn an_algorithm_that_is_not_written_down_here_is_refused_with_and_without_signature() {
    let claims = forge::claims().to_string();
    for name in [
        "none",
        "None",
        "NONE",
        "nOnE",
        "none ",
        "none\u{0}",
        "",
        "HS256",
        "HS384",
        "HS512",
        "rs256",
        "eddsa",
        "ES512",
        "ES256K",
        "RSA-OAEP",
        "A128KW",
        "dir",
    ] {
        let header = json!({"alg": name, "typ": "at+jwt"}).to_string();
        let signed = Token::of(key(ALGORITHM)).header("alg", name).sign();
        refused(
            R::AlgorithmNotAllowed,
            [signed, compact(&header, &claims, "x")],
        );
        let unsigned = format!("{}.{}.", encode(&header), encode(&claims));
        refused(R::MalformedToken, [unsigned]);
    }
}

#[test]
fn the_algorithm_comes_from_the_key_and_not_from_the_token() {
    let rsa = key(Algorithm::RS256);
    let verifier = forge::verifier(rsa);
    for other in [
        Algorithm::RS384,
        Algorithm::PS256,
        Algorithm::ES256,
        Algorithm::EdDSA,
    ] {
        let token = Token::of(rsa).header("alg", other.name()).sign();
        assert_eq!(
            verifier.verify(&token).unwrap_err().reason(),
            R::UnknownKey,
            "{other}"
        );
    }
    // Even where the key would fit: the issuer's list is a limit of its own.
    let issuer = issuer_builder(rsa).algorithms([Algorithm::ES256, Algorithm::RS256]);
    let verifier = verifier_of(issuer.build().unwrap());
    let token = Token::of(rsa).header("alg", "PS256").sign();
    assert_eq!(
        verifier.verify(&token).unwrap_err().reason(),
        R::AlgorithmNotAllowed
    );
    assert!(verifier.verify(&Token::of(rsa).sign()).is_ok());
}

#[test]
fn a_key_without_alg_serves_each_algorithm_that_the_issuer_allows_and_no_other() {
    let rsa = key(Algorithm::RS256);
    let mut jwk: Value = serde_json::from_str(&rsa.jwk().to_string()).unwrap();
    jwk.as_object_mut().unwrap().remove("alg");
    let set = JwkSet::parse(json!({"keys": [jwk]}).to_string()).unwrap();
    let issuer = Issuer::from_jwks(ISSUER, set)
        .audience("orders")
        .algorithms([Algorithm::RS256, Algorithm::PS256])
        .build()
        .unwrap();
    let verifier = verifier_of(issuer);
    assert_eq!(
        verifier.verify(&Token::of(rsa).sign()).unwrap().algorithm(),
        Algorithm::RS256
    );
    // An RS256 signature under the name of PS256 is tried as that, and does not hold.
    let token = Token::of(rsa).header("alg", "PS256").sign();
    assert_eq!(
        verifier.verify(&token).unwrap_err().reason(),
        R::InvalidSignature
    );
    let token = Token::of(rsa).header("alg", "RS512").sign();
    assert_eq!(
        verifier.verify(&token).unwrap_err().reason(),
        R::AlgorithmNotAllowed
    );
}

#[test]
fn a_key_that_the_token_brings_is_never_used() {
    let attacker = new_key(ALGORITHM);
    let jwk: Value = serde_json::from_str(&attacker.jwk().to_string()).unwrap();
    for (member, value) in [
        ("jwk", jwk),
        ("jku", json!("https://attacker.example.com/jwks")),
        ("x5u", json!("https://attacker.example.com/cert")),
        ("x5c", json!(["MIIB"])),
    ] {
        let token = Token::of(&attacker).header(member, value.clone());
        refused(R::UnknownKey, [token.clone().sign()]);
        let same_kid = token.header("kid", key(ALGORITHM).kid()).sign();
        refused(R::InvalidSignature, [same_kid]);
        let without_kid = Token::of(&attacker)
            .header(member, value)
            .without_header("kid")
            .sign();
        refused(R::InvalidSignature, [without_kid]);
    }
}

#[test]
fn a_kid_is_looked_up_and_nothing_else() {
    for kid in [
        "../../dev/null",
        "/proc/self/environ",
        "' OR 1=1--",
        "| id",
        "\r\nX: y",
        "ключ",
        &key(ALGORITHM).kid().to_uppercase(),
    ] {
        refused(
            R::UnknownKey,
            [Token::of(key(ALGORITHM)).header("kid", kid).sign()],
        );
    }
    assert!(verify(&Token::of(key(ALGORITHM)).without_header("kid").sign()).is_ok());
}

#[test]
fn a_signature_holds_for_one_header_and_one_payload() {
    let good = good();
    let other = Token::of(key(ALGORITHM)).claim("sub", "mallory").sign();
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let (other_signed, _) = other.rsplit_once('.').unwrap();
    let (header, claims) = signed.split_once('.').unwrap();
    refused(
        R::InvalidSignature,
        [
            format!("{other_signed}.{signature}"),
            format!("{signed}.{}", encode([0; 64])),
            format!("{signed}.{}", encode(&forge::decode(signature)[..32])),
            format!("{signed}.{}", encode([1; 63])),
            format!("{signed}.{}", encode([1; 65])),
            format!("{signed}.{}", encode(vec![1; 4096])),
        ],
    );
    assert!(verify(&format!("{claims}.{header}.{signature}")).is_err());
    // ECDSA: a signature of zeros, of the group's order, and in DER.
    let ec = key(Algorithm::ES256);
    let verifier = forge::verifier(ec);
    let token = Token::of(ec).sign();
    let signed = token.rsplit_once('.').unwrap().0;
    for signature in [
        vec![0; 64],
        vec![0xff; 64],
        [vec![0x30, 0x44, 2, 0x20], vec![1; 66]].concat(),
    ] {
        let refusal = verifier
            .verify(&format!("{signed}.{}", encode(signature)))
            .unwrap_err();
        assert_eq!(refusal.reason(), R::InvalidSignature);
    }
}

#[test]
fn extensions_that_are_not_implemented_are_refused() {
    for (member, value) in [
        ("crit", json!(["exp"])),
        ("crit", json!([])),
        ("crit", json!(["b64"])),
        ("crit", json!(["unknown"])),
        ("crit", json!("exp")),
        ("crit", Value::Null),
        ("b64", json!(false)),
        ("b64", json!("true")),
        ("zip", json!("DEF")),
    ] {
        refused(
            R::UnsupportedHeader,
            [Token::of(key(ALGORITHM)).header(member, value).sign()],
        );
    }
    assert!(verify(&Token::of(key(ALGORITHM)).header("b64", true).sign()).is_ok());
}

#[test]
fn a_token_of_another_kind_is_no_access_token() {
    for typ in [
        "id_token",
        "logout+jwt",
        "dpop+jwt",
        "secevent+jwt",
        "txntoken+jwt",
        "wit+jwt",
        "at",
        "",
        "application/",
        "application/logout+jwt",
        "xapplication/at+jwt",
    ] {
        refused(
            R::WrongType,
            [Token::of(key(ALGORITHM)).header("typ", typ).sign()],
        );
    }
    for typ in [
        "at+jwt",
        "AT+JWT",
        "application/at+jwt",
        "APPLICATION/AT+JWT",
        "JWT",
        "jwt",
    ] {
        assert!(
            verify(&Token::of(key(ALGORITHM)).header("typ", typ).sign()).is_ok(),
            "{typ}"
        );
    }
    assert!(verify(&Token::of(key(ALGORITHM)).without_header("typ").sign()).is_ok());
    for claim in ["at_hash", "c_hash", "s_hash", "events"] {
        refused(R::WrongType, [signed(&json!({claim: "x"}))]);
    }
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

#[test]
fn times_are_numbers_that_fit() {
    let now = NOW.as_secs();
    for name in ["exp", "nbf", "iat"] {
        for value in [
            json!(now.to_string()),
            json!(true),
            json!([now]),
            json!({}),
            json!(-1),
            json!(1e300),
            json!(u64::MAX),
            json!(1_u64 << 63),
            json!(now * 1000),
        ] {
            refused(R::MalformedClaim, [signed(&json!({name: value}))]);
        }
        let text = forge::claims().to_string();
        let null = format!("{},\"{name}\":null}}", text.trim_end_matches('}'));
        let null = null
            .replace(&format!("\"{name}\":{now},"), "")
            .replace(&format!("\"{name}\":{},", now + 600), "");
        refused(
            R::MalformedClaim,
            [Token::of(key(ALGORITHM)).claims_text(null).sign()],
        );
    }
    refused(R::MissingClaim, [signed(&json!({"exp": null}))]);
    refused(
        R::Expired,
        [
            signed(&json!({"exp": 0, "iat": 0})),
            signed(&json!({"exp": 1e9, "iat": 1})),
        ],
    );
    let fraction = signed(&json!({"exp": now as f64 + 0.5, "iat": now as f64 - 0.5}));
    assert!(verify(&fraction).is_ok());
}

#[test]
fn leeway_ends_where_it_says_and_can_be_taken_away() {
    let now = NOW.as_secs();
    let early = |exp| json!({"exp": exp, "iat": now - 500});
    refused(R::Expired, [signed(&early(now - 60))]);
    assert!(verify(&signed(&early(now - 59))).is_ok());
    refused(R::NotYetValid, [signed(&json!({"nbf": now + 61}))]);
    assert!(verify(&signed(&json!({"nbf": now + 60}))).is_ok());
    refused(R::IssuedInFuture, [signed(&json!({"iat": now + 61}))]);
    assert!(verify(&signed(&json!({"iat": now + 60}))).is_ok());
    let strict = Verifier::builder()
        .issuer(forge::issuer(key(ALGORITHM)))
        .leeway(std::time::Duration::ZERO)
        .clock(clock())
        .build()
        .unwrap();
    assert_eq!(
        strict.verify(&signed(&early(now))).unwrap_err().reason(),
        R::Expired
    );
    assert!(strict.verify(&signed(&early(now + 1))).is_ok());
    refused(
        R::MalformedClaim,
        [signed(&json!({"exp": now + 10, "iat": now + 20}))],
    );
}

#[test]
fn an_issuer_is_compared_byte_for_byte() {
    for name in [
        "https://idp.example.com/",
        "https://IDP.example.com",
        "https://idp.example.com:443",
        "http://idp.example.com",
        "https://idp.example.co",
        "https://idp.example.com/x/../",
        "https://idp%2Eexample.com",
        "idp.example.com",
    ] {
        refused(R::UnknownIssuer, [signed(&json!({"iss": name}))]);
    }
    for value in [json!([ISSUER]), json!(1), json!({}), json!("")] {
        refused(R::MalformedClaim, [signed(&json!({"iss": value}))]);
    }
    refused(R::MissingClaim, [signed(&json!({"iss": null}))]);
}

#[test]
fn a_key_of_one_issuer_signs_for_no_other() {
    let (a, b) = (
        new_key(ALGORITHM).with_kid("k").unwrap(),
        new_key(ALGORITHM).with_kid("k").unwrap(),
    );
    let trust = |name: &str, key: &tower_jwks::SigningKey| {
        let set = JwkSet::new([key.jwk().clone()]).unwrap();
        Issuer::from_jwks(name, set)
            .audience("orders")
            .build()
            .unwrap()
    };
    let verifier = Verifier::builder()
        .issuer(trust("https://a.example.com", &a))
        .issuer(trust("https://b.example.com", &b))
        .clock(clock())
        .build()
        .unwrap();
    let token = |key, issuer| Token::of(key).claim("iss", issuer).sign();
    // One kid at two issuers: each finds its own key.
    assert!(verifier.verify(&token(&a, "https://a.example.com")).is_ok());
    assert!(verifier.verify(&token(&b, "https://b.example.com")).is_ok());
    let refusal = verifier
        .verify(&token(&a, "https://b.example.com"))
        .unwrap_err();
    assert_eq!(refusal.reason(), R::InvalidSignature);
}

#[test]
fn an_audience_is_one_string_or_strings_and_ours_is_among_them() {
    for value in [
        json!("others"),
        json!("order"),
        json!("orders2"),
        json!("*"),
        json!(["a", "b"]),
        json!([]),
    ] {
        refused(R::WrongAudience, [signed(&json!({"aud": value}))]);
    }
    for value in [
        json!(1),
        json!({}),
        json!(["orders", 1]),
        json!(""),
        json!([["orders"]]),
        json!(true),
    ] {
        refused(R::MalformedClaim, [signed(&json!({"aud": value}))]);
    }
    refused(R::MissingClaim, [signed(&json!({"aud": null}))]);
    for value in [json!("orders"), json!(["x", "orders"])] {
        assert!(verify(&signed(&json!({"aud": value}))).is_ok());
    }
    let issuer = Issuer::from_jwks(ISSUER, JwkSet::new([key(ALGORITHM).into()]).unwrap());
    let any = verifier_of(issuer.dangerous_accept_any_audience().build().unwrap());
    assert!(any.verify(&signed(&json!({"aud": null}))).is_ok());
    assert!(any.verify(&signed(&json!({"aud": 1}))).is_err());
}

#[test]
fn identifying_claims_are_texts() {
    for name in ["sub", "jti", "client_id"] {
        for value in [json!(1), json!(""), json!(["a"]), json!({}), json!(false)] {
            refused(R::MalformedClaim, [signed(&json!({name: value}))]);
        }
    }
    for name in ["sub", "jti", "client_id"] {
        assert!(
            verify(&signed(&json!({name: null}))).is_ok(),
            "{name} may be absent"
        );
    }
    let azp = verify(&signed(&json!({"client_id": null, "azp": "app"}))).unwrap();
    assert_eq!(azp.client_id(), Some("app"));
}

#[test]
fn scopes_are_read_in_the_form_that_was_configured_and_no_other() {
    let scopes = |token: &VerifiedToken| token.scopes().map(str::to_owned).collect::<Vec<_>>();
    for (value, expected) in [
        (json!("a b"), vec!["a", "b"]),
        (json!("a  b "), vec!["a", "b"]),
        (json!("a\tb"), vec!["a\tb"]),
        (json!(["a", "b"]), vec![]),
        (json!(1), vec![]),
        (json!(""), vec![]),
    ] {
        assert_eq!(
            scopes(&verify(&signed(&json!({"scope": value}))).unwrap()),
            expected
        );
    }
    let scp = signed(&json!({"scope": "other", "scp": ["admin", "user"]}));
    assert_eq!(scopes(&verify(&scp).unwrap()), ["other"]);
    let issuer = issuer_builder(key(ALGORITHM))
        .scope_claim("scp")
        .accept_scope_arrays();
    let verifier = verifier_of(issuer.build().unwrap());
    assert_eq!(scopes(&verifier.verify(&scp).unwrap()), ["admin", "user"]);
    let spaced = signed(&json!({"scp": ["ad min", "user"]}));
    assert_eq!(scopes(&verifier.verify(&spaced).unwrap()), ["user"]);
}

#[test]
fn the_profile_of_rfc_9068_demands_its_type_and_its_claims() {
    let verifier = verifier_of(issuer_builder(key(ALGORITHM)).rfc9068().build().unwrap());
    let reason = |token: String| verifier.verify(&token).map(|_| ()).map_err(|r| r.reason());
    assert_eq!(reason(good()), Ok(()));
    for claim in ["sub", "client_id", "iat", "jti"] {
        assert_eq!(
            reason(signed(&json!({claim: null}))),
            Err(R::MissingClaim),
            "{claim}"
        );
    }
    for typ in ["JWT", "jwt"] {
        assert_eq!(
            reason(Token::of(key(ALGORITHM)).header("typ", typ).sign()),
            Err(R::WrongType)
        );
    }
    let typeless = Token::of(key(ALGORITHM)).without_header("typ").sign();
    assert_eq!(reason(typeless), Err(R::WrongType));
}

#[test]
fn mapped_claims_have_their_local_name_and_the_checks_are_of_the_token_itself() {
    let issuer = issuer_builder(key(ALGORITHM))
        .map_claim("uid", "sub")
        .map_claim("iss", "provider")
        .build()
        .unwrap();
    let token = verifier_of(issuer)
        .verify(&signed(&json!({"uid": "u-1"})))
        .unwrap();
    assert_eq!(token.subject(), Some("u-1"));
    assert_eq!(token.claim_json("uid"), None);
    assert_eq!(token.claim_json("iss"), None);
    assert_eq!(
        token.claim::<String>("provider").unwrap().as_deref(),
        Some(ISSUER)
    );
    assert_eq!(token.issuer(), ISSUER);
    for local in ["iss", "aud", "exp", "nbf", "iat", "jti"] {
        let issuer = issuer_builder(key(ALGORITHM)).map_claim("x", local);
        assert_eq!(issuer.build().unwrap_err().field(), "map_claim", "{local}");
    }
}

#[test]
fn a_key_from_pem_has_no_kid_and_is_tried_for_tokens_of_any() {
    let ours = key(ALGORITHM);
    let mut jwk: Value = serde_json::from_str(&ours.jwk().to_string()).unwrap();
    jwk.as_object_mut().unwrap().remove("kid");
    let jwk = tower_jwks::Jwk::parse(&jwk.to_string()).unwrap();
    let nameless = VerifyingKey::from_jwk(ALGORITHM, &jwk).unwrap();
    assert_eq!(nameless.kid(), None);
    let issuer = Issuer::from_key(ISSUER, nameless)
        .audience("orders")
        .build()
        .unwrap();
    let verifier = verifier_of(issuer);
    assert!(
        verifier
            .verify(&Token::of(ours).header("kid", "whatever").sign())
            .is_ok()
    );
    assert!(
        verifier
            .verify(&Token::of(ours).without_header("kid").sign())
            .is_ok()
    );
}

#[test]
fn an_issuer_that_cannot_work_is_an_error_when_it_is_built() {
    let set = || JwkSet::new([key(ALGORITHM).into()]).unwrap();
    let field =
        |builder: tower_backend_jwt::IssuerBuilder| builder.build().unwrap_err().field().to_owned();
    assert_eq!(field(Issuer::from_jwks(ISSUER, set())), "audience");
    assert_eq!(field(Issuer::from_jwks("", set()).audience("a")), "issuer");
    assert_eq!(
        field(
            Issuer::from_jwks(ISSUER, set())
                .audience("a")
                .algorithms([])
        ),
        "algorithms"
    );
    let types: [&str; 0] = [];
    assert_eq!(
        field(
            Issuer::from_jwks(ISSUER, set())
                .audience("a")
                .token_types(types)
        ),
        "token_types"
    );
    let mismatched = Issuer::from_jwks(ISSUER, set())
        .audience("a")
        .algorithms([Algorithm::RS256]);
    let error = mismatched.build().unwrap_err();
    assert!(error.to_string().contains("alg"), "{error}");
    let empty = JwkSet::parse(r#"{"keys":[]}"#).unwrap();
    assert_eq!(
        field(Issuer::from_jwks(ISSUER, empty).audience("a")),
        "jwks"
    );
    assert_eq!(Verifier::builder().build().unwrap_err().field(), "issuers");
    let issuer = forge::issuer(key(ALGORITHM));
    let twice = Verifier::builder().issuer(issuer.clone()).issuer(issuer);
    assert_eq!(twice.build().unwrap_err().field(), "issuers");
}
