//! Whose application is subscribed to an API, where the API asks for it.

use serde_json::json;

use crate::{
    backend::Backend,
    deployer::{SETTINGS, Stage, claims, named, refused},
    gateway::{Files, bearer, conf, conf_for, minting},
    idp::{ISSUER, Idp},
};

const OPERATIONS: &str =
    "[{target: '/test', verb: GET}, {target: '/open', verb: GET, secured: false}]";

const REQUIRED: &str = "subscriptionValidation: true\n";

/// Applications by their clients: each has one subscription.
fn applications() -> String {
    let application = |(client, subscription): (&str, &str)| {
        format!(
            "  - {{name: {client}, uuid: {client}, clients: [{{issuer: '{ISSUER}', clientId: {client}}}],
     subscriptions: [{subscription}]}}\n"
        )
    };
    let all = [
        ("active", "{api: orders, version: 1.0.0, tier: Gold}"),
        (
            "blocked",
            "{api: orders, version: 1.0.0, tier: Gold, status: blocked}",
        ),
        (
            "both",
            "{api: orders, version: 1.0.0}, {api: orders, version: 2.0.0, status: blocked}",
        ),
        ("version", "{api: orders, version: 1.0.1}"),
        ("other", "{api: Orders, version: 1.0.0}"),
        ("none", ""),
    ];
    "applications:\n".to_owned() + &all.map(application).concat()
}

fn files(idp: &Idp, more: &str) -> Files {
    let files = Files::new(idp).more(&format!("applications: applications.yaml\n{more}"));
    files.write("applications.yaml", &applications());
    files
}

#[tokio::test]
async fn who_has_an_active_subscription_gets_through_and_nobody_else() {
    let backend = Backend::start().await;
    let idp = Idp::new();
    let api = minting(&conf(&backend, OPERATIONS)) + REQUIRED;
    let gateway = files(&idp, "")
        .api(&api)
        .api(&api.replace("version: 1.0.0", "version: 2.0.0"))
        .start();
    for (client, version, refusal) in [
        ("active", "1.0.0", None),
        ("both", "1.0.0", None),
        ("blocked", "1.0.0", Some("900907")),
        ("both", "2.0.0", Some("900907")),
        ("active", "2.0.0", Some("900908")),
        ("version", "1.0.0", Some("900908")),
        ("other", "1.0.0", Some("900908")),
        ("none", "1.0.0", Some("900908")),
        ("stranger", "1.0.0", Some("900908")),
    ] {
        let token = bearer(&idp.token(&json!({ "azp": client })));
        let path = format!("/orders/{version}/test");
        let answer = gateway.get(&path, &[("Authorization", &token)]).await;
        match refusal {
            None => {
                let name = "http://wso2.org/claims/applicationname";
                assert_eq!(claims(&answer)[name], client);
            }
            Some(code) => {
                assert_eq!(answer.status, 403, "{client} {version}");
                assert_eq!(answer.json()["code"], code, "{client} {version}");
            }
        }
    }
}

#[tokio::test]
async fn a_subscription_is_not_asked_for_where_no_token_is_and_stands_in_for_none() {
    let backend = Backend::start().await;
    let idp = Idp::new();
    let scoped = "[{target: '/test', verb: GET}, {target: '/open', verb: GET, secured: false},
      {target: '/scoped', verb: GET, scopes: [a]}]";
    let gateway = files(&idp, "")
        .api(&(conf(&backend, scoped) + REQUIRED))
        .start();
    let ask = async |path: &str, headers: &[(&str, &str)]| {
        let path = format!("/orders/1.0.0/{path}");
        gateway.get(&path, headers).await.status.as_u16()
    };
    let blocked = bearer(&idp.token(&json!({ "azp": "blocked" })));
    let active = bearer(&idp.token(&json!({ "azp": "active" })));
    assert_eq!(ask("open", &[]).await, 200);
    assert_eq!(ask("open", &[("Authorization", &blocked)]).await, 200);
    assert_eq!(ask("test", &[]).await, 401);
    assert_eq!(ask("test", &[("Authorization", &active)]).await, 200);
    assert_eq!(ask("scoped", &[("Authorization", &active)]).await, 403);
}

