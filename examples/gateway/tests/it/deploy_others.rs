//! What a deployed API does not take from others: their paths, their ids, their names and their headers.

use std::fs;

use serde_json::json;

use crate::{
    deployer::{Stage, named, refused},
    gateway::{Files, bearer, conf, minting},
    idp::Idp,
};

#[tokio::test]
async fn a_deployed_api_takes_no_requests_of_another_one() {
    let mut stage = Stage::with(|files, backend| {
        files.api(&minting(&conf(
            backend,
            "[{target: '/*', verb: GET, scopes: ['orders:admin']}]",
        )))
    })
    .await;
    let at = |name: &str, base_path: &str, version: &str| {
        stage
            .conf("a")
            .replace("name: a", &format!("name: {name}"))
            .replace("basePath: /a", &format!("basePath: {base_path}"))
            .replace("'1'", &format!("'{version}'"))
    };
    let inside = at("evil", "/orders/1.0.0", "admin");
    for conf in [
        &inside,
        &at("evil", "/%6Frders/1.0.0/", "admin"),
        &at("orders", "/orders/1.0.0", "admin"),
        &at("evil", "/orders/1.0.0/admin", "x"),
        // Around the other one, it would answer what that one does not have.
        &(at("evil", "/orders", "2") + "defaultVersion: true\n"),
    ] {
        let error = refused(&stage.deploy(conf).await, 409, 909012);
        let why = error["description"].as_str().unwrap();
        assert!(why.contains("/orders/1.0.0"), "{error}");
    }
    let answer = stage.gateway.get("/orders/1.0.0/admin/x", &[]).await;
    assert_eq!(answer.status, 401);
    // Beside it, and as another version of the same API.
    stage.deployed(&at("b", "/orders", "2")).await;
    stage.deployed(&at("b", "/orders1", "2")).await;
    stage
        .deployed(&(at("orders", "/stock", "2") + "defaultVersion: true\n"))
        .await;
    stage.deployed(&at("orders", "/stock", "3")).await;
    for path in ["/orders1/2/x", "/stock/2/x", "/stock/3/x", "/stock/x"] {
        let answer = stage.gateway.get(path, &[]).await;
        assert_eq!(answer.status, 200, "{path}");
    }

    // What is in the directory is refused as what is deployed.
    fs::write(stage.directory().join("evil.yaml"), inside).unwrap();
    stage.restart();
    let list = stage.list(["id", "served", "error"]).await;
    let broken: Vec<_> = list.iter().filter(|api| api[1] == false).collect();
    let [evil] = &broken[..] else {
        panic!("{list:?}")
    };
    assert_eq!(evil[0], json!("evil"));
    let why = evil[2].as_str().unwrap();
    assert!(why.contains("is inside of `/orders/1.0.0`"), "{why}");
}

#[tokio::test]
async fn an_api_is_not_replaced_by_one_whose_name_and_version_read_the_same_together() {
    let stage = Stage::empty().await;
    let api = |path: &str, name: &str, version: &str| {
        stage
            .conf(path)
            .replace(&format!("name: {path}"), &format!("name: {name}"))
            .replace("'1'", &format!("'{version}'"))
    };
    let (one, two) = (api("x", "a-1", "2"), api("y", "a", "1-2"));
    let id = stage.deployed(&one).await;
    let kept = stage.kept();
    let error = refused(&stage.deploy(&two).await, 409, 909000);
    let why = error["description"].as_str().unwrap();
    assert!(why.contains("`a-1` `2`"), "{error}");
    assert_eq!(stage.kept(), kept);
    assert_eq!(stage.gateway.get("/x/2/t", &[]).await.status, 200);
    assert_eq!(stage.gateway.get("/y/1-2/t", &[]).await.status, 404);

    assert_eq!(stage.deployed(&one).await, id);
    stage.deployed(&(two + "id: other\n")).await;
    let list = stage.list(["name"]).await;
    assert_eq!(list, [[json!("a-1")], [json!("a")]]);
    // Who says the id means the API that has it.
    let renamed = api("z", "b", "1") + &format!("id: {id}\n");
    stage.deployed(&renamed).await;
    assert_eq!(stage.gateway.get("/x/2/t", &[]).await.status, 404);
}

