//! How much an API may ask of the gateway.

use serde_json::json;

use crate::{
    deployer::{Stage, named, refused},
    gateway::{bearer, conf, minting},
};

/// `name` and a number, so many times.
fn list(count: usize, entry: impl Fn(usize) -> String) -> String {
    let entries: Vec<_> = (0..count).map(entry).collect();
    format!("[{}]\n", entries.join(", "))
}

/// Operations that each mint into a header of their own.
fn minted(count: usize, header: &str) -> String {
    list(count, |n| {
        format!(
            "{{target: /t{n}, verb: GET, operationPolicies: {{request: [\
             {{policyName: BackendJwt, parameters: {{header: {header}{n}}}}}]}}}}"
        )
    })
}

fn set(count: usize) -> String {
    list(count, |n| {
        format!("{{policyName: SetHeader, parameters: {{headerName: h{n}, headerValue: x}}}}")
    })
}

fn operations(count: usize, more: &str) -> String {
    list(count, |n| {
        format!("{{target: /t{n}, verb: GET, secured: false{more}}}")
    })
}

fn credentials(count: usize) -> String {
    list(count, |n| {
        format!("{{authType: JWT, enabled: false, headerName: c{n}}}")
    })
}

#[tokio::test]
async fn what_an_api_has_too_much_of_is_refused_by_name() {
    let stage = Stage::empty().await;
    let all = |operations: &str| named(&stage.backend, "a", operations);
    let policies =
        |operations: &str, more: &str| all(operations) + &format!("apiPolicies: {{{more}}}\n");
    let one = operations(1, "");
    let own = format!(", operationPolicies: {{request: {}}}", set(51).trim());
    for (conf, place) in [
        (
            all(&one) + &format!("authentication: {}", credentials(17)),
            "#/authentication",
        ),
        (
            all(&one) + &format!("authentication: {}", credentials(6000)),
            "#/authentication",
        ),
        (
            all(&minted(17, "h")),
            "#/operations/16/operationPolicies/request/0/parameters/header",
        ),
        (all(&operations(1001, "")), "#/operations"),
        (
            policies(&one, &format!("request: {}", set(51))),
            "#/apiPolicies",
        ),
        (
            policies(
                &one,
                &format!("request: {}, response: {}", set(25), set(26)),
            ),
            "#/apiPolicies",
        ),
        (
            all(&operations(1, &own)),
            "#/operations/0/operationPolicies",
        ),
    ] {
        let error = refused(&stage.deploy(&conf).await, 400, 909029);
        let places: Vec<_> = error["moreInfo"].as_object().unwrap().keys().collect();
        assert_eq!(places, [place], "{error}");
        assert!(error.to_string().contains("more than "), "{error}");
    }
    assert_eq!(stage.kept(), []);
}

#[tokio::test]
async fn an_api_that_has_as_much_as_it_may_is_served() {
    let stage = Stage::empty().await;
    let most = operations(1000, "").replacen(
        "secured: false",
        &format!(
            "secured: false, operationPolicies: {{response: {}}}",
            set(50).trim()
        ),
        1,
    );
    let conf = named(&stage.backend, "a", &most)
        + &format!("apiPolicies: {{request: {}}}\n", set(50).trim())
        + &format!("authentication: {}", credentials(16));
    let id = stage.deployed(&conf).await;
    for path in ["/a/1/t0", "/a/1/t999"] {
        let answer = stage.gateway.get(path, &[("c0", "x"), ("C_15", "x")]).await;
        assert_eq!(answer.seen("h49").as_deref(), Some("x"));
        assert_eq!(answer.seen("c0"), None);
        assert_eq!(answer.headers.contains_key("h49"), path == "/a/1/t0");
    }
    // The same header many times is one.
    let many = list(16, |_| {
        "{authType: JWT, enabled: false, headerName: same}".to_owned()
    });
    let conf = named(&stage.backend, "b", &minted(16, "x"))
        + &format!(
            "authentication: {}",
            many.replacen("JWT, enabled: false", "JWT", 1)
        );
    stage
        .deployed(&conf.replace(
            "headerName: same",
            "headerName: same, audience: [test-audience]",
        ))
        .await;
    let token = stage.idp.token(&json!({}));
    let answer = stage
        .gateway
        .get("/b/1/t7", &[("same", &token), ("x8", "forged")])
        .await;
    assert!(answer.seen("x7").is_some());
    assert_eq!(answer.seen("x8"), None);
    assert_eq!(stage.undeploy(&id).await.status, 202);
}

#[tokio::test]
async fn faults_are_found_in_a_conf_that_has_as_much_as_it_may() {
    let stage = Stage::empty().await;
    let wrong = operations(1000, "").replace("verb: GET", "verb: get");
    let conf = named(&stage.backend, "a", &wrong)
        + &format!("apiPolicies: {{request: {}}}\n", set(50).trim());
    let error = refused(&stage.deploy(&conf).await, 400, 909029);
    assert_eq!(error["moreInfo"].as_object().unwrap().len(), 32);
}

#[tokio::test]
async fn the_headers_of_all_apis_together_are_no_more_than_64() {
    let mut stage = Stage::with(|files, backend| {
        files.api(&minting(&conf(backend, "[{target: '/*', verb: GET}]")))
    })
    .await;
    let api = |name: &str, count| named(&stage.backend, name, &minted(count, name));
    // `X-JWT-Assertion` is one, too.
    for (name, count) in [("a", 16), ("b", 16), ("c", 16), ("d", 15)] {
        stage.deployed(&api(name, count)).await;
    }
    let (one_more, known) = (api("e", 1), named(&stage.backend, "f", &minted(16, "a")));
    let error = refused(&stage.deploy(&one_more).await, 409, 909000);
    let place = "#/operations/0/operationPolicies/request/0";
    let why = error["moreInfo"][place].as_str().unwrap();
    assert!(why.contains("more than 64 headers"), "{error}");
    refused(&stage.deploy(&api("d", 16)).await, 409, 909000);
    stage.deployed(&known).await;

    stage.restart();
    let token = bearer(&stage.idp.token(&json!({})));
    let headers = [
        ("Authorization", token.as_str()),
        ("d_14", "x"),
        ("d14", "forged"),
    ];
    let answer = stage.gateway.get("/orders/1.0.0/x", &headers).await;
    assert!(answer.seen("x-jwt-assertion").is_some());
    assert_eq!(answer.seen("d14"), None);
    let answer = stage.gateway.get("/d/1/t14", &headers).await;
    assert_ne!(answer.seen("d14").as_deref(), Some("forged"));
    assert_eq!(stage.list(["served"]).await.len(), 6);
}
