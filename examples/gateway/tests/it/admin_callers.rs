//! Who is answered at the admin address: under which name, with whose token, and how many at a time.

use std::{net::SocketAddr, time::Duration};

use bytes::Bytes;
use http::Request;
use http_body_util::Empty;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::{
    backend::Backend,
    deployer::{ADMIN_AUDIENCE, DEPLOY, FORM, SETTINGS, admin_token, call, form, named},
    gateway::{Files, Gateway, bearer, conf, minting},
    idp::{AUDIENCE, ISSUER, Idp},
};

const ALL: [&str; 6] = [
    "/healthz",
    "/readyz",
    "/issuers",
    "/applications",
    "/api/deployer/1.2.0/apis",
    "/nowhere",
];

fn address(gateway: &Gateway) -> SocketAddr {
    let url = gateway.admin_url("");
    url.strip_prefix("http://").unwrap().parse().unwrap()
}

async fn status(gateway: &Gateway, token: &str, path: &str, host: &str) -> u16 {
    let answer = gateway
        .raw_admin(&format!(
            "GET {path} HTTP/1.1\r\n{host}Authorization: Bearer {token}\r\nConnection: close\r\n\r\n"
        ))
        .await;
    answer.split(' ').nth(1).unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_name_that_is_not_the_gateways_is_answered_nothing() {
    let idp = Idp::new();
    let admin = "admin: {listen: '127.0.0.1:0', hosts: [gateway.ops.svc], audience: gateway-admin, apis_dir: d}\n";
    let gateway = Files::new(&idp).more(admin).start();
    let token = admin_token(&idp);
    for path in ALL {
        let expected = if path == "/nowhere" { 404 } else { 200 };
        for host in [
            "Host: 127.0.0.1\r\n",
            "Host: 10.0.0.1:9443\r\n",
            "Host: [::1]:9443\r\n",
            "Host: localhost:9443\r\n",
            "Host: gateway.localhost\r\n",
            "Host: Gateway.ops.svc:9443\r\n",
            "",
        ] {
            let status = status(&gateway, &token, path, host).await;
            assert_eq!(status, expected, "{path} {host}");
        }
        for host in [
            "Host: attacker.example\r\n",
            "Host: attacker.example:9443\r\n",
            "Host: 127.0.0.1.attacker.example\r\n",
            "Host: ops.svc\r\n",
            "Host: 127.0.0.1\r\nHost: attacker.example\r\n",
            "Host:\r\n",
        ] {
            let status = status(&gateway, &token, path, host).await;
            assert_eq!(status, 421, "{path} {host}");
        }
        let whole = format!("http://attacker.example{path}");
        let status = status(&gateway, &token, &whole, "Host: 127.0.0.1\r\n").await;
        assert_eq!(status, 421, "{path}");
    }
    // The APIs' own address is asked under whichever name they have.
    let answer = gateway
        .raw("GET /.wellknown/jwks HTTP/1.1\r\nHost: attacker.example\r\nConnection: close\r\n\r\n")
        .await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
}

#[tokio::test]
async fn the_authority_of_http2_is_a_name_too() {
    let gateway = Files::new(&Idp::new()).more(SETTINGS).start();
    let stream = TcpStream::connect(address(&gateway)).await.unwrap();
    let (mut sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
        .await
        .unwrap();
    tokio::spawn(connection);
    for (authority, expected) in [
        ("127.0.0.1", 200),
        ("localhost:9443", 200),
        ("attacker.example", 421),
        ("localhost.attacker.example", 421),
    ] {
        let request = Request::get(format!("http://{authority}/issuers"))
            .body(Empty::<Bytes>::new())
            .unwrap();
        let response = sender.send_request(request).await.unwrap();
        assert_eq!(response.status(), expected, "{authority}");
    }
}

#[test]
fn names_and_issuers_that_cannot_be_meant_are_refused() {
    let one = format!("{{issuer: {ISSUER}, audiences: [a], jwks: {{file: jwks.json}}}}");
    let two = format!("{one}, {{issuer: b, audiences: [b], jwks: {{file: jwks.json}}}}");
    let deploying = "audience: gateway-admin, apis_dir: deployed";
    for (issuers, admin, expected) in [
        (&one, "hosts: ['a:9443']", "admin.hosts[0]: `a:9443`"),
        (&one, "hosts: [a, 'http://b']", "admin.hosts[1]: "),
        (&one, "hosts: ['*']", "admin.hosts[0]: "),
        (&one, "issuers: [b]", "admin.issuers: is for tokens"),
        (
            &two,
            deploying,
            "admin.issuers: missing; there are several issuers",
        ),
        (
            &two,
            &format!("{deploying}, issuers: []"),
            "admin.issuers: is empty",
        ),
        (
            &two,
            &format!("{deploying}, issuers: [b, c]"),
            "admin.issuers[1]: `c` is none of `issuers`",
        ),
        (
            &two,
            &format!("{deploying}, issuers: [b, b]"),
            "admin.issuers[1]: `b` is named twice",
        ),
    ] {
        let (code, said) = Files::new(&Idp::new())
            .issuers(&format!("issuers: [{issuers}]\n"))
            .more(&format!("admin: {{listen: '127.0.0.1:0', {admin}}}\n"))
            .check();
        assert_eq!(code, Some(2), "{said}");
        assert!(said.contains(expected), "{said}");
    }
    // Who deploys nothing need not choose.
    let (code, said) = Files::new(&Idp::new())
        .issuers(&format!("issuers: [{two}]\n"))
        .more("admin: {listen: '127.0.0.1:0'}\n")
        .check();
    assert_eq!(code, Some(0), "{said}");
}

#[tokio::test]
async fn only_the_issuers_that_are_named_have_apis_deployed() {
    let backend = Backend::start().await;
    let (operators, callers) = (Idp::new(), Idp::new());
    let files = Files::new(&operators)
        .issuers(&format!(
            "issuers: [{{issuer: {ISSUER}, audiences: [{AUDIENCE}], jwks: {{file: jwks.json}}}}, \
             {{issuer: callers, audiences: [{AUDIENCE}], jwks: {{file: callers.json}}}}]\n"
        ))
        .more(&SETTINGS.replace("audience:", &format!("issuers: ['{ISSUER}'], audience:")))
        .api(&minting(&conf(&backend, "[{target: /test, verb: GET}]")));
    files.write("callers.json", &callers.jwks());
    let gateway = files.start();

    let claims = |audience: &str, issuer: &str| json!({ "iss": issuer, "aud": audience, "scope": "apk:api_create" });
    let conf = named(&backend, "a", "[{target: '/*', verb: GET, secured: false}]");
    let deploy = async |token: &str| {
        let body = form(&[("apkConfiguration", conf.as_bytes())]);
        call(&gateway, token, ("POST", DEPLOY), FORM, body).await
    };
    for token in [
        callers.token(&claims(ADMIN_AUDIENCE, "callers")),
        callers.token(&claims(ADMIN_AUDIENCE, ISSUER)),
        operators.token(&claims(ADMIN_AUDIENCE, "callers")),
        operators.token(&claims(AUDIENCE, ISSUER)),
    ] {
        assert_eq!(deploy(&token).await.status, 401);
        assert_eq!(gateway.get("/a/1/test", &[]).await.status, 404);
    }
    let token = operators.token(&claims(ADMIN_AUDIENCE, ISSUER));
    assert_eq!(deploy(&token).await.status, 200);
    assert_eq!(gateway.get("/a/1/test", &[]).await.status, 200);
    // For APIs all are issuers.
    for token in [
        callers.token(&json!({ "iss": "callers" })),
        operators.token(&json!({})),
    ] {
        let headers = [("Authorization", bearer(&token))];
        let headers = headers
            .each_ref()
            .map(|(name, value)| (*name, value.as_str()));
        let answer = gateway.get("/orders/1.0.0/test", &headers).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }
}

#[tokio::test]
async fn sixty_four_are_answered_at_a_time_and_the_next_wait() {
    let gateway = Files::new(&Idp::new()).more(SETTINGS).start();
    let connect = async || {
        let mut stream = TcpStream::connect(address(&gateway)).await.unwrap();
        let request = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
        stream.write_all(request).await.unwrap();
        stream
    };
    let mut connections = Vec::new();
    for _ in 0..64 {
        let mut stream = connect().await;
        assert_ne!(stream.read(&mut [0; 1024]).await.unwrap(), 0);
        connections.push(stream);
    }
    let mut next = connect().await;
    let mut answer = [0; 1024];
    let waiting = timeout(Duration::from_millis(300), next.read(&mut answer)).await;
    assert!(waiting.is_err());
    // The others are not concerned.
    let apis = gateway.get("/.wellknown/jwks", &[]).await;
    assert_eq!(apis.status, 200);
    drop(connections.pop());
    let length = next.read(&mut answer).await.unwrap();
    assert!(answer[..length].starts_with(b"HTTP/1.1 200 "));
}
