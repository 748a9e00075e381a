//! What the gateway tells of itself, at an address of its own.

use http::Request;
use http_body_util::Full;
use serde_json::json;

use crate::{
    backend::Backend,
    gateway::{Files, bearer, conf, fetch, minting, serving, until},
    idp::{AUDIENCE, ISSUER, Idp},
    provider::Provider,
    remote::{discovered, files, ready},
};

#[tokio::test]
async fn a_gateway_without_a_provider_is_healthy_and_ready_when_the_keys_are_there() {
    let provider = Provider::start(&Idp::new()).await;
    provider.set_down(true);
    let gateway = files(&format!("[{}]", discovered(&provider))).await.start();
    assert_eq!(gateway.ask("GET", "/healthz").await.body, "ok\n");
    let answer = gateway.ask("GET", "/readyz").await;
    assert_eq!(answer.status, 503);
    assert_eq!(
        answer.json(),
        json!({
            "ready": false,
            "missing": [format!("the keys of {} are not there", provider.issuer())],
        })
    );

    provider.set_down(false);
    let answer = until(200, async || gateway.ask("GET", "/readyz").await).await;
    assert_eq!(answer.json(), json!({ "ready": true, "missing": [] }));
    assert_eq!(gateway.ask("GET", "/healthz").await.status, 200);
}

#[tokio::test]
async fn the_state_of_each_issuer_is_told_and_no_secret() {
    let idp = Idp::new();
    let provider = Provider::start(&idp).await;
    let at_url = Provider::start(&Idp::new()).await;
    let files = files(&format!(
        "[{}, {{issuer: b, audiences: [{AUDIENCE}], jwks: {{url: '{}'}}, algorithms: [ES256]}},
          {{issuer: {ISSUER}, audiences: [{AUDIENCE}], jwks: {{file: jwks.json}}}},
          {{issuer: c, audiences: [{AUDIENCE}], certificate: c.pem}}]",
        discovered(&provider),
        at_url.url(),
    ))
    .await;
    let certificate = rcgen::generate_simple_self_signed(["c".to_owned()]).unwrap();
    files.write("c.pem", &certificate.cert.pem());
    let gateway = files.start();
    ready(&gateway).await;
    // A kid that nobody knows: it has the keys fetched, and is named nowhere.
    let token = Idp::new().token(&json!({ "iss": provider.issuer() }));
    let answer = gateway
        .get("/orders/1.0.0/test", &[("Authorization", &bearer(&token))])
        .await;
    assert_eq!(answer.status, 401);

    let answer = gateway.ask("GET", "/issuers").await;
    assert_eq!(answer.headers["content-type"], "application/json");
    assert_eq!(answer.headers["cache-control"], "no-store");
    let json = answer.json();
    let told: Vec<_> = json
        .as_array()
        .unwrap()
        .iter()
        .map(|issuer| {
            assert_eq!(issuer["ready"], true);
            assert_eq!(issuer["keys"].as_array().unwrap().len(), 1);
            [&issuer["issuer"], &issuer["keys_from"]].map(|value| value.as_str().unwrap())
        })
        .collect();
    assert_eq!(
        told,
        [
            [provider.issuer().as_str(), "discovered"],
            ["b", "url"],
            [ISSUER, "file"],
            ["c", "certificate"],
        ]
    );
    assert_eq!(json[0]["jwks_uri"], provider.url());
    assert_eq!(json[0]["keys"][0]["algorithms"], json!(["ES256"]));
    assert_eq!(json[0]["fetches"], 2);
    assert_eq!(json[0]["failures"], 0);
    assert!(json[0]["next_fetch"].as_u64() > json[0]["fetched_at"].as_u64());
    assert!(json[2].get("fetches").is_none());

    let text = String::from_utf8(answer.body.to_vec()).unwrap();
    for part in token.split('.') {
        assert!(!text.contains(part), "{text}");
    }
    let kid = crate::idp::part(&token, 0)["kid"].clone();
    assert!(!text.contains(kid.as_str().unwrap()), "{text}");
    assert!(!text.contains("\"d\""), "{text}");
}

#[tokio::test]
async fn what_is_not_there_is_not_found_and_nothing_can_be_changed() {
    let gateway = files("[{issuer: a, audiences: [a], jwks: {file: jwks.json}}]")
        .await
        .start();
    for path in [
        "/",
        "/healthz/",
        "/orders/1.0.0/test",
        "/.wellknown/jwks",
        "//issuers",
    ] {
        assert_eq!(gateway.ask("GET", path).await.status, 404, "{path}");
    }
    for path in ["/healthz", "/readyz", "/issuers", "/applications", "/keys"] {
        for method in ["POST", "PUT", "DELETE", "OPTIONS", "TRACE"] {
            let answer = gateway.ask(method, path).await;
            assert_eq!(answer.status, 405, "{method} {path}");
            assert_eq!(answer.headers["allow"], "GET, HEAD");
            assert_eq!(answer.headers["cache-control"], "no-store");
        }
        let full = gateway.ask("GET", path).await;
        let head = gateway.ask("HEAD", path).await;
        assert_eq!((full.status.as_u16(), head.status.as_u16()), (200, 200));
        assert_eq!(full.headers["cache-control"], "no-store");
        assert_eq!(
            head.headers["content-length"],
            full.headers["content-length"]
        );
        assert_eq!(head.body, "");
        assert_eq!(gateway.ask("GET", &format!("{path}?a=b")).await.status, 200);
    }
}

#[tokio::test]
async fn without_an_admin_address_nothing_is_told() {
    let (gateway, ..) = serving("[{target: '/test', verb: GET, secured: false}]").await;
    assert!(!gateway.announcement.contains("admin"));
    for path in ["/healthz", "/readyz", "/issuers", "/applications", "/keys"] {
        assert_eq!(gateway.get(path, &[]).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn a_gateway_that_ends_is_not_ready_and_says_so_to_the_last() {
    let backend = Backend::start().await;
    let operations = "[{target: '/held', verb: GET, secured: false}]";
    let mut gateway = Files::new(&Idp::new())
        .more("admin: {listen: '127.0.0.1:0'}\n")
        .api(&minting(&conf(&backend, operations)))
        .start();
    assert_eq!(gateway.ask("GET", "/readyz").await.status, 200);
    let request = Request::get(gateway.url("/orders/1.0.0/held"))
        .body(Full::default())
        .unwrap();
    let answer = tokio::spawn(fetch(request));
    backend.arrived().await;

    gateway.signal("-TERM");
    assert!(gateway.read_line().starts_with("ending"));
    let told = until(503, async || gateway.ask("GET", "/readyz").await).await;
    assert_eq!(told.json()["missing"], json!(["the gateway is ending"]));
    assert_eq!(gateway.ask("GET", "/healthz").await.status, 200);
    backend.release();
    assert_eq!(answer.await.unwrap().body, "held");
    assert_eq!(gateway.ended().code(), Some(0));
}

#[test]
fn an_address_that_others_reach_is_warned_of() {
    for (address, warned) in [
        ("127.0.0.1:0", false),
        ("[::1]:0", false),
        ("0.0.0.0:0", true),
        ("[::]:0", true),
    ] {
        let (code, said) = Files::new(&Idp::new())
            .more(&format!("admin: {{listen: '{address}'}}\n"))
            .check_logging("warn");
        assert_eq!(code, Some(0), "{said}");
        assert_eq!(
            said.contains("admin.listen is not a loopback address"),
            warned,
            "{said}"
        );
    }
}
