//! What the tests of WSO2's own gateways demand of the backend JWT and of the published keys: first
//! the demands of Choreo Connect and APK by their names, then a list drawn from all of their tests.

use bytes::Bytes;
use http::{HeaderName, Request, Response, StatusCode};
use http_body_util::Full;
use serde_json::{Value, json};
use std::{convert::Infallible, time::Duration};
use tests::{
    forge::{self, Token, claims_of, header_of, issuer_builder, verifier_of},
    keys::{key, new_key, ring},
    time::{NOW, clock},
    upstream::{Answer, get, get_with, send, signed, upstream},
};
use tower::{Service, ServiceBuilder, service_fn};
use tower_backend_jwt::{
    AccessTokenLayer, Api, BackendJwtLayer, ClaimType, CustomClaim, Policy, RefusalFormat, Scheme,
    StripHeaderLayer, Verifier,
};
use tower_jwks::{Algorithm, JwkSet, JwksLayer, KeyRing, KeySet, VerifyingKey};

/// The gateway as WSO2's tests have it, with RS256.
fn gateway() -> impl Service<
    Request<()>,
    Response = Response<impl http_body::Body<Data = Bytes, Error = Infallible>>,
    Error = Infallible,
> + Clone {
    gateway_with(Policy::wso2(), forge::verifier(key(Algorithm::EdDSA)))
}

fn gateway_with(
    policy: Policy,
    verifier: Verifier,
) -> impl Service<
    Request<()>,
    Response = Response<impl http_body::Body<Data = Bytes, Error = Infallible>>,
    Error = Infallible,
> + Clone {
    let keys = ring(Algorithm::RS256);
    ServiceBuilder::new()
        .layer(JwksLayer::new(keys.clone()))
        .layer(AccessTokenLayer::new(verifier).refusal_format(RefusalFormat::Wso2))
        .layer(
            BackendJwtLayer::new(keys)
                .clock(clock())
                .api(Api::new("Orders", "1.0.0").base_path("/orders"))
                .policy(policy)
                .unwrap(),
        )
        .service(service_fn(upstream))
}

/// A token that lives long enough for a whole backend JWT.
fn token() -> String {
    signed(&json!({"exp": NOW.as_secs() + 9999}))
}

async fn backend_jwt() -> String {
    send(&gateway(), get_with(&token())).await.backend_jwt()
}

async fn published() -> Value {
    let request = Request::get("/.wellknown/jwks").body(()).unwrap();
    let answer = send(&gateway(), request).await;
    assert_eq!(answer.status(), StatusCode::OK);
    answer.json()
}

fn verifies(jwt: &str, set: &Value) {
    let set = KeySet::new(
        &JwkSet::parse(set.to_string()).unwrap(),
        &[Algorithm::RS256],
    );
    let kid = header_of(jwt)["kid"].as_str().unwrap().to_owned();
    let key = set
        .find(Some(&kid), Algorithm::RS256)
        .next()
        .expect("the key is published");
    let (signed, signature) = jwt.rsplit_once('.').unwrap();
    assert_eq!(
        key.verify(signed.as_bytes(), &forge::decode(signature)),
        Ok(())
    );
}

// acceptance.json

#[tokio::test]
async fn header_the_backend_sees_it_where_the_policy_is_and_not_where_it_is_not() {
    assert!(!backend_jwt().await.is_empty());
    let without = ServiceBuilder::new()
        .layer(AccessTokenLayer::new(forge::verifier(key(
            Algorithm::EdDSA,
        ))))
        .layer(StripHeaderLayer::new(HeaderName::from_static(
            "x-jwt-assertion",
        )))
        .service(service_fn(upstream));
    let bearer = format!("Bearer {}", token());
    let request = get(&[("authorization", &bearer), ("x-jwt-assertion", "forged")]);
    assert!(
        send(&without, request)
            .await
            .seen("x-jwt-assertion")
            .is_empty()
    );
}

#[tokio::test]
async fn claims_issuer_keytype_and_times_are_as_demanded() {
    let claims = claims_of(&backend_jwt().await);
    assert_eq!(claims["iss"], "wso2.org/products/am");
    assert_eq!(claims["http://wso2.org/claims/keytype"], "PRODUCTION");
    let [iat, exp] = ["iat", "exp"].map(|name| claims[name].as_u64().unwrap());
    assert_eq!(exp - iat, 3600);
    assert!(exp > NOW.as_secs() && iat <= NOW.as_secs());
}