#[tokio::test]
async fn no_author_speaks_in_the_name_of_a_provider() {
    let stage = Stage::empty().await;
    let api = |issuer: &str| {
        named(
            &stage.backend,
            "a",
            "[{target: /open, verb: GET, secured: false}, {target: /closed, verb: GET}]",
        ) + &format!(
            "apiPolicies: {{request: [{{policyName: BackendJwt, parameters: {{minimalAssertion: true, issuer: '{issuer}', \
             audiences: [gateway-admin], customClaims: [{{claim: scope, value: 'apk:api_create'}}]}}}}]}}\n"
        )
    };
    let error = refused(
        &stage.deploy(&api("https://idp.example.com")).await,
        400,
        909029,
    );
    let why = &error["moreInfo"]["#/apiPolicies/request/0/parameters/issuer"];
    assert!(why.as_str().unwrap().contains("access tokens"), "{error}");
    stage.deployed(&api("https://gateway.example.com")).await;
    let token = bearer(&stage.idp.token(&json!({})));
    let answer = stage
        .gateway
        .get("/a/1/closed", &[("Authorization", &token)])
        .await;
    assert_eq!(answer.status, 200);
    let assertion = stage.gateway.get("/a/1/open", &[]).await;
    let assertion = bearer(&assertion.seen("x-jwt-assertion").unwrap());
    let answer = stage
        .gateway
        .get("/a/1/closed", &[("Authorization", &assertion)])
        .await;
    assert_eq!(answer.status, 401);

    // The name that a policy has when it says none.
    let idp = Idp::new();
    let files = Files::new(&idp)
        .api(&minting(&conf(&stage.backend, "[{target: /a, verb: GET}]")))
        .issuers(
            "issuers: [{issuer: wso2.org/products/am, audiences: [a], jwks: {file: jwks.json}}]\n",
        );
    let (code, complaint) = files.check();
    assert_eq!(code, Some(2));
    let place = "apiPolicies.request[0]: parameters.issuer: `wso2.org/products/am`";
    assert!(complaint.contains(place), "{complaint}");
}

#[tokio::test]
async fn a_header_is_for_backend_jwts_as_long_as_an_api_has_them_there() {
    let stage = Stage::empty().await;
    let get = "[{target: '/*', verb: GET}]";
    stage.deployed(&stage.conf("b")).await;
    let minting = |header: &str| {
        named(&stage.backend, "a", get)
            + &format!(
                "apiPolicies: {{request: [{{policyName: BackendJwt, parameters: {{header: {header}}}}}]}}\n"
            )
    };
    let sent = async || {
        let headers = [("X-Tenant", "theirs"), ("Answer-With", "X-Tenant: ours")];
        let answer = stage.gateway.get("/b/1/x", &headers).await;
        (
            answer.seen("x-tenant"),
            answer.headers.contains_key("x-tenant"),
        )
    };
    let passing = (Some("theirs".to_owned()), true);
    assert_eq!(sent().await, passing);
    let id = stage.deployed(&minting("X-Tenant")).await;
    assert_eq!(sent().await, (None, false));
    stage.deployed(&minting("X-Other")).await;
    assert_eq!(sent().await, passing);
    stage.deployed(&minting("X-Tenant")).await;
    assert_eq!(stage.undeploy(&id).await.status, 202);
    assert_eq!(sent().await, passing);

    // Now another API may set it, beside a backend JWT of its own.
    let setting = named(&stage.backend, "c", get)
        + "apiPolicies: {request: [{policyName: SetHeader, parameters: {headerName: X-Tenant, headerValue: t1}}, \
           {policyName: BackendJwt, parameters: {}}]}\n";
    stage.deployed(&setting).await;
    let token = bearer(&stage.idp.token(&json!({})));
    let answer = stage
        .gateway
        .get("/c/1/x", &[("Authorization", &token)])
        .await;
    assert_eq!(answer.seen("x-tenant").as_deref(), Some("t1"));
    assert!(answer.seen("x-jwt-assertion").is_some());
}
