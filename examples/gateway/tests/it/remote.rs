//! Issuers whose keys are fetched over the network.

use std::{io, net::TcpListener};

use serde_json::json;

use crate::{
    backend::Backend,
    gateway::{Answer, Files, Gateway, bearer, conf, eventually, minting, program, until},
    idp::{AUDIENCE, ISSUER, Idp},
    provider::Provider,
    tls,
};

const TEST: &str = "/orders/1.0.0/test";

/// The files of a gateway with an admin address that trusts these issuers.
pub(crate) async fn files(issuers: &str) -> Files {
    let backend = Backend::start().await;
    Files::new(&Idp::new())
        .issuers(&format!("issuers: {issuers}\n"))
        .more("admin: {listen: '127.0.0.1:0'}\n")
        .api(&minting(&conf(&backend, "[{target: '/test', verb: GET}]")))
}

/// An issuer that is discovered, as the settings have it.
pub(crate) fn discovered(provider: &Provider) -> String {
    format!(
        "{{issuer: '{}', audiences: [{AUDIENCE}]}}",
        provider.issuer()
    )
}

/// Calls with a token that `idp` has made in the name of `issuer`.
async fn call(gateway: &Gateway, idp: &Idp, issuer: &str) -> Answer {
    let token = bearer(&idp.token(&json!({ "iss": issuer })));
    gateway.get(TEST, &[("Authorization", &token)]).await
}