#[tokio::test]
async fn cache_same_two_requests_with_one_token_give_one_backend_jwt() {
    let gateway = gateway();
    let first = send(&gateway, get_with(&token())).await.backend_jwt();
    assert_eq!(
        send(&gateway, get_with(&token())).await.backend_jwt(),
        first
    );
}

#[tokio::test]
async fn cache_other_another_token_gives_another_backend_jwt() {
    let gateway = gateway();
    let first = send(&gateway, get_with(&token())).await.backend_jwt();
    let other = signed(&json!({"jti": "another"}));
    assert_ne!(send(&gateway, get_with(&other)).await.backend_jwt(), first);
}

#[tokio::test]
async fn jwks_finds_exactly_the_key_of_the_backend_jwt_and_verifies_it() {
    let (jwt, set) = (backend_jwt().await, published().await);
    let header = header_of(&jwt);
    let matching: Vec<&Value> = set["keys"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|key| key["kid"] == header["kid"] && key["alg"] == header["alg"])
        .collect();
    assert_eq!(matching.len(), 1);
    for (name, value) in [("kty", "RSA"), ("use", "sig"), ("alg", "RS256")] {
        assert_eq!(matching[0][name], value);
    }
    verifies(&jwt, &set);
}

#[tokio::test]
async fn jwks_ratelimit_ten_requests_meet_a_429_when_five_are_allowed() {
    let service = ServiceBuilder::new()
        .layer(
            JwksLayer::new(ring(Algorithm::EdDSA))
                .rate_limit(5, Duration::from_secs(300))
                .unwrap()
                .clock(clock()),
        )
        .service(service_fn(upstream));
    let mut statuses = Vec::new();
    for _ in 0..10 {
        let request = Request::get("/.wellknown/jwks").body(()).unwrap();
        statuses.push(send(&service, request).await.status().as_u16());
    }
    assert_eq!(statuses, [200, 200, 200, 200, 200, 429, 429, 429, 429, 429]);
}

#[tokio::test]
async fn sign_the_backend_jwt_verifies_with_the_certificate_of_the_signing_key() {
    if !tests::openssl::is_there() {
        return;
    }
    let pem = tests::openssl::rsa(2048);
    let certificate =
        tests::openssl::text("req -x509 -key /dev/stdin -subj /CN=gateway -days 2", &pem);
    let signing = tower_jwks::SigningKey::from_pem(Algorithm::RS256, &pem)
        .and_then(|key| key.with_certificate_pem(&certificate))
        .and_then(tower_jwks::SigningKey::with_certificate_kid)
        .unwrap();
    let kid = signing.kid().to_owned();
    let inside = signing
        .not_after()
        .unwrap()
        .saturating_sub(Duration::from_secs(86_400));
    let clock = tower_jwks::ManualClock::new(inside);
    let verifier = Verifier::builder()
        .issuer(forge::issuer(key(Algorithm::EdDSA)))
        .clock(clock.clone())
        .build()
        .unwrap();
    let service = ServiceBuilder::new()
        .layer(AccessTokenLayer::new(verifier))
        .layer(BackendJwtLayer::new(KeyRing::new(signing)).clock(clock))
        .service(service_fn(upstream));
    let exp = inside.as_secs() + 100;
    let jwt = send(&service, get_with(&signed(&json!({"exp": exp}))))
        .await
        .backend_jwt();
    let public = VerifyingKey::from_pem(Algorithm::RS256, &certificate).unwrap();
    let (signed, signature) = jwt.rsplit_once('.').unwrap();
    assert_eq!(
        public.verify(signed.as_bytes(), &forge::decode(signature)),
        Ok(())
    );
    // base64url of 64 lower-case hex characters, as the documentation's sample has it.
    assert_eq!(header_of(&jwt)["kid"], kid);
    let hex = String::from_utf8(forge::decode(&kid)).unwrap();
    assert!(
        hex.len() == 64
            && hex
                .bytes()
                .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    );
}

// The list drawn from their tests.

#[tokio::test]
async fn point_01_the_header_name_is_configurable_and_compared_without_case() {
    for name in [
        "X-JWT-Assertion",
        "x-jwt-assertion",
        "X-Jwt-ASSERTION",
        "X-Custom",
    ] {
        let policy = Policy::wso2().header(HeaderName::try_from(name).unwrap());
        let gateway = gateway_with(policy, forge::verifier(key(Algorithm::EdDSA)));
        let answer = send(&gateway, get_with(&token())).await;
        assert_eq!(answer.seen(&name.to_lowercase()).len(), 1);
    }
}

