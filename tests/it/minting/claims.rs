//! What the backend JWT claims, and who wins on one name.

use super::*;

#[tokio::test]
async fn the_gateway_says_who_calls_which_api() {
    let jwt = ask(minting(), get_with(&signed(&json!({}))))
        .await
        .backend_jwt();
    let keys = ring(ALGORITHM);
    let kid = keys.signing_key().unwrap().kid().to_owned();
    assert_eq!(
        header_of(&jwt),
        json!({"typ": "JWT", "alg": "EdDSA", "kid": kid})
    );

    let mut claims = claims_of(&jwt);
    let jti = claims["jti"].take();
    let jti = jti.as_str().unwrap();
    assert_eq!(
        (jti.len(), jti.as_bytes()[14]),
        (36, b'4'),
        "a random UUID: {jti}"
    );
    assert_ne!(jti, "6b0f1f0c", "not the access token's");
    let expected = json!({
        "iss": "wso2.org/products/am",
        "sub": "alice",
        "iat": NOW.as_secs(),
        "exp": NOW.as_secs() + 600,
        "jti": null,
        "http://wso2.org/claims/apiname": "Orders",
        "http://wso2.org/claims/version": "1.0.0",
        "http://wso2.org/claims/apicontext": "/shop/orders/1.0.0",
        "http://wso2.org/claims/keytype": "PRODUCTION",
        "http://wso2.org/claims/usertype": "Application_User",
        "http://wso2.org/claims/enduserTenantId": "0",
        "client_id": "shop",
        "scope": "orders:read orders:write",
    });
    assert_eq!(claims, expected);
}

#[tokio::test]
async fn an_application_in_the_extensions_is_named() {
    let application = Application::new("7", "jwtTest2")
        .with_uuid("45101ccb")
        .with_subscriber("5f4a7105")
        .with_tier("Gold")
        .with_application_tier("Unlimited")
        .with_attribute("region", "eu")
        .with_attribute("empty", "");
    let mut request = get_with(&signed(&json!({})));
    request.extensions_mut().insert(application);
    let claims = claims_of(&ask(minting(), request).await.backend_jwt());
    for (name, value) in [
        ("applicationid", json!("7")),
        ("applicationUUId", json!("45101ccb")),
        ("applicationname", json!("jwtTest2")),
        ("subscriber", json!("5f4a7105")),
        ("tier", json!("Gold")),
        ("applicationtier", json!("Unlimited")),
        (
            "applicationAttributes",
            json!({"empty": "", "region": "eu"}),
        ),
    ] {
        assert_eq!(claims[format!("{P}{name}")], value, "{name}");
    }
}

#[tokio::test]
async fn an_access_token_cannot_claim_what_the_gateway_claims() {
    let policy = || Policy::wso2().custom_claim("region", "eu");
    let mut changes = json!({
        "region": "moon", "nbf": 1, "cnf": null, "application": {"id": 1}, "tierInfo": {},
        "subscribedAPIs": [], "aut": "x", "org": {"deep": [1, {"a": 1.50}]},
        "http://wso2.org/claims/role": "kept",
    });
    for name in [
        "subscriber",
        "tier",
        "enduser",
        "apiname",
        "applicationid",
        "usertype",
    ] {
        changes[format!("{P}{name}")] = json!("forged");
    }
    let claims = minted(with_policy(policy()), changes).await;
    assert_eq!(claims["region"], "eu");
    assert_eq!(claims[format!("{P}apiname")], "Orders");
    assert_eq!(claims[format!("{P}usertype")], "Application_User");
    for name in ["subscriber", "tier", "enduser", "applicationid"] {
        assert!(claims.get(format!("{P}{name}")).is_none(), "{name}");
    }
    for name in [
        "aud",
        "nbf",
        "application",
        "tierInfo",
        "subscribedAPIs",
        "aut",
    ] {
        assert!(claims.get(name).is_none(), "{name}");
    }
    assert_eq!(claims["org"], json!({"deep": [1, {"a": 1.5}]}));
    assert_eq!(claims["http://wso2.org/claims/role"], "kept");
    assert!(!claims.to_string().contains("forged"));
}

/// Parsers that go by no case take the last one, and copied claims stand behind the gateway's.
#[tokio::test]
async fn nor_in_another_case() {
    let own = |_: &VerifiedToken, _: &Parts| Ok(Claims::new().with("idp", "ours")?);
    let policy = Policy::wso2().custom_claim("region", "eu");
    let layer = || with_policy(policy.clone()).claims(own);
    let usual = minted(layer(), json!({})).await;
    let mut changes = json!({});
    for name in [
        "Sub",
        "EXP",
        "Iss",
        "\u{17f}ub",
        "Region",
        "IDP",
        "TierInfo",
        "Cnf",
        "http://WSO2.org/claims/Subscriber",
        "http://wso2.org/claims/APINAME",
    ] {
        changes[name] = json!("forged");
    }
    let claims = minted(layer(), changes).await;
    let names = |claims: &Value| {
        claims
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect::<Vec<_>>()
    };
    assert_eq!(names(&claims), names(&usual));
    assert!(!claims.to_string().contains("forged"));
    let minimal = with_policy(Policy::wso2().minimal_assertion());
    let claims = minted(minimal, json!({"Auth_Type": "none"})).await;
    assert!(!claims.to_string().contains("Auth_Type"));
}