#[tokio::test]
async fn an_api_that_does_not_ask_for_a_subscription_takes_a_blocked_one() {
    let backend = Backend::start().await;
    let idp = Idp::new();
    let api = minting(&conf(&backend, OPERATIONS));
    let gateway = files(&idp, "").api(&api).start();
    let token = bearer(&idp.token(&json!({ "azp": "blocked" })));
    let answer = gateway
        .get("/orders/1.0.0/test", &[("Authorization", &token)])
        .await;
    assert_eq!(claims(&answer)["http://wso2.org/claims/tier"], "Gold");
}

#[test]
fn a_subscription_that_cannot_be_asked_for_is_refused_by_name() {
    let idp = Idp::new();
    let api = conf_for("http://127.0.0.1:9", OPERATIONS) + REQUIRED;
    let with = |authentication: &str| format!("{api}authentication: [{authentication}]\n");
    let optional = "{authType: OAuth2, required: optional}";
    let disabled = "{authType: OAuth2, enabled: false}";
    let place = "api-0.yaml: subscriptionValidation: ";
    for (files, expected) in [
        (
            Files::new(&idp).api(&api),
            "needs `applications` in the gateway's settings",
        ),
        (
            files(&idp, "").api(&with(optional)),
            "who comes without an access token has no application",
        ),
        (
            files(&idp, "").api(&with(disabled)),
            "who comes without an access token has no application",
        ),
    ] {
        let (code, complaint) = files.check();
        assert_eq!(code, Some(2), "{complaint}");
        let expected = format!("{place}{expected}");
        assert!(complaint.contains(&expected), "{complaint}\n{expected}");
    }
    // With one kind of token that has to be there, the other one is an alternative.
    let alternative = format!("{optional}, {{authType: JWT, headerName: X-Token, audience: [a]}}");
    let (code, complaint) = files(&idp, "").api(&with(&alternative)).check();
    assert_eq!(code, Some(0), "{complaint}");
}

#[tokio::test]
async fn a_deploy_that_asks_for_what_is_not_known_is_refused_by_name() {
    let stage = Stage::empty().await;
    let api = named(&stage.backend, "orders", "[{target: '/*', verb: GET}]") + REQUIRED;
    let error = refused(&stage.deploy(&api).await, 400, 909029);
    assert_eq!(
        error["moreInfo"],
        json!({ "#/subscriptionValidation": "needs `applications` in the gateway's settings" })
    );
    let optional = api.clone() + "authentication: [{authType: OAuth2, required: optional}]\n";
    let error = refused(&stage.deploy(&optional).await, 400, 909029);
    let why = error["moreInfo"]["#/subscriptionValidation"].as_str();
    assert!(why.unwrap().contains("has no application"), "{error}");
    assert_eq!(stage.kept(), []);
}

#[tokio::test]
async fn a_deployed_api_asks_for_subscriptions_at_once() {
    let stage = Stage::with(|files, _| {
        files.write(
            "applications.yaml",
            &applications().replace("version: 1.0.0", "version: '1'"),
        );
        files.more(&format!("{SETTINGS}applications: applications.yaml\n"))
    })
    .await;
    let api = named(&stage.backend, "orders", "[{target: '/*', verb: GET}]");
    let ask = async |client: &str| {
        let token = bearer(&stage.idp.token(&json!({ "azp": client })));
        let answer = stage
            .gateway
            .get("/orders/1/test", &[("Authorization", &token)])
            .await;
        answer.status.as_u16()
    };
    stage.deployed(&api).await;
    assert_eq!((ask("active").await, ask("none").await), (200, 200));
    stage.deployed(&(api + REQUIRED)).await;
    assert_eq!((ask("active").await, ask("none").await), (200, 403));
}
