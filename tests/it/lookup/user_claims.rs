//! Claims about the user, from a directory.

use super::*;

/// What the directory says of everyone.
fn directory(claims: Value) -> UserClaimsLayer {
    UserClaimsLayer::new(move |query: UserQuery| {
        assert_eq!((query.issuer(), query.subject()), (forge::ISSUER, "alice"));
        let claims = claims.as_object().unwrap().clone();
        async move {
            claims
                .iter()
                .try_fold(Claims::new(), |all, (name, value)| all.with(name, value))
                .map_err(|error| Refusal::source_unavailable().with_detail(error.to_string()))
        }
    })
}

#[tokio::test]
async fn what_a_directory_says_of_the_user_is_in_the_backend_jwt() {
    let role = format!("{P}role");
    let layer = directory(json!({role.clone(): ["admin", "clerk"], "department": "sales"}));
    let answer = with_claims(layer.clone(), of_shop()).await;
    let claims = claims_of(&answer.backend_jwt());
    assert_eq!(claims[&role], json!(["admin", "clerk"]));
    assert_eq!(claims["department"], "sales");
    // And comes before what the token says.
    let token = signed(&json!({"department": "of the token", "team": "a"}));
    let claims = claims_of(&with_claims(layer, get_with(&token)).await.backend_jwt());
    assert_eq!(
        (&claims["department"], &claims["team"]),
        (&json!("sales"), &json!("a"))
    );
}

#[tokio::test]
async fn a_directory_cannot_say_what_only_the_gateway_says() {
    for name in ["iss", "sub", "exp", &format!("{P}subscriber")] {
        let answer = with_claims(directory(json!({name: "mallory"})), of_shop()).await;
        assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(reason(&answer), RefusalReason::UnusableClaims);
    }
}

#[tokio::test]
async fn two_directories_add_up_unless_they_claim_the_same() {
    let ask = async |second: Value| {
        let service = ServiceBuilder::new()
            .layer(access())
            .layer(directory(json!({"department": "sales"})))
            .layer(directory(second))
            .layer(minting())
            .service(service_fn(upstream));
        send(&service, of_shop()).await
    };
    let claims = claims_of(&ask(json!({"floor": 3})).await.backend_jwt());
    assert_eq!(
        (&claims["department"], &claims["floor"]),
        (&json!("sales"), &json!(3))
    );
    let answer = ask(json!({"department": "law"})).await;
    assert_eq!(reason(&answer), RefusalReason::UnusableClaims);
}

#[tokio::test]
async fn own_claims_and_those_of_a_directory_add_up_unless_they_claim_the_same() {
    let ask = async |name: &'static str| {
        let own = move |_: &tower_backend_jwt::VerifiedToken, _: &http::request::Parts| {
            Ok(Claims::new().with(name, "own").unwrap())
        };
        let service = ServiceBuilder::new()
            .layer(access())
            .layer(directory(json!({"department": "sales"})))
            .layer(minting().claims(own))
            .service(service_fn(upstream));
        send(&service, of_shop()).await
    };
    let claims = claims_of(&ask("floor").await.backend_jwt());
    assert_eq!(
        (&claims["department"], &claims["floor"]),
        (&json!("sales"), &json!("own"))
    );
    assert_eq!(
        reason(&ask("department").await),
        RefusalReason::UnusableClaims
    );
}

#[tokio::test]
async fn a_token_without_a_subject_is_not_asked_about() {
    let layer = UserClaimsLayer::new(|_: UserQuery| async { Err(Refusal::source_unavailable()) });
    let nobody = get_with(&signed(&json!({"sub": null})));
    assert_eq!(
        with_claims(layer.clone(), nobody).await.status(),
        StatusCode::OK
    );
    assert_eq!(
        with_claims(layer.clone(), get(&[])).await.status(),
        StatusCode::OK
    );
    let answer = with_claims(layer, of_shop()).await;
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn the_same_user_is_asked_about_once() {
    let asked = Count::default();
    let counting = asked.clone();
    let layer = UserClaimsLayer::new(move |_: UserQuery| {
        let number = counting.one_more();
        async move { Ok(Claims::new().with("number", number).unwrap()) }
    });
    let service = ServiceBuilder::new()
        .layer(access())
        .layer(layer)
        .layer(minting())
        .service(service_fn(upstream));
    let first = send(&service, of_shop()).await.backend_jwt();
    let again = send(&service, of_shop()).await.backend_jwt();
    // The same answer, and so the same JWT.
    assert_eq!((asked.get(), first), (1, again));
    let bob = get_with(&signed(&json!({"sub": "bob"})));
    assert_eq!(
        claims_of(&send(&service, bob).await.backend_jwt())["number"],
        1
    );
}
