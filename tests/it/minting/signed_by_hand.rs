//! What a prepared policy signs for who has no request, and what the layer hands out: they are the same.

use super::*;
use tests::{capture::assert_without, echo::Echo};
use tower::Layer;
use tower_backend_jwt::{PolicySet, PreparedPolicy};

const NAME: &str = "orders";

fn set(policy: Policy) -> (PolicySet, PreparedPolicy) {
    let policies = PolicySet::builder(ring(ALGORITHM)).clock(clock()).build();
    let api = Api::new("Orders", "1.0.0").base_path("/shop/orders");
    policies.set(NAME, policy, api).unwrap();
    let prepared = policies.get(NAME).unwrap();
    (policies, prepared)
}

fn verified(changes: &Value) -> VerifiedToken {
    let verifier = forge::verifier(key(ALGORITHM));
    verifier.verify(&signed(changes)).unwrap()
}

fn sign(
    policy: &PreparedPolicy,
    token: &VerifiedToken,
    application: Option<&Application>,
    claims: &Claims,
) -> Result<String, RefusalReason> {
    let jwt = policy.sign(token, application, claims);
    let jwt = jwt.map_err(|refusal| refusal.reason())?;
    assert!(jwt.is_sensitive());
    Ok(jwt.to_str().unwrap().to_owned())
}

#[tokio::test]
async fn it_is_what_the_layer_hands_out_but_for_its_times_and_its_id() {
    let policy = Policy::default()
        .audience("backend")
        .ttl(Duration::from_secs(120))
        .custom_claim("region", "eu")
        .copied_claims(CopiedClaims::listed(["scope", "client_id"]));
    let (policies, prepared) = set(policy);
    let token = verified(&json!({"exp": NOW.as_secs() + 3600}));
    let application = Application::new("7", "Shop");
    let claims = Claims::new().with("tenant", "acme").unwrap();
    for (application, claims) in [
        (None, Claims::new()),
        (Some(&application), Claims::new()),
        (Some(&application), claims),
    ] {
        let jwt = sign(&prepared, &token, application, &claims).unwrap();
        let echo = Echo::new();
        let layer = BackendJwtLayer::from_policies(policies.clone(), prepared.clone());
        let mut request = get(&[]);
        request.extensions_mut().insert(token.clone());
        request.extensions_mut().insert(claims);
        if let Some(application) = application {
            request.extensions_mut().insert(application.clone());
        }
        send(&layer.layer(echo.clone()), request).await;
        let handed_out = echo.field("x-jwt-assertion").unwrap();

        assert_eq!(header_of(&jwt), header_of(&handed_out));
        let (mut one, mut other) = (claims_of(&jwt), claims_of(&handed_out));
        assert_eq!(one["exp"], NOW.as_secs() + 120);
        for name in ["iat", "exp", "jti"] {
            let [one, other] = [&mut one, &mut other].map(|claims| {
                let claims = claims.as_object_mut().unwrap();
                claims.remove(name).unwrap()
            });
            assert_eq!(one == other, name != "jti", "{name}");
        }
        assert_eq!(one, other);
        assert_eq!(one["region"], "eu");
    }
}

#[test]
fn it_is_signed_anew_each_time_and_kept_nowhere() {
    let (policies, prepared) = set(Policy::default());
    let token = verified(&json!({}));
    let sign = || sign(&prepared, &token, None, &Claims::new()).unwrap();
    assert_ne!(sign(), sign());
    let status = policies.cache_status().unwrap();
    assert_eq!((status.entries, status.misses), (0, 0));
}

#[test]
fn what_the_layer_refuses_is_refused_here_as_well() {
    let (_, prepared) = set(Policy::default().issuer(forge::ISSUER));
    let token = verified(&json!({}));
    let none = Claims::new();
    let refused = sign(&prepared, &token, None, &none).unwrap_err();
    assert_eq!(refused, RefusalReason::SelfIssued);

    // Within its leeway a token is valid, and not minted from.
    let (_, prepared) = set(Policy::default());
    let ended = verified(&json!({"exp": NOW.as_secs(), "iat": null}));
    let refused = sign(&prepared, &ended, None, &none).unwrap_err();
    assert_eq!(refused, RefusalReason::Expired);

    let (_, prepared) = set(Policy::default().max_bytes(300));
    let refused = sign(&prepared, &token, None, &none).unwrap_err();
    assert_eq!(refused, RefusalReason::BackendJwtTooLong);
}

#[test]
fn a_prepared_policy_signs_as_it_was_prepared_when_the_set_has_another() {
    let (policies, prepared) = set(Policy::default().audience("before"));
    let api = Api::new("Orders", "2.0.0");
    policies
        .set(NAME, Policy::default().audience("after"), api)
        .unwrap();
    let token = verified(&json!({}));
    let audience = |policy: &PreparedPolicy| {
        let jwt = sign(policy, &token, None, &Claims::new()).unwrap();
        claims_of(&jwt)["aud"].clone()
    };
    assert_eq!(audience(&prepared), "before");
    assert_eq!(audience(&policies.get(NAME).unwrap()), "after");
    let shown = format!("{prepared:?} {policies:?}");
    assert_without(&shown, [signed(&json!({}))]);
}