#[tokio::test]
async fn claims_are_copied_as_they_were_written() {
    let text = forge::claims().to_string();
    let odd = r#""n":1.50,"big":123456789012345678901234567890,"e":1e2,"s":"\u0041\/","o":{"b":1,"a":[]}"#;
    let text = format!("{},{odd}}}", text.trim_end_matches('}'));
    let token = forge::Token::of(key(ALGORITHM)).claims_text(text).sign();
    let jwt = ask(with_policy(Policy::wso2()), get_with(&token))
        .await
        .backend_jwt();
    let claims = String::from_utf8(forge::decode(jwt.split('.').nth(1).unwrap())).unwrap();
    assert!(claims.ends_with(&format!("{odd}}}")), "{claims}");
}

#[tokio::test]
async fn what_is_copied_is_chosen() {
    let changes = || json!({"email": "a@example.com", "secret": "s", "nothing": null});
    let names = async |copied| {
        let claims = minted(
            with_policy(Policy::default().copied_claims(copied)),
            changes(),
        )
        .await;
        ["client_id", "scope", "email", "secret"].map(|name| claims.get(name).is_some())
    };
    assert_eq!(names(CopiedClaims::none()).await, [false; 4]);
    assert_eq!(
        names(CopiedClaims::listed(["email", "absent"])).await,
        [false, false, true, false]
    );
    assert_eq!(names(CopiedClaims::all()).await, [true; 4]);
    assert_eq!(
        names(CopiedClaims::all_but(["secret"])).await,
        [true, true, true, false]
    );
    let claims = minted(minting(), changes()).await;
    assert!(claims.get("email").is_some() && claims.get("secret").is_none());
}

#[tokio::test]
async fn configured_claims_have_their_types() {
    let policy = Policy::default()
        .custom_claim("s", "text")
        .custom_claim("i", -7)
        .custom_claim("l", i64::MAX)
        .custom_claim("f", CustomClaim::try_from(1.5).unwrap())
        .custom_claim("b", true)
        .custom_claim(
            "d",
            CustomClaim::parse(ClaimType::Date, "2026-01-31").unwrap(),
        );
    let claims = minted(with_policy(policy), json!({})).await;
    for (name, value) in [
        ("s", json!("text")),
        ("i", json!(-7)),
        ("l", json!(i64::MAX)),
        ("f", json!(1.5)),
        ("b", json!(true)),
        ("d", json!("2026-01-31")),
    ] {
        assert_eq!(claims[name], value);
    }
}

#[tokio::test]
async fn the_users_own_claims_are_added_and_overwrite_nothing() {
    let layer = minting().claims(|token: &VerifiedToken, request: &Parts| {
        let claims = Claims::new()
            .with("who", token.subject())
            .and_then(|claims| claims.with("path", request.uri.path()))
            .and_then(|claims| claims.with("scope", ["narrowed"]));
        claims.map_err(|error| Refusal::forbidden().with_detail(error.to_string()))
    });
    let claims = minted(layer, json!({})).await;
    assert_eq!(claims["who"], "alice");
    assert_eq!(claims["path"], "/orders");
    assert_eq!(
        claims["scope"],
        json!(["narrowed"]),
        "it wins over the copied one"
    );

    for name in ["exp", "iss", "http://wso2.org/claims/tier", "region"] {
        let layer = with_policy(Policy::default().custom_claim("region", "eu"))
            .claims(move |_: &VerifiedToken, _: &Parts| Ok(Claims::new().with(name, 1).unwrap()));
        let answer = ask(layer, get_with(&signed(&json!({})))).await;
        assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR, "{name}");
        let refusal = answer.head.extensions.get::<Refusal>().unwrap();
        assert_eq!(refusal.reason(), RefusalReason::UnusableClaims);
        assert!(refusal.to_string().contains(name));
    }
    let layer =
        minting().claims(|_: &VerifiedToken, _: &Parts| Err::<Claims, _>(Refusal::forbidden()));
    assert_eq!(
        ask(layer, get_with(&signed(&json!({})))).await.status(),
        StatusCode::FORBIDDEN
    );
    assert!(Claims::new().with("a", 1).unwrap().with("a", 2).is_err());
}