/// Waits until the keys of all issuers are there.
pub(crate) async fn ready(gateway: &Gateway) {
    for _ in 0..500 {
        let answer = gateway.ask("GET", "/readyz").await;
        if answer.status == 200 && answer.json()["missing"] == json!([]) {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("some keys never came");
}

#[tokio::test]
async fn tokens_pass_whose_keys_are_at_a_url_or_discovered() {
    let (known, found) = (Idp::new(), Idp::new());
    let at_url = Provider::start(&known).await;
    let provider = Provider::start(&found).await;
    let gateway = files(&format!(
        "[{{issuer: {ISSUER}, audiences: [{AUDIENCE}], jwks: {{url: '{}'}}}}, {}]",
        at_url.url(),
        discovered(&provider)
    ))
    .await
    .start();
    ready(&gateway).await;
    let answer = call(&gateway, &known, ISSUER).await;
    assert!(answer.seen("x-jwt-assertion").is_some());
    let answer = call(&gateway, &found, &provider.issuer()).await;
    assert!(answer.seen("x-jwt-assertion").is_some());
    // Each is trusted for its own name only.
    assert_eq!(call(&gateway, &known, &provider.issuer()).await.status, 401);
    assert_eq!(call(&gateway, &found, ISSUER).await.status, 401);
}

#[tokio::test]
async fn while_a_provider_is_down_only_its_own_tokens_wait_and_then_pass_without_a_restart() {
    let (here, away) = (Idp::new(), Idp::new());
    let provider = Provider::start(&away).await;
    provider.set_down(true);
    let files = files(&format!(
        "[{{issuer: {ISSUER}, audiences: [{AUDIENCE}], jwks: {{file: here.json}}}}, {}]",
        discovered(&provider)
    ))
    .await;
    files.write("here.json", &here.jwks());
    let gateway = files.start();

    let refused = call(&gateway, &away, &provider.issuer()).await;
    assert_eq!(refused.status, 503, "{refused:?}");
    let seconds: u64 = refused.headers["retry-after"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!((1..=60).contains(&seconds), "{seconds}");
    assert!(!refused.headers.contains_key("www-authenticate"));
    assert_eq!(call(&gateway, &here, ISSUER).await.status, 200);
    assert_eq!(call(&gateway, &away, ISSUER).await.status, 401);

    provider.set_down(false);
    let issuer = provider.issuer();
    until(200, async || call(&gateway, &away, &issuer).await).await;
}

#[tokio::test]
async fn a_new_key_is_accepted_with_the_first_token_and_a_withdrawn_one_no_longer() {
    let (old, new) = (Idp::new(), Idp::new());
    let provider = Provider::start(&old).await;
    let gateway = files(&format!("[{}]", discovered(&provider))).await.start();
    ready(&gateway).await;
    assert_eq!(call(&gateway, &old, &provider.issuer()).await.status, 200);

    provider.publish(&new);
    assert_eq!(call(&gateway, &new, &provider.issuer()).await.status, 200);
    assert_eq!(call(&gateway, &old, &provider.issuer()).await.status, 401);
}

#[tokio::test]
async fn a_gateway_whose_provider_is_down_starts_with_the_copy_of_the_keys() {
    let idp = Idp::new();
    let provider = Provider::start(&idp).await;
    let files = files(&format!(
        "[{{issuer: '{}', audiences: [{AUDIENCE}], keysCopy: copy.json}}]",
        provider.issuer()
    ))
    .await;
    let gateway = files.start();
    ready(&gateway).await;
    // It is written when the keys are there already.
    eventually(async || files.path("copy.json").exists().then_some(())).await;
    gateway.signal("-TERM");
    assert_eq!(gateway.ended().code(), Some(0));

    provider.set_down(true);
    let gateway = files.start();
    ready(&gateway).await;
    assert_eq!(call(&gateway, &idp, &provider.issuer()).await.status, 200);
    let copy = std::fs::read_to_string(files.path("copy.json")).unwrap();
    assert!(!copy.contains(r#""d":"#), "{copy}");
}

#[tokio::test]
async fn keys_come_over_tls_from_whoever_the_settings_name_as_an_authority() {
    let (acceptor, certificate) = tls::acceptor(&[]);
    let idp = Idp::new();
    let (provider, listener) = Provider::bind(&idp).await;
    let port = provider.port();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            // A handshake that fails is the gateway's to report.
            if let Ok(stream) = acceptor.accept(stream).await {
                let provider = provider.clone();
                tokio::spawn(async move { provider.serve(stream).await });
            }
        }
    });
    let issuers = format!(
        "[{{issuer: {ISSUER}, audiences: [{AUDIENCE}], jwks: {{url: 'https://localhost:{port}/keys'}}}}]"
    );

    let trusting = files(&issuers)
        .await
        .more("admin: {listen: '127.0.0.1:0'}\nfetch: {rootCertificates: ca.pem}\n");
    trusting.write("ca.pem", &certificate);
    let gateway = trusting.start();
    ready(&gateway).await;
    assert_eq!(call(&gateway, &idp, ISSUER).await.status, 200);

    let gateway = files(&issuers).await.start();
    let error = failure(&gateway).await;
    assert!(error.contains("certificate"), "{error}");
    assert_eq!(call(&gateway, &idp, ISSUER).await.status, 503);
}

#[tokio::test]
async fn with_public_addresses_only_nothing_is_fetched_from_this_machine() {
    let idp = Idp::new();
    let provider = Provider::start(&idp).await;
    let gateway = files(&format!("[{}]", discovered(&provider)))
        .await
        .more("admin: {listen: '127.0.0.1:0'}\nfetch: {publicAddressesOnly: true}\n")
        .start();
    let error = failure(&gateway).await;
    assert!(error.contains("public"), "{error}");
    assert_eq!(call(&gateway, &idp, &provider.issuer()).await.status, 503);
}

/// Why the first issuer's keys were not fetched.
async fn failure(gateway: &Gateway) -> String {
    eventually(async || {
        let issuers = gateway.ask("GET", "/issuers").await.json();
        let message = issuers[0]["last_error"]["message"].as_str();
        message.map(str::to_owned)
    })
    .await
}

#[tokio::test]
async fn checking_the_settings_fetches_nothing_and_does_not_say_that_it_listens() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let files = files(&format!(
        "[{{issuer: 'http://{}', audiences: [a], keysCopy: copy.json}}]",
        listener.local_addr().unwrap()
    ))
    .await;
    files.write("copy.json", "no copy");
    let output = program()
        .env("RUST_LOG", "tower_jwks=trace")
        .arg("--check")
        .arg("--config")
        .arg(files.settings())
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(said.starts_with("the settings are right"), "{said}");
    assert!(
        said.contains(", keys discovered, copied to copy.json\n"),
        "{said}"
    );
    assert!(!said.contains("listening"), "{said}");
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    // Whoever had connected would be in the queue.
    assert_eq!(
        listener.accept().unwrap_err().kind(),
        io::ErrorKind::WouldBlock
    );
}
