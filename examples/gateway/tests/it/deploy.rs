//! The calls that APIs are deployed with, and what is answered.

use bytes::Bytes;
use serde_json::json;

use crate::{
    deployer::{
        ADMIN_AUDIENCE, DEPLOY, FORM, SETTINGS, Stage, admin_token, call, form, named, refused,
    },
    gateway::{Files, bearer, conf, minting},
    idp::{AUDIENCE, Idp},
};

#[tokio::test]
async fn an_api_is_served_from_its_deployment_to_its_undeployment() {
    let stage = Stage::empty().await;
    assert_eq!(stage.get("a").await.status, 404);

    let answer = stage.deploy(&stage.conf("a")).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.headers["content-type"], "application/yaml");
    let echo = String::from_utf8(answer.body.to_vec()).unwrap();
    // The hash of `default-a-1`.
    let id = "b18df2268fe09adebe74cf037fb3536ccdbad558";
    let endpoint = format!("http://{}/base", stage.backend.address);
    assert_eq!(
        echo,
        format!(
            "id: '{id}'\nname: 'a'\nbasePath: '/a'\nversion: '1'\ntype: 'REST'\n\
             endpointConfigurations:\n  production:\n    endpoint: '{endpoint}'\n\
             operations:\n- target: '/*'\n  verb: 'GET'\n  secured: false\n"
        )
    );
    assert_eq!(stage.get("a").await.json()["target"], "/base/test");
    assert_eq!(
        stage.read("/apis").await.json(),
        json!([{
            "id": id, "name": "a", "version": "1", "basePath": "/a", "context": "/a/1",
            "deployed": true, "served": true,
        }])
    );
    let read = stage.read(&format!("/apis/{id}")).await;
    assert_eq!(read.headers["content-type"], "application/yaml");
    assert_eq!(read.body, echo);

    let answer = stage.undeploy(id).await;
    assert_eq!(answer.status, 202);
    assert_eq!(
        answer.json(),
        json!({ "status": format!("API with id {id} undeployed successfully") })
    );
    assert_eq!(stage.get("a").await.status, 404);
    assert_eq!(stage.read("/apis").await.json(), json!([]));
    let error = refused(&stage.undeploy(id).await, 404, 909001);
    assert_eq!(error["message"], format!("{id} not found"));
}

#[tokio::test]
async fn what_is_echoed_is_the_same_api_deployed_again() {
    let stage = Stage::empty().await;
    let sent = stage.conf("a");
    let echo = stage.deploy(&sent).await.body;
    let again = stage.deploy(str::from_utf8(&echo).unwrap()).await;
    assert_eq!(again.body, echo);
    assert_eq!(stage.list(["name"]).await.len(), 1);
    assert_eq!(stage.get("a").await.status, 200);
}

#[tokio::test]
async fn a_conf_may_be_json_and_the_calls_without_a_version() {
    let stage = Stage::empty().await;
    let conf = json!({
        "id": "my.API-1", "name": "a", "basePath": "/a", "version": "1", "defaultVersion": true,
        "endpointConfigurations": { "production": { "endpoint": format!("http://{}/base", stage.backend.address) } },
        "operations": [{ "target": "/test", "verb": "GET", "secured": false }],
    })
    .to_string();
    let definition = b"{\"openapi\": \"3.1.0\"}\xff\r\n--betwee";
    let parts = [
        ("definitionFile", &definition[..]),
        ("apkConfiguration", conf.as_bytes()),
    ];
    let answer = stage.post("/api/deployer/apis/deploy", &parts).await;
    assert!(answer.body.starts_with(b"id: 'my.API-1'\n"), "{answer:?}");
    assert_eq!(stage.gateway.get("/a/test", &[]).await.status, 200);

    let read = stage.read("/apis/my.API-1/definition").await;
    assert_eq!(read.status, 200);
    assert_eq!(read.body, definition[..]);
    assert_eq!(read.headers["content-type"], "application/json");
    let path = "/api/deployer/apis/my.API-1";
    let head = stage.call("HEAD", path, "", Bytes::new()).await;
    assert_eq!((head.status.as_u16(), head.body.len()), (200, 0));
    let path = "/api/deployer/apis/undeploy?apiId=my.API-1";
    let answer = stage.call("POST", path, "", Bytes::new()).await;
    assert_eq!(answer.status, 202);
}

