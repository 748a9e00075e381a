//! The assertions of other gateways, verified as their documentation tells a backend to.

use super::*;
use jsonwebtoken::{DecodingKey, Validation, decode, decode_header, jwk::JwkSet};

/// What a backend does: takes the field, finds the key by `kid` in the published set, and checks the
/// signature with one algorithm, `aud`, `iss` and the times.
fn verified(
    answer: &Answer,
    keys: &KeyRing,
    header: &str,
    algorithm: jsonwebtoken::Algorithm,
    issuer: &str,
    audience: Option<&str>,
) -> Value {
    let values = answer.seen(header);
    let [jwt] = values.as_slice() else {
        panic!("one {header}: {values:?}");
    };
    let published = keys.published().unwrap();
    let set: JwkSet = serde_json::from_str(published.json()).unwrap();
    let kid = decode_header(jwt).unwrap().kid.unwrap();
    let key = DecodingKey::from_jwk(set.find(&kid).unwrap()).unwrap();
    let mut validation = Validation::new(algorithm);
    // The tests' time is not today.
    validation.validate_exp = false;
    validation.set_issuer(&[issuer]);
    validation.set_required_spec_claims(&["exp", "iss", "sub"]);
    match audience {
        Some(audience) => validation.set_audience(&[audience]),
        None => validation.validate_aud = false,
    }
    let claims: Value = decode(jwt, &key, &validation).unwrap().claims;
    assert_eq!(claims["iat"], NOW.as_secs());
    claims
}

/// The answer to a request with a token of a user.
async fn with_user(keys: &KeyRing, policy: Policy) -> Answer {
    let layer = BackendJwtLayer::new(keys.clone())
        .clock(clock())
        .api(Api::new("Orders", "1.0.0"))
        .policy(policy)
        .unwrap();
    let token = signed(&json!({
        "email": "alice@example.com",
        "hd": "example.com",
        "country": "NL",
        "groups": ["sales", "all"],
        "name": "Alice",
        "secret_of_the_provider": "not for the backend",
    }));
    ask(layer, get_with(&token)).await
}

fn names(claims: &Value) -> Vec<&str> {
    claims
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect()
}

#[tokio::test]
async fn a_backend_of_googles_iap_takes_ours() {
    const AUDIENCE: &str = "/projects/1/global/backendServices/2";
    let keys = ring(Algorithm::ES256);
    let answer = with_user(&keys, Policy::google_iap(AUDIENCE)).await;
    let claims = verified(
        &answer,
        &keys,
        "x-goog-iap-jwt-assertion",
        jsonwebtoken::Algorithm::ES256,
        "https://cloud.google.com/iap",
        Some(AUDIENCE),
    );
    assert_eq!(
        names(&claims),
        ["aud", "email", "exp", "hd", "iat", "iss", "jti", "sub"]
    );
    assert_eq!(claims["email"], "alice@example.com");
    assert_eq!(claims["hd"], "example.com");
    let life = claims["exp"].as_u64().unwrap() - NOW.as_secs();
    assert_eq!(life, 600, "ten minutes at most, says its documentation");
}

#[tokio::test]
async fn a_backend_of_cloudflare_access_takes_ours() {
    const TEAM: &str = "https://team.cloudflareaccess.com";
    const TAG: &str = "32eafc7626e737873206d25b2cb18c2d";
    let keys = ring(Algorithm::RS256);
    let answer = with_user(&keys, Policy::cloudflare_access(TEAM, TAG)).await;
    let claims = verified(
        &answer,
        &keys,
        "cf-access-jwt-assertion",
        jsonwebtoken::Algorithm::RS256,
        TEAM,
        Some(TAG),
    );
    assert_eq!(
        names(&claims),
        [
            "aud", "country", "email", "exp", "iat", "iss", "jti", "nbf", "sub"
        ]
    );
    assert_eq!(claims["aud"], json!([TAG]), "an array, as it has it");
    assert_eq!(claims["nbf"], NOW.as_secs());
}

#[tokio::test]
async fn a_backend_of_pomerium_takes_ours() {
    const HOST: &str = "orders.example.com";
    let keys = ring(Algorithm::ES256);
    let answer = with_user(&keys, Policy::pomerium(HOST)).await;
    let claims = verified(
        &answer,
        &keys,
        "x-pomerium-jwt-assertion",
        jsonwebtoken::Algorithm::ES256,
        HOST,
        Some(HOST),
    );
    assert_eq!(
        names(&claims),
        [
            "aud", "email", "exp", "groups", "iat", "iss", "jti", "name", "sub"
        ]
    );
    assert_eq!(claims["groups"], json!(["sales", "all"]));
    let life = claims["exp"].as_u64().unwrap() - NOW.as_secs();
    assert_eq!(life, 300);
}

#[tokio::test]
async fn a_backend_of_awss_load_balancer_finds_ours_where_it_looks() {
    const ISSUER: &str = "https://gateway.example.com";
    let keys = ring(Algorithm::ES256);
    let answer = with_user(&keys, Policy::aws_alb(ISSUER)).await;
    let claims = verified(
        &answer,
        &keys,
        "x-amzn-oidc-data",
        jsonwebtoken::Algorithm::ES256,
        ISSUER,
        None,
    );
    assert_eq!(
        names(&claims),
        ["email", "exp", "iat", "iss", "jti", "name", "sub"]
    );
}

#[tokio::test]
async fn a_preset_removes_what_a_caller_puts_in_its_place_and_asks_for_its_algorithm() {
    let presets = || {
        [
            (Policy::google_iap("a"), Algorithm::ES256),
            (Policy::cloudflare_access("t", "a"), Algorithm::RS256),
            (Policy::pomerium("h"), Algorithm::ES256),
            (Policy::aws_alb("i"), Algorithm::ES256),
        ]
    };
    for (policy, algorithm) in presets() {
        let name = policy.header_name().clone();
        let layer = BackendJwtLayer::new(ring(algorithm))
            .policy(policy)
            .unwrap();
        let answer = ask(layer, get(&[(name.as_str(), "forged")])).await;
        assert!(answer.seen(name.as_str()).is_empty(), "{name}");
    }
    for (policy, _) in presets() {
        let error = BackendJwtLayer::new(ring(ALGORITHM))
            .policy(policy)
            .unwrap_err();
        assert_eq!(error.field(), "algorithm");
    }
}

#[tokio::test]
async fn a_policy_without_a_dialect_says_nothing_of_api_and_application() {
    let application = Application::new("1", "app");
    let policy = Policy::default().no_dialect().enduser();
    let mut request = get_with(&signed(&json!({})));
    request.extensions_mut().insert(application);
    let claims = claims_of(&ask(with_policy(policy), request).await.backend_jwt());
    assert!(
        names(&claims).iter().all(|name| !name.contains("wso2")),
        "{claims}"
    );
}