#[tokio::test]
async fn point_02_typ_is_jwt_alg_is_rs256_and_the_kid_is_in_the_jwks() {
    let jwt = backend_jwt().await;
    let header = header_of(&jwt);
    assert_eq!(
        (&header["typ"], &header["alg"]),
        (&json!("JWT"), &json!("RS256"))
    );
    verifies(&jwt, &published().await);
}

#[tokio::test]
async fn point_03_exp_less_iat_is_the_ttl() {
    for ttl in [1, 60, 3600] {
        let policy = Policy::wso2().ttl(Duration::from_secs(ttl));
        let gateway = gateway_with(policy, forge::verifier(key(Algorithm::EdDSA)));
        let claims = claims_of(&send(&gateway, get_with(&token())).await.backend_jwt());
        assert_eq!(
            claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap(),
            ttl
        );
    }
}

#[tokio::test]
async fn point_04_the_issuer_is_wso2_org_products_am() {
    assert_eq!(
        claims_of(&backend_jwt().await)["iss"],
        "wso2.org/products/am"
    );
}

#[tokio::test]
async fn point_05_the_dialect_names_the_api_and_its_environment() {
    let claims = claims_of(&backend_jwt().await);
    for (name, value) in [
        ("apiname", "Orders"),
        ("version", "1.0.0"),
        ("apicontext", "/orders/1.0.0"),
        ("keytype", "PRODUCTION"),
    ] {
        assert_eq!(claims[format!("http://wso2.org/claims/{name}")], value);
    }
}

#[tokio::test]
async fn point_06_custom_claims_are_as_typed() {
    let policy = Policy::wso2()
        .custom_claim("claim1", "value1")
        .custom_claim(
            "n",
            CustomClaim::parse(ClaimType::Long, "5000000000").unwrap(),
        )
        .custom_claim("b", CustomClaim::parse(ClaimType::Bool, "false").unwrap());
    let gateway = gateway_with(policy, forge::verifier(key(Algorithm::EdDSA)));
    let claims = claims_of(&send(&gateway, get_with(&token())).await.backend_jwt());
    assert_eq!(claims["claim1"], "value1");
    assert_eq!(claims["n"], 5_000_000_000_u64);
    assert_eq!(claims["b"], false);
}

#[tokio::test]
async fn point_07_incoming_claims_that_are_not_restricted_pass() {
    let token = signed(&json!({"email": "a@b", "roles": ["x"], "address": {"city": "y"}}));
    let claims = claims_of(&send(&gateway(), get_with(&token)).await.backend_jwt());
    assert_eq!(claims["email"], "a@b");
    assert_eq!(claims["roles"], json!(["x"]));
    assert_eq!(claims["address"], json!({"city": "y"}));
    assert_eq!(claims["scope"], "orders:read orders:write");
}

#[tokio::test]
async fn point_08_restricted_claims_do_not_pass() {
    let token = signed(&json!({
        "nbf": 1, "aut": "x", "application": 1, "tierInfo": 1, "subscribedAPIs": 1
    }));
    let claims = claims_of(&send(&gateway(), get_with(&token)).await.backend_jwt());
    for name in [
        "aud",
        "nbf",
        "aut",
        "application",
        "tierInfo",
        "subscribedAPIs",
    ] {
        assert!(claims.get(name).is_none(), "{name}");
    }
    assert_ne!(claims["jti"], "6b0f1f0c");
    assert_eq!(
        claims["sub"], "alice",
        "the gateway says it, it is not copied"
    );
}

#[tokio::test]
async fn point_09_the_same_token_gives_the_same_jwt_while_it_is_fresh() {
    let gateway = gateway();
    let first = send(&gateway, get_with(&token())).await.backend_jwt();
    let again = send(&gateway, get_with(&token())).await.backend_jwt();
    let other = send(&gateway, get_with(&signed(&json!({"sub": "bob"}))))
        .await
        .backend_jwt();
    assert_eq!(first, again);
    assert_ne!(first, other);
}

#[tokio::test]
async fn point_10_a_jwks_entry_has_the_members_of_the_sample_and_no_others() {
    let set = published().await;
    let mut names: Vec<&String> = set["keys"][0].as_object().unwrap().keys().collect();
    names.sort();
    assert_eq!(names, ["alg", "e", "kid", "kty", "n", "use"]);
    assert_eq!(set["keys"][0]["e"], "AQAB");
}

#[tokio::test]
async fn point_11_two_key_pairs_are_two_jwks_entries() {
    let second = new_key(Algorithm::EdDSA);
    let keys = KeyRing::builder(new_key(Algorithm::EdDSA))
        .publish(&second)
        .build()
        .unwrap();
    let set: Value = serde_json::from_str(keys.published().unwrap().json()).unwrap();
    assert_eq!(set["keys"].as_array().unwrap().len(), 2);
    assert_eq!(set["keys"][1]["kid"], second.kid());
}