#[tokio::test]
async fn only_who_has_a_token_for_it_may_deploy_or_look() {
    let stage = Stage::empty().await;
    let idp = &stage.idp;
    let token =
        |audience: &str, scope: &str| idp.token(&json!({ "aud": audience, "scope": scope }));
    let parts = form(&[("apkConfiguration", stage.conf("a").as_bytes())]);
    for (token, status, code) in [
        (String::new(), 401, "900902"),
        ("x".to_owned(), 401, "900901"),
        (admin_token(&Idp::new()), 401, "900901"),
        (token(AUDIENCE, "apk:api_create"), 401, "900901"),
        (token(ADMIN_AUDIENCE, "apk:api_creat"), 403, "900910"),
        (token(ADMIN_AUDIENCE, ""), 403, "900910"),
    ] {
        for (method, path) in [
            ("POST", DEPLOY),
            ("POST", "/api/deployer/apis/undeploy?apiId=a"),
            ("GET", "/api/deployer/apis"),
            ("GET", "/api/deployer/apis/a"),
            ("GET", "/api/deployer/nothing"),
            ("DELETE", "/api/deployer"),
        ] {
            let answer = call(&stage.gateway, &token, (method, path), FORM, parts.clone()).await;
            assert_eq!(answer.status, status, "{method} {path}");
            assert_eq!(answer.json()["code"], code, "{method} {path}");
            assert!(answer.headers.contains_key("www-authenticate"));
        }
    }
    assert_eq!(stage.kept(), []);
    assert_eq!(stage.read("/apis").await.json(), json!([]));
    // How the gateway is, is told to everyone.
    for path in ["/healthz", "/readyz", "/issuers", "/applications"] {
        assert_eq!(stage.gateway.ask("GET", path).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn who_may_not_deploy_is_told_before_anything_is_sent() {
    let stage = Stage::empty().await;
    let answer = stage
        .gateway
        .raw_admin(&format!(
            "POST {DEPLOY} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: {FORM}\r\n\
             Content-Length: 1000\r\nExpect: 100-continue\r\n\r\n"
        ))
        .await;
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
}

#[tokio::test]
async fn all_that_is_wrong_with_a_conf_is_said_at_once() {
    let stage = Stage::empty().await;
    let conf = stage.conf("a").replace("verb: GET", "verb: get")
        + "corsConfiguration: {corsConfigurationEnabled: 'x'}\nextra: 1\n";
    let error = refused(&stage.deploy(&conf).await, 400, 909029);
    assert_eq!(error["message"], "Invalid apk-conf provided");
    assert_eq!(error["description"], "Invalid apk-conf provided");
    assert_eq!(
        error["moreInfo"]["#/operations/0/verb"],
        "`get`: not implemented by this gateway"
    );
    let places: Vec<_> = error["moreInfo"].as_object().unwrap().keys().collect();
    assert_eq!(
        places,
        ["#/corsConfiguration", "#/extra", "#/operations/0/verb"]
    );

    assert_eq!(stage.kept(), []);
}

#[tokio::test]
async fn what_is_found_when_the_layers_are_made_is_said_with_its_place() {
    let stage = Stage::empty().await;
    let operations = |operations: &str| named(&stage.backend, "a", operations);
    let get = "[{target: /a, verb: GET}]";
    for (conf, place) in [
        (
            operations(get)
                + "apiPolicies: {request: [{policyName: BackendJwt, parameters: {signingAlgorithm: ES384}}]}\n",
            "#/apiPolicies/request/0/parameters/signingAlgorithm",
        ),
        (
            operations("[{target: '/{x}', verb: GET}, {target: '/{y}', verb: GET}]"),
            "#/operations/1",
        ),
        (
            operations("[{target: /b, verb: GET, scopes: ['\"']}]"),
            "#/operations/0/scopes",
        ),
        // What it asks of the issuers, whose settings are elsewhere.
        (
            operations(get)
                + "authentication: [{authType: JWT, headerName: X-Who, audience: ['']}]\n",
            "#/authentication",
        ),
    ] {
        let error = refused(&stage.deploy(&conf).await, 400, 909029);
        let places: Vec<_> = error["moreInfo"].as_object().unwrap().keys().collect();
        assert_eq!(places, [place], "{error}");
    }
    assert_eq!(stage.kept(), []);
}

#[tokio::test]
async fn a_request_that_is_no_deployment_is_refused_by_what_it_lacks() {
    let stage = Stage::empty().await;
    let conf = stage.conf("a");
    let apk = ("apkConfiguration", conf.as_bytes());

    let error = refused(&stage.post(DEPLOY, &[]).await, 406, 909018);
    assert_eq!(error["description"], "apkConfiguration is missing");
    let answer = stage.post(DEPLOY, &[("definitionFile", b"{}")]).await;
    refused(&answer, 406, 909018);
    let error = refused(&stage.post(DEPLOY, &[apk, apk]).await, 406, 909018);
    assert_eq!(error["description"], "apkConfiguration is there twice");

    let none = named(&stage.backend, "a", "[]");
    let error = refused(&stage.deploy(&none).await, 406, 909021);
    assert_eq!(error["message"], "Atleast one operation need to specified");

    let whole = form(&[apk]);
    for (content_type, body, status, code) in [
        ("", whole.clone(), 415, 415),
        ("application/yaml", Bytes::from(conf.clone()), 415, 415),
        ("multipart/form-data", whole.clone(), 400, 909018),
        (FORM, whole.slice(..whole.len() - 10), 400, 909018),
        (FORM, whole.slice(..whole.len() / 2), 400, 909018),
        ("multipart/form-data; boundary=other", whole, 400, 909018),
        (FORM, Bytes::new(), 400, 909018),
    ] {
        let answer = stage.call("POST", DEPLOY, content_type, body).await;
        refused(&answer, status, code);
    }
    assert_eq!(stage.kept(), []);
}

#[tokio::test]
async fn what_is_too_large_is_refused() {
    let stage = Stage::empty().await;
    let comment = format!("{}# {}\n", stage.conf("a"), "x".repeat(1024 * 1024));
    let error = refused(&stage.deploy(&comment).await, 413, 413);
    assert_eq!(error["description"], "apkConfiguration is too large");
    let definition = vec![b' '; 8 * 1024 * 1024 + 1];
    let conf = stage.conf("a");
    let parts = [
        ("apkConfiguration", conf.as_bytes()),
        ("definitionFile", &definition[1..]),
    ];
    assert_eq!(stage.post(DEPLOY, &parts).await.status, 200);
    let parts = [parts[0], ("definitionFile", &definition[..])];
    let error = refused(&stage.post(DEPLOY, &parts).await, 413, 413);
    assert_eq!(error["description"], "definitionFile is too large");

    // Nothing of it has to be sent.
    let answer = stage
        .gateway
        .raw_admin(&format!(
            "POST {DEPLOY} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: {FORM}\r\n\
             Authorization: {}\r\nContent-Length: 100000000\r\n\r\n",
            bearer(&stage.token)
        ))
        .await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
}

#[tokio::test]
async fn a_call_has_its_methods_and_there_are_no_others() {
    let stage = Stage::empty().await;
    for (method, path, allowed) in [
        ("GET", "/apis/deploy", "POST"),
        ("PUT", "/apis/undeploy", "POST"),
        ("POST", "/apis", "GET, HEAD"),
        ("DELETE", "/apis/a", "GET, HEAD"),
        ("POST", "/apis/a/definition", "GET, HEAD"),
    ] {
        let path = format!("/api/deployer/1.2.0{path}");
        let answer = stage.call(method, &path, "", Bytes::new()).await;
        refused(&answer, 405, 405);
        assert_eq!(answer.headers["allow"], allowed, "{method} {path}");
    }
    for path in ["", "/", "/apis/", "/apis/a/b", "/apis/a/definition/x"] {
        refused(&stage.read(path).await, 404, 404);
    }
    for path in ["/apis/a", "/apis/a/definition", "/apis/..%2Fgateway"] {
        refused(&stage.read(path).await, 404, 909001);
    }
    let path = "/api/deployer/apis/undeploy";
    let answer = stage.call("POST", path, "", Bytes::new()).await;
    refused(&answer, 400, 909003);
}

#[tokio::test]
async fn apis_that_cannot_go_together_are_refused() {
    let stage = Stage::empty().await;
    stage.deployed(&stage.conf("a")).await;
    let other = stage.conf("b").replace("/b", "/%61");
    let error = refused(&stage.deploy(&other).await, 409, 909012);
    assert_eq!(error["message"], "API Context - /%61/1 already exist");

    let shown = stage.conf("b")
        + "authentication: [{authType: JWT, headerName: X-Who, sendTokenToUpstream: true}]\n";
    let minted = named(&stage.backend, "c", "[{target: '/*', verb: GET}]")
        + "apiPolicies: {request: [{policyName: BackendJwt, parameters: {header: x_who}}]}\n";
    let id = stage.deployed(&shown).await;
    let error = refused(&stage.deploy(&minted).await, 409, 909000);
    let why = error["moreInfo"]["#/apiPolicies/request/0"].as_str();
    assert!(why.unwrap().contains("`b`"), "{error}");
    assert_eq!(stage.undeploy(&id).await.status, 202);
    stage.deployed(&minted).await;
    let error = refused(&stage.deploy(&shown).await, 409, 909000);
    let why = error["moreInfo"]["#/authentication"].as_str();
    assert!(why.unwrap().contains("`c`"), "{error}");

    stage.deployed(&(stage.conf("d") + "id: Some.Id\n")).await;
    let alike = stage.conf("e") + "id: some.id\n";
    refused(&stage.deploy(&alike).await, 409, 909000);
    assert_eq!(stage.get("d").await.status, 200);
}

#[tokio::test]
async fn an_api_of_the_settings_changes_only_there() {
    let stage = Stage::with(|files, backend| {
        files
            .api(&named(
                backend,
                "a",
                "[{target: '/*', verb: GET, secured: false}]",
            ))
            .api(
                &(named(backend, "b", "[{target: '/*', verb: GET, secured: false}]") + "id: b-1\n"),
            )
    })
    .await;
    let list = stage.list(["name", "deployed"]).await;
    assert_eq!(
        list,
        [[json!("a"), json!(false)], [json!("b"), json!(false)]]
    );
    let ids = stage.list(["id"]).await;
    for (id, name) in [(&ids[0][0], "a"), (&json!("b-1"), "b")] {
        let id = id.as_str().unwrap();
        let conf = stage.conf("c") + &format!("id: {id}\n");
        let error = refused(&stage.deploy(&conf).await, 409, 909000);
        assert!(error["description"].as_str().unwrap().contains("settings"));
        refused(&stage.undeploy(id).await, 409, 909000);
        assert_eq!(stage.get(name).await.status, 200);
        let read = stage.read(&format!("/apis/{id}")).await;
        assert!(read.body.starts_with(format!("name: {name}\n").as_bytes()));
        let definition = stage.read(&format!("/apis/{id}/definition")).await;
        refused(&definition, 404, 909001);
    }
    refused(&stage.deploy(&stage.conf("a")).await, 409, 909000);
}

#[tokio::test]
async fn without_its_settings_there_is_no_deployer() {
    let backend = crate::backend::Backend::start().await;
    let idp = Idp::new();
    let files = Files::new(&idp)
        .api(&minting(&conf(&backend, "[{target: /a, verb: GET}]")))
        .more("admin: {listen: '127.0.0.1:0'}\n");
    let gateway = files.start();
    assert!(!gateway.announcement.contains("deployer"));
    let target = ("POST", DEPLOY);
    let answer = call(&gateway, &admin_token(&idp), target, FORM, form(&[])).await;
    assert_eq!(answer.status, 404);
    let text = str::from_utf8(&answer.body).unwrap();
    assert!(text.contains("admin.audience and admin.apis_dir"), "{text}");
}

#[test]
fn settings_for_half_a_deployer_are_refused() {
    for (admin, complaint) in [
        ("audience: a", "admin.apis_dir: missing"),
        ("apis_dir: a", "admin.audience: missing"),
        ("audience: '', apis_dir: a", "admin.audience: is empty"),
        ("audience: a, apis_dir: jwks.json", "admin.apis_dir: "),
        (
            "audience: a, apis_dir: a, apisdir: b",
            "unknown field `apisdir`",
        ),
    ] {
        let files =
            Files::new(&Idp::new()).more(&format!("admin: {{listen: '127.0.0.1:0', {admin}}}\n"));
        let (code, said) = files.check();
        assert_eq!(code, Some(2), "{said}");
        assert!(said.contains(complaint), "{said}");
    }
    let (code, said) = Files::new(&Idp::new()).more(SETTINGS).issuers("").check();
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("issuers: "), "{said}");
}
