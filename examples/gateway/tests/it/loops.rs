//! APIs that lead back to the gateway, and what only the gateway may write into `CDN-Loop`.

use std::{
    net::SocketAddr,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use bytes::Bytes;
use http::Request;
use http_body_util::Empty;
use serde_json::json;
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
};

use crate::{
    deployer::{SETTINGS, Stage, refused},
    gateway::{Answer, Files, conf_for, program, serving},
    idp::Idp,
};

const OPEN: &str = "[{target: '/*', verb: GET, secured: false}]";

/// Something in front of a gateway, at an address that is not the gateway's.
struct Relay {
    address: SocketAddr,
    target: Arc<OnceLock<SocketAddr>>,
    connections: Arc<AtomicUsize>,
}

impl Relay {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let relay = Self {
            address: listener.local_addr().unwrap(),
            target: Arc::default(),
            connections: Arc::default(),
        };
        let (target, connections) = (Arc::clone(&relay.target), Arc::clone(&relay.connections));
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                connections.fetch_add(1, Ordering::Relaxed);
                let mut behind = TcpStream::connect(target.get().unwrap()).await.unwrap();
                tokio::spawn(
                    async move { copy_bidirectional(&mut stream, &mut behind).await.is_ok() },
                );
            }
        });
        relay
    }

    fn leads_to(&self, target: SocketAddr) {
        self.target.set(target).unwrap();
    }

    /// An API that goes through it.
    fn conf(&self, path: &str) -> String {
        conf_for(&format!("http://{}{path}", self.address), OPEN)
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }
}

fn is_a_loop(answer: &Answer) {
    assert_eq!(answer.status, 508, "{answer:?}");
    assert_eq!(answer.headers["content-type"], "application/json");
    assert_eq!(
        answer.json(),
        json!({
            "code": "508",
            "error_message": "Loop Detected",
            "error_description": "The request has come through this gateway before",
        })
    );
}

#[tokio::test]
async fn a_request_that_comes_back_goes_no_further() {
    let relay = Relay::start().await;
    let gateway = Files::new(&Idp::new())
        .api(&relay.conf("/orders/1.0.0"))
        .start();
    relay.leads_to(gateway.address);
    // Nothing that the client says beside it hides the loop.
    for headers in [
        &[][..],
        &[("Connection", "CDN-Loop")],
        &[("CDN-Loop", "other; a=\"b")],
        &[("CDN_Loop", "x"), ("CDN-Loop", "")],
    ] {
        is_a_loop(&gateway.get("/orders/1.0.0/test", headers).await);
    }
    assert!(relay.connections() <= 4, "{}", relay.connections());
}

#[tokio::test]
async fn two_gateways_that_lead_to_each_other_pass_a_request_once() {
    let (to_one, to_other) = (Relay::start().await, Relay::start().await);
    let start = |relay: &Relay| {
        let conf = relay.conf("/orders/1.0.0");
        Files::new(&Idp::new()).api(&conf).start()
    };
    let (one, other) = (start(&to_other), start(&to_one));
    to_one.leads_to(one.address);
    to_other.leads_to(other.address);
    is_a_loop(&one.get("/orders/1.0.0/test", &[]).await);
    assert_eq!((to_one.connections(), to_other.connections()), (1, 1));
}

#[tokio::test]
async fn one_gateway_behind_another_is_no_loop() {
    let (behind, ..) = serving(OPEN).await;
    let endpoint = behind.url("/orders/1.0.0");
    let gateway = Files::new(&Idp::new())
        .api(&conf_for(&endpoint, OPEN))
        .start();
    let headers = [("CDN-Loop", "cdn.example; a=b")];
    let answer = gateway.get("/orders/1.0.0/test", &headers).await;
    let trail = answer.seen("cdn-loop").unwrap();
    let names: Vec<_> = trail.split(", ").collect();
    assert_eq!(names.len(), 3, "{trail}");
    assert_eq!(names[0], "cdn.example; a=b");
    assert_ne!(names[1], names[2]);
}

#[tokio::test]
async fn a_client_that_gives_itself_out_for_a_loop_is_answered_as_one() {
    let (gateway, ..) = serving(OPEN).await;
    let first = gateway.get("/orders/1.0.0/test", &[]).await;
    let name = first.seen("cdn-loop").unwrap();
    let shown = format!("a, {name}; b=c");
    for headers in [
        &[("CDN-Loop", shown.as_str())][..],
        &[("CDN-Loop", &shown), ("Connection", "CDN-Loop")],
        &[("CDN-Loop", "other"), ("CDN-Loop", &name)],
    ] {
        for path in [
            "/orders/1.0.0/test",
            "/nowhere",
            "/.wellknown/jwks",
            "/orders//",
        ] {
            is_a_loop(&gateway.get(path, headers).await);
        }
    }
    let request = Request::get(gateway.url("/orders/1.0.0/test"))
        .header("cdn-loop", &name)
        .body(Empty::<Bytes>::new());
    let mut http2 = gateway.http2().await;
    let response = http2.send_request(request.unwrap()).await.unwrap();
    assert_eq!(response.status(), 508);

    let more = format!("{name}0, 0{name}, x{name}");
    let answer = gateway
        .get("/orders/1.0.0/test", &[("CDN-Loop", &more)])
        .await;
    assert_eq!(answer.seen("cdn-loop").unwrap(), format!("{more}, {name}"));
}

