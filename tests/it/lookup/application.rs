//! Who is subscribed, and what is said of the application.

use super::*;

fn applications() -> ApplicationLayer {
    ApplicationLayer::new(|query: ApplicationQuery| async move {
        assert_eq!(query.issuer(), forge::ISSUER);
        let api = query.api().and_then(Api::context).map(str::to_owned);
        Ok(match query.client_id() {
            "shop" if api.as_deref() == Some("/orders/1") => {
                Some(shop().subscription(Subscription::Active))
            }
            "shop" => Some(shop()),
            "late" => Some(shop().subscription(Subscription::Blocked)),
            _ => None,
        })
    })
}

fn orders() -> Api {
    Api::new("Orders", "1").base_path("/orders")
}

fn of(client: &str) -> Request<()> {
    get_with(&signed(&json!({"client_id": client})))
}

#[tokio::test]
async fn the_backend_jwt_says_what_the_source_knows_of_the_application() {
    let answer = with_applications(applications(), of_shop()).await;
    let claims = claims_of(&answer.backend_jwt());
    for (name, value) in [
        ("applicationid", "7"),
        ("applicationUUId", "7"),
        ("applicationname", "Web shop"),
        ("tier", "Gold"),
    ] {
        assert_eq!(claims[format!("{P}{name}")], value);
    }
}

#[tokio::test]
async fn a_caller_whose_application_is_not_known_goes_on_unless_a_subscription_is_required() {
    let answer = with_applications(applications(), of("stranger")).await;
    let claims = claims_of(&answer.backend_jwt());
    assert_eq!(claims.get(format!("{P}applicationid")), None);

    let required = applications().api(orders()).require_subscription();
    let answer = with_applications(required.clone(), of_shop()).await;
    assert_eq!(answer.status(), StatusCode::OK);
    for (client, expected) in [
        ("stranger", RefusalReason::NotSubscribed),
        ("late", RefusalReason::SubscriptionBlocked),
    ] {
        let answer = with_applications(required.clone(), of(client)).await;
        assert_eq!(answer.status(), StatusCode::FORBIDDEN);
        assert_eq!(reason(&answer), expected);
    }
    let no_client = get_with(&signed(&json!({"client_id": null, "azp": null})));
    let answer = with_applications(required, no_client).await;
    assert_eq!(reason(&answer), RefusalReason::NotSubscribed);
}

#[tokio::test]
async fn a_subscription_to_one_api_is_none_to_another() {
    let layer = applications().require_subscription();
    let answer = with_applications(layer.clone().api(Api::new("Stock", "1")), of_shop()).await;
    assert_eq!(reason(&answer), RefusalReason::NotSubscribed);

    // What is known of the one is not taken for the other, though both share what they know.
    let answer = with_applications(layer.clone().api(orders()), of_shop()).await;
    assert_eq!(answer.status(), StatusCode::OK);
    let answer = with_applications(layer.clone().api(Api::new("Stock", "1")), of_shop()).await;
    assert_eq!(reason(&answer), RefusalReason::NotSubscribed);

    // The API that routing found comes before the layer's.
    let mut request = of_shop();
    request.extensions_mut().insert(orders());
    let answer = with_applications(layer.api(Api::new("Stock", "1")), request).await;
    assert_eq!(answer.status(), StatusCode::OK);
}

#[tokio::test]
async fn the_refusals_have_wso2s_codes_in_wso2s_format() {
    let layer = applications()
        .api(orders())
        .require_subscription()
        .refusal_format(RefusalFormat::Wso2);
    for (client, code, message) in [
        ("stranger", "900908", "Resource forbidden"),
        ("late", "900907", "The requested API is temporarily blocked"),
    ] {
        let answer = with_applications(layer.clone(), of(client)).await;
        assert_eq!(answer.status(), StatusCode::FORBIDDEN);
        assert_eq!(answer.json()["code"], code);
        assert_eq!(answer.json()["error_message"], message);
    }
}

#[tokio::test]
async fn an_application_that_was_there_before_does_not_count() {
    let mut request = of("stranger");
    let forged = shop().subscription(Subscription::Active);
    request.extensions_mut().insert(forged);
    let answer = with_applications(applications().require_subscription(), request).await;
    assert_eq!(reason(&answer), RefusalReason::NotSubscribed);
}

#[tokio::test]
async fn a_request_without_a_token_goes_by_unasked_if_that_is_on_purpose() {
    let asked = Count::default();
    let counting = asked.clone();
    let layer = ApplicationLayer::new(move |_: ApplicationQuery| {
        counting.one_more();
        async { Ok(None) }
    });
    let answer = with_applications(layer.clone(), get(&[])).await;
    assert_eq!(answer.status(), StatusCode::OK);

    // Who has checked an API key knows the application already. Without a token or one of those nobody has
    // a subscription.
    let layer = layer.require_subscription();
    let answer = with_applications(layer.clone(), get(&[])).await;
    assert_eq!(reason(&answer), RefusalReason::NotSubscribed);
    let service = ServiceBuilder::new()
        .layer(layer)
        .service(service_fn(upstream));
    for (state, status) in [(Subscription::Active, 200), (Subscription::Blocked, 403)] {
        let mut request = get(&[]);
        request.extensions_mut().insert(AuthType::API_KEY);
        request.extensions_mut().insert(shop().subscription(state));
        assert_eq!(send(&service, request).await.status(), status);
    }
    assert_eq!(asked.get(), 0);

    let answer = send(&service, get(&[])).await;
    assert_eq!(reason(&answer), RefusalReason::MissingAccessTokenLayer);
}
