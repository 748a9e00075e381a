//! Headers that promise more than they may, and signatures that do not hold.

use super::*;

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
    for (claim, kind) in [("typ", "ID"), ("typ", "Refresh"), ("token_use", "id")] {
        refused(R::WrongType, [signed(&json!({claim: kind}))]);
    }
    for (claim, kind) in [("typ", "Bearer"), ("token_use", "access")] {
        assert!(verify(&signed(&json!({claim: kind}))).is_ok());
    }
}