#[tokio::test]
async fn no_api_leads_to_the_admin_address() {
    let relay = Relay::start().await;
    let gateway = Files::new(&Idp::new())
        .more(SETTINGS)
        .api(&relay.conf(""))
        .start();
    let admin = gateway.admin_url("");
    relay.leads_to(admin.strip_prefix("http://").unwrap().parse().unwrap());
    for path in ["healthz", "issuers", "api/deployer/1.2.0/apis"] {
        is_a_loop(&gateway.get(&format!("/orders/1.0.0/{path}"), &[]).await);
    }
    assert!(relay.connections() >= 1);
}

#[tokio::test]
async fn an_api_in_front_of_the_gateway_itself_cannot_be_deployed() {
    let stage = Stage::empty().await;
    let admin = stage.gateway.admin_url("");
    let admin: SocketAddr = admin.strip_prefix("http://").unwrap().parse().unwrap();
    for (address, setting) in [
        (stage.gateway.address, "`listen`"),
        (admin, "`admin.listen`"),
    ] {
        let port = address.port();
        for host in ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "0.0.0.0"] {
            let conf = conf_for(&format!("http://{host}:{port}/orders/1.0.0"), OPEN);
            let error = refused(&stage.deploy(&conf).await, 400, 909029);
            let (place, why) = error["moreInfo"]
                .as_object()
                .unwrap()
                .iter()
                .next()
                .unwrap();
            assert!(place.starts_with("#/endpointConfigurations/production"));
            assert!(why.as_str().unwrap().contains(setting), "{host}: {error}");
        }
        // Whoever else listens at that port is no matter of the gateway's.
        let conf = conf_for(&format!("http://127.0.0.2:{port}"), OPEN);
        assert_eq!(stage.deploy(&conf).await.status, 200);
    }
}

#[test]
fn an_api_in_front_of_the_gateway_itself_is_not_loaded() {
    let files = Files::new(&Idp::new());
    for (listen, endpoint, expected) in [
        ("127.0.0.1:8080", "http://localhost:8080", Some("`listen`")),
        ("0.0.0.0:8080", "http://127.0.0.1:8080/a", Some("`listen`")),
        (
            "127.0.0.1:8080",
            "http://[::1]:9443",
            Some("`admin.listen`"),
        ),
        (
            "127.0.0.1:8080",
            "https://127.0.0.1:9443",
            Some("`admin.listen`"),
        ),
        ("127.0.0.1:8080", "http://127.0.0.1:8081", None),
        ("127.0.0.1:8080", "http://localhost.example:8080", None),
    ] {
        files.write("api.yaml", &conf_for(endpoint, OPEN));
        let settings = format!(
            "listen: {listen}\nadmin: {{listen: '[::]:9443'}}\napis: [api.yaml]\n\
             issuers: [{{issuer: a, audiences: [a], jwks: {{file: jwks.json}}}}]\n"
        );
        let output = program()
            .arg("--check")
            .arg("--config")
            .arg(files.write("fixed.yaml", &settings))
            .output()
            .unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        match expected {
            None => assert_eq!(output.status.code(), Some(0), "{said}"),
            Some(expected) => {
                assert_eq!(output.status.code(), Some(2), "{endpoint}");
                let field = "api.yaml: endpointConfigurations.production.endpoint: ";
                assert!(said.contains(field) && said.contains(expected), "{said}");
            }
        }
    }
}

#[test]
fn nothing_of_an_api_is_in_the_field_that_finds_loops() {
    let conf = conf_for("http://127.0.0.1:9", "[{target: /a, verb: GET}]");
    for (more, field) in [
        (
            "authentication: [{authType: OAuth2, headerName: CDN_Loop}]",
            "authentication: `cdn-loop`",
        ),
        (
            "apiPolicies: {request: [{policyName: BackendJwt, parameters: {header: CDN-Loop}}]}",
            "apiPolicies.request[0]: header: `cdn-loop`",
        ),
        (
            "apiPolicies: {request: [{policyName: RemoveHeader, parameters: {headerName: CDN-Loop}}]}",
            "apiPolicies.request[0]",
        ),
    ] {
        let (code, said) = Files::new(&Idp::new())
            .api(&format!("{conf}{more}\n"))
            .check();
        assert_eq!(code, Some(2), "{said}");
        assert!(said.contains(field), "{said}");
    }
}
