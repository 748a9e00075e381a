//! APIs are served as their confs say.

use std::{fs, process::Command};

use serde_json::json;
use tower_jwks::Algorithm;

use crate::{
    backend::Backend,
    gateway::{Files, bearer, conf, serving},
    idp::{self, Idp},
};

/// The conf in the folder, with the test's backend for the one it names.
fn sample(backend: &Backend) -> String {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/apis/test-backend-jwt.yaml");
    let text = fs::read_to_string(file).unwrap();
    assert!(text.contains("127.0.0.1:9000"));
    text.replace("127.0.0.1:9000", &backend.address.to_string())
}

#[tokio::test]
async fn the_sample_conf_is_served_and_its_backend_learns_who_is_calling() {
    let backend = Backend::start().await;
    let idp = Idp::new();
    let gateway = Files::new(&idp).api(&sample(&backend)).start();
    assert!(
        gateway.announcement.contains("/backend_jwt/1.0.0 -> "),
        "{}",
        gateway.announcement
    );

    let token = bearer(&idp.token(&json!({ "email": "alice@example.com" })));
    let answer = gateway
        .get(
            "/backend_jwt/1.0.0/test?a=1&b=%20",
            &[("Authorization", &token)],
        )
        .await;
    assert_eq!(answer.json()["target"], "/anything/test?a=1&b=%20");
    assert_eq!(answer.seen("host").unwrap(), backend.address.to_string());
    assert_eq!(answer.seen("authorization"), None);

    let jwt = answer.seen("x-jwt-assertion").unwrap();
    let jwks = gateway.get("/.wellknown/jwks", &[]).await;
    assert!(idp::verifies(&jwt, &jwks.body, Algorithm::RS256));
    let claims = idp::part(&jwt, 1);
    for (name, value) in [
        ("iss", "wso2.org/products/am"),
        ("sub", "alice"),
        ("azp", "client-1"),
        ("email", "alice@example.com"),
        ("claim1", "value1"),
        ("claim2", "value2"),
        ("http://wso2.org/claims/apiname", "test-backend-jwt"),
        ("http://wso2.org/claims/version", "1.0.0"),
        ("http://wso2.org/claims/apicontext", "/backend_jwt/1.0.0"),
        ("http://wso2.org/claims/keytype", "PRODUCTION"),
    ] {
        assert_eq!(claims[name], value, "{name}");
    }
}

#[tokio::test]
async fn the_settings_in_the_folder_are_good() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/gateway.yaml");
    let output = crate::gateway::program()
        .args(["--check", "--config", file])
        .output()
        .unwrap();
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[tokio::test]
async fn a_token_of_the_demo_identity_provider_opens_the_sample_api() {
    let backend = Backend::start().await;
    let files = Files::new(&Idp::new()).api(&sample(&backend)).issuers(
        "issuers: [{issuer: 'https://idp.example.com', audiences: [test-backend-jwt], jwks: {file: demo/jwks.json}}]\n",
    );
    let output = Command::new(env!("CARGO_BIN_EXE_demo-idp"))
        .args(["--subject", "bob", "--out"])
        .arg(files.path("demo"))
        .output()
        .unwrap();
    assert!(output.status.success());
    let token = bearer(String::from_utf8(output.stdout).unwrap().trim());
    let answer = files
        .start()
        .get("/backend_jwt/1.0.0/test", &[("Authorization", &token)])
        .await;
    assert_eq!(
        idp::part(&answer.seen("x-jwt-assertion").unwrap(), 1)["sub"],
        "bob"
    );
}

#[tokio::test]
async fn a_default_version_is_served_without_its_version_too() {
    let backend = Backend::start().await;
    let idp = Idp::new();
    let api = conf(&backend, "[{target: '/test', verb: GET, secured: false}]");
    let gateway = Files::new(&idp)
        .api(&format!("{api}defaultVersion: true\n"))
        .start();
    for path in ["/orders/1.0.0/test", "/orders/test"] {
        assert_eq!(
            gateway.get(path, &[]).await.json()["target"],
            "/base/test",
            "{path}"
        );
    }
}