#[tokio::test]
async fn point_12_no_character_outside_of_base64url_is_in_the_jwt() {
    let token = signed(&json!({"odd": "<<???>> ~~~ ÿÿÿ"}));
    let jwt = send(&gateway(), get_with(&token)).await.backend_jwt();
    let fit = |c: char| c.is_ascii_alphanumeric() || ['-', '_', '.'].contains(&c);
    assert!(jwt.chars().all(fit), "{jwt}");
}

#[tokio::test]
async fn point_13_what_is_invalid_is_401_and_what_lacks_a_scope_is_403() {
    let good = token();
    let ed = key(Algorithm::EdDSA);
    for (request, code) in [
        (get_with("invalid"), "900901"),
        (get_with(&format!("{good}A")), "900901"),
        (get_with(&signed(&json!({"exp": 1, "iat": 0}))), "900903"),
        (
            get_with(&Token::of(ed).header("kid", "456-789").sign()),
            "900901",
        ),
        (
            get_with(&signed(&json!({"iss": "https://unknown.example.com"}))),
            "900901",
        ),
        (get(&[]), "900902"),
    ] {
        let answer = send(&gateway(), request).await;
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
        assert_eq!(answer.json()["code"], code);
    }
    let scoped = ServiceBuilder::new()
        .layer(
            AccessTokenLayer::new(forge::verifier(ed))
                .refusal_format(RefusalFormat::Wso2)
                .require_any_scope(["admin", "owner"])
                .unwrap(),
        )
        .service(service_fn(upstream));
    let answer = send(&scoped, get_with(&good)).await;
    assert_eq!(answer.status(), StatusCode::FORBIDDEN);
    let body = answer.json();
    assert_eq!(body["code"], "900910");
    assert_eq!(
        body["error_description"],
        "User is NOT authorized to access the Resource: /orders. Scope validation failed."
    );
    assert!(
        send(&scoped, get_with(&signed(&json!({"scope": "owner"}))))
            .await
            .status()
            .is_success()
    );
}

#[tokio::test]
async fn point_13_the_token_can_be_in_a_header_of_its_own_with_or_without_bearer() {
    let layer = AccessTokenLayer::new(forge::verifier(key(Algorithm::EdDSA)))
        .header(HeaderName::from_static("testauth"))
        .scheme(Scheme::BearerOrBare);
    let service = ServiceBuilder::new()
        .layer(layer)
        .service(service_fn(upstream));
    let bearer = format!("Bearer {}", token());
    for value in [token(), bearer.clone()] {
        let answer = send(&service, get(&[("testauth", &value)])).await;
        assert!(answer.seen("testauth").is_empty());
    }
    let answer = send(&service, get(&[("authorization", &bearer)])).await;
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn point_14_without_the_policy_there_is_no_header() {
    let service = ServiceBuilder::new()
        .layer(AccessTokenLayer::new(forge::verifier(key(
            Algorithm::EdDSA,
        ))))
        .service(service_fn(async |request: Request<()>| {
            assert!(!request.headers().contains_key("x-jwt-assertion"));
            Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
        }));
    let answer: Answer = send(&service, get_with(&token())).await;
    assert_eq!(answer.status(), StatusCode::OK);
}

#[tokio::test]
async fn point_15_a_mapped_claim_has_its_local_name_and_the_remote_one_is_gone() {
    let issuer = issuer_builder(key(Algorithm::EdDSA)).map_claim("sub", "CUSTOM-CLAIM");
    let gateway = gateway_with(Policy::wso2(), verifier_of(issuer.build().unwrap()));
    let token = signed(&json!({"sub": "admin", "unmapped": "passes"}));
    let claims = claims_of(&send(&gateway, get_with(&token)).await.backend_jwt());
    assert_eq!(claims["CUSTOM-CLAIM"], "admin");
    assert_eq!(claims["unmapped"], "passes");
    assert!(claims.get("sub").is_none());
}

#[tokio::test]
async fn point_16_audiences_are_a_list() {
    let policy = Policy::wso2().audience("a").audience("b");
    let gateway = gateway_with(policy, forge::verifier(key(Algorithm::EdDSA)));
    let claims = claims_of(&send(&gateway, get_with(&token())).await.backend_jwt());
    assert_eq!(claims["aud"], json!(["a", "b"]));
    assert_eq!(
        claims["scope"], "orders:read orders:write",
        "and what is copied stays"
    );
}
