//! Claims that are not as they must be.

use super::*;

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
    let verifier = verifier_of(issuer);
    let token = verifier.verify(&signed(&json!({"uid": "u-1"}))).unwrap();
    assert_eq!(token.subject(), Some("u-1"));
    assert_eq!(token.claim_json("uid"), None);
    assert_eq!(token.claim_json("iss"), None);
    assert_eq!(
        token.claim::<String>("provider").unwrap().as_deref(),
        Some(ISSUER)
    );
    assert_eq!(token.issuer(), ISSUER);
    // A `sub` of its own is no `uid`.
    let token = verifier.verify(&signed(&json!({}))).unwrap();
    assert_eq!(token.subject(), None);
    assert_eq!(token.claim_json("sub"), None);
    for local in ["iss", "aud", "exp", "nbf", "iat", "jti"] {
        let issuer = issuer_builder(key(ALGORITHM)).map_claim("x", local);
        assert_eq!(issuer.build().unwrap_err().field(), "map_claim", "{local}");
    }
}