#[tokio::test]
async fn without_default_version_the_version_is_needed() {
    let (gateway, ..) = serving("[{target: '/test', verb: GET, secured: false}]").await;
    assert_eq!(gateway.get("/orders/test", &[]).await.status, 404);
}

#[tokio::test]
async fn several_apis_are_served_side_by_side() {
    let backend = Backend::start().await;
    let idp = Idp::new();
    let api = conf(&backend, "[{target: '/*', verb: GET, secured: false}]");
    let other = api
        .replace("/orders", "/orders/1.0.0/special")
        .replace("/base", "/other");
    let gateway = Files::new(&idp).api(&api).api(&other).start();
    for (path, target) in [
        ("/orders/1.0.0/a/b", "/base/a/b"),
        ("/orders/1.0.0", "/base"),
        ("/orders/1.0.0/special/1.0.0/a", "/other/a"),
    ] {
        assert_eq!(
            gateway.get(path, &[]).await.json()["target"],
            target,
            "{path}"
        );
    }
}

#[tokio::test]
async fn an_unknown_path_is_not_found() {
    let (gateway, ..) = serving("[{target: '/test', verb: GET, secured: false}]").await;
    for (path, code) in [
        ("/", "404"),
        ("/nothing", "404"),
        ("/orders/1.0.0/other", "900906"),
    ] {
        let answer = gateway.get(path, &[]).await;
        assert_eq!(
            (answer.status.as_u16(), &answer.json()["code"]),
            (404, &json!(code)),
            "{path}"
        );
        assert_eq!(answer.headers["content-type"], "application/json");
    }
}

#[tokio::test]
async fn a_wrong_verb_is_not_allowed_and_the_right_ones_are_named() {
    let operations = "[{target: '/test', verb: GET, secured: false}, {target: '/test', verb: PUT}, {target: '/*', verb: DELETE}]";
    let (gateway, ..) = serving(operations).await;
    for method in ["POST", "DELETE", "OPTIONS", "TRACE", "FOO"] {
        let answer = gateway.send(method, "/orders/1.0.0/test", &[], "").await;
        assert_eq!(answer.status, 405, "{method}");
        assert_eq!(answer.headers["allow"], "GET, PUT", "{method}");
    }
}

#[tokio::test]
async fn the_backend_learns_about_the_connection_from_the_gateway_alone() {
    let (gateway, ..) = serving("[{target: '/test', verb: GET, secured: false}]").await;
    let claimed = [
        ("Host", "api.example.com"),
        ("X-Forwarded-For", "10.0.0.1"),
        ("X-Forwarded-Host", "forged"),
        ("X-Forwarded-Proto", "https"),
        ("Forwarded", "for=10.0.0.1"),
    ];
    let answer = gateway.get("/orders/1.0.0/test", &claimed).await;
    assert_eq!(answer.seen("x-forwarded-for").unwrap(), "127.0.0.1");
    assert_eq!(answer.seen("x-forwarded-host").unwrap(), "api.example.com");
    assert_eq!(answer.seen("x-forwarded-proto").unwrap(), "http");
    assert_eq!(answer.seen("forwarded"), None);
}

#[tokio::test]
async fn a_redirect_of_the_backend_is_passed_on() {
    let (gateway, ..) = serving("[{target: '/moved', verb: GET, secured: false}]").await;
    let answer = gateway.get("/orders/1.0.0/moved", &[]).await;
    assert_eq!(answer.status, 302);
    assert_eq!(answer.headers["location"], "http://127.0.0.1:1/elsewhere");
}

#[tokio::test]
async fn a_backend_that_is_down_is_a_bad_gateway() {
    let idp = Idp::new();
    // Bound and dropped, so that nobody listens there.
    let down = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let conf = crate::gateway::conf_for(
        &format!("http://{down}"),
        "[{target: '/test', verb: GET, secured: false}]",
    );
    let gateway = Files::new(&idp).api(&conf).start();
    let answer = gateway.get("/orders/1.0.0/test", &[]).await;
    assert_eq!(answer.status, 502);
    assert_eq!(answer.json()["code"], "502");
}
