//! A ring of keys that rotate.

use std::{collections::BTreeSet, fs};

use serde_json::{Value, json};
use tower_jwks::{Algorithm, DirectoryStore, KeyRing};

use crate::{
    backend::Backend,
    deployer::{self, Stage, named, refused},
    gateway::{Answer, Files, Gateway, bearer, conf, minting, program, until},
    idp::{self, Idp},
};

const ADMIN: &str = "admin: {listen: '127.0.0.1:0'}\n";
const RING: &str = "signing: {ring: {directory: keys, algorithm: ES256}}\n";

/// A key that seals, in hex.
const SEAL: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n";

const SEALED: &str = "signing:
  ring: {directory: keys, algorithm: ES256, keyEncryptionKey: {file: kek}}
";

/// An API with backend JWTs, and these settings.
async fn stage(settings: &str) -> (Files, Backend, Idp) {
    let backend = Backend::start().await;
    let idp = Idp::new();
    let api = minting(&conf(&backend, "[{target: '/test', verb: GET}]"));
    let files = Files::new(&idp)
        .api(&api)
        .more(&format!("{ADMIN}{settings}"));
    (files, backend, idp)
}

async fn call(gateway: &Gateway, idp: &Idp) -> Answer {
    let token = bearer(&idp.token(&json!({})));
    let headers = [("Authorization", token.as_str())];
    gateway.get("/orders/1.0.0/test", &headers).await
}

/// The backend JWT of a call.
async fn jwt(gateway: &Gateway, idp: &Idp) -> String {
    call(gateway, idp).await.seen("x-jwt-assertion").unwrap()
}

fn kid(jwt: &str) -> String {
    idp::part(jwt, 0)["kid"].as_str().unwrap().to_owned()
}

async fn published(gateway: &Gateway) -> Value {
    gateway.get("/.wellknown/jwks", &[]).await.json()
}

async fn status(gateway: &Gateway) -> Value {
    let answer = gateway.ask("GET", "/keys").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.headers["content-type"], "application/json");
    answer.json()
}

/// The exit code of a gateway that cannot start, and what it complains about.
fn fails(files: &Files) -> (Option<i32>, String) {
    let mut command = program();
    let output = command.arg("--config").arg(files.settings()).output();
    let output = output.unwrap();
    (
        output.status.code(),
        String::from_utf8(output.stderr).unwrap(),
    )
}

#[tokio::test]
async fn a_gateway_makes_the_ring_that_is_not_there() {
    let (files, _backend, idp) = stage(RING).await;
    let gateway = files.start();
    let jwt = jwt(&gateway, &idp).await;
    let said = format!("signing with ES256, kid {}", kid(&jwt));
    assert!(gateway.announcement.ends_with(&format!("{said}\n")));

    let answer = gateway.get("/.well-known/jwks.json", &[]).await;
    assert!(idp::verifies(&jwt, &answer.body, Algorithm::ES256));
    let max_age = answer.headers["cache-control"].to_str().unwrap();
    assert!(max_age.contains("max-age=600"), "{max_age}");
    assert_eq!(answer.json()["keys"].as_array().unwrap().len(), 2);

    let ready = gateway.ask("GET", "/readyz").await;
    assert_eq!(ready.json(), json!({"ready": true, "missing": []}));
    let status = status(&gateway).await;
    assert_eq!(
        (&status["signs"], &status["fault"]),
        (&json!(true), &Value::Null)
    );
    let states = status["keys"].as_array().unwrap().iter();
    let states: Vec<_> = states.map(|key| &key["state"]).collect();
    assert_eq!(states, ["active", "pending"]);
    assert_eq!(status["keys"][0]["kid"], kid(&jwt));
    assert_eq!(status["keys"][0]["tokens_signed"], 1);
    assert_eq!(status["keys"][0]["next"]["state"], "retiring");
    assert_eq!(status["keys"][1]["fetchers"], 1);
    assert!(!status.to_string().contains("private"), "{status}");
}

#[tokio::test]
async fn gateways_with_one_directory_have_the_same_keys() {
    let (files, _backend, idp) = stage(RING).await;
    let (one, two) = (files.start(), files.start());
    let (first, second) = (jwt(&one, &idp).await, jwt(&two, &idp).await);
    assert_eq!(kid(&first), kid(&second));
    let kids = |set: &Value| -> BTreeSet<String> {
        let keys = set["keys"].as_array().unwrap().iter();
        keys.map(|key| key["kid"].to_string()).collect()
    };
    let (ours, theirs) = (published(&one).await, published(&two).await);
    assert_eq!(kids(&ours), kids(&theirs));
    for (jwt, keys) in [(first, theirs), (second, ours)] {
        let keys = keys.to_string();
        assert!(idp::verifies(&jwt, keys.as_bytes(), Algorithm::ES256));
    }
}

#[tokio::test]
async fn a_restart_keeps_the_keys() {
    let (files, _backend, idp) = stage(RING).await;
    let gateway = files.start();
    let before = jwt(&gateway, &idp).await;
    drop(gateway);
    let gateway = files.start();
    assert_eq!(kid(&jwt(&gateway, &idp).await), kid(&before));
    let keys = published(&gateway).await.to_string();
    assert!(idp::verifies(&before, keys.as_bytes(), Algorithm::ES256));
}

#[tokio::test]
async fn a_sealed_ring_is_of_use_to_nobody_without_its_key() {
    let (files, _backend, idp) = stage(SEALED).await;
    files.write("kek", SEAL);
    let before = kid(&jwt(&files.start(), &idp).await);
    let document = fs::read_to_string(files.path("keys/ring.json")).unwrap();
    assert!(document.contains("sealed_private_key"), "{document}");
    assert_eq!(kid(&jwt(&files.start(), &idp).await), before);

    let from_env = SEALED.replace("{file: kek}", "{env: RING_KEY}");
    let mut files = files.more(&format!("{ADMIN}{from_env}"));
    let gateway = files.start_with(&[("RING_KEY", SEAL.trim().as_ref())]);
    assert_eq!(kid(&jwt(&gateway, &idp).await), before);
    drop(gateway);

    let document = fs::read(files.path("keys/ring.json")).unwrap();
    for (settings, kek) in [(RING, SEAL.to_owned()), (SEALED, SEAL.replace("00", "01"))] {
        files = files.more(settings);
        files.write("kek", &kek);
        for (code, said) in [fails(&files), files.check()] {
            assert_eq!(code, Some(2), "{said}");
            let place = format!("signing.ring.directory: {}", files.path("keys").display());
            assert!(said.contains(&place) && said.contains("seal"), "{said}");
            assert!(!said.contains(kek.trim()), "{said}");
        }
        assert_eq!(fs::read(files.path("keys/ring.json")).unwrap(), document);
    }
}

#[tokio::test]
async fn a_broken_ring_is_refused_and_not_written_over() {
    let (files, _backend, _idp) = stage(RING).await;
    drop(files.start());
    let document = fs::read_to_string(files.path("keys/ring.json")).unwrap();
    let half = &document[..document.len() / 2];
    let changed = document.replace("\"max_age\":600", "\"max_age\":0");
    assert_ne!(changed, document);
    for broken in ["", "{}", half, &changed] {
        files.write("keys/ring.json", broken);
        for (code, said) in [fails(&files), files.check()] {
            assert_eq!(code, Some(2), "{said}");
            let place = format!("signing.ring.directory: {}", files.path("keys").display());
            assert!(said.contains(&place), "{said}");
            assert!(!said.contains("private_key"), "{said}");
        }
        let kept = fs::read_to_string(files.path("keys/ring.json")).unwrap();
        assert_eq!(kept, broken);
    }
}

#[tokio::test]
async fn a_check_makes_no_ring_and_changes_none() {
    let (files, _backend, _idp) = stage(RING).await;
    let said = files.checked();
    assert!(
        said.contains("signing with ES256, by keys that are yet to be made in "),
        "{said}"
    );
    assert!(!files.path("keys").exists());

    let gateway = files.start();
    let signing = gateway.announcement.lines().last().unwrap().to_owned();
    drop(gateway);
    let document = fs::read(files.path("keys/ring.json")).unwrap();
    // With longer times as well, which a gateway would have the ring promise.
    let longer = RING.replace("ES256", "ES256, tokenLife: 9h, maxAge: 30m");
    let files = files.more(&format!("{ADMIN}{longer}"));
    let said = files.checked();
    assert_eq!(said.lines().last(), Some(signing.as_str()));
    assert_eq!(fs::read(files.path("keys/ring.json")).unwrap(), document);
}

/// An API whose backend JWTs are to live for so long.
fn lasting(conf: &str, seconds: u32) -> String {
    minting(conf).replace(
        "parameters: {}",
        &format!("parameters: {{tokenTTL: {seconds}}}"),
    )
}

const SHORT_LIVED: &str = "signing: {ring: {directory: keys, algorithm: ES256, tokenLife: 5m}}\n";

const TOO_LONG: &str = "is 301 seconds, but the keys are kept for tokens of at most 300 seconds";

#[tokio::test]
async fn a_backend_jwt_that_would_outlive_its_key_is_refused_when_it_is_loaded() {
    let backend = Backend::start().await;
    let idp = Idp::new();
    let conf = conf(&backend, "[{target: '/test', verb: GET}]");
    let files = |seconds| {
        let files = Files::new(&idp).more(SHORT_LIVED);
        files.api(&lasting(&conf, seconds))
    };
    let (code, said) = files(300).check();
    assert_eq!(code, Some(0), "{said}");
    let files = files(301);
    for (code, said) in [fails(&files), files.check()] {
        assert_eq!(code, Some(2), "{said}");
        let place = "api-0.yaml: apiPolicies.request[0]: parameters.tokenTTL: ";
        assert!(said.contains(&format!("{place}{TOO_LONG}")), "{said}");
    }
}

#[tokio::test]
async fn a_backend_jwt_that_would_outlive_its_key_is_refused_when_it_is_deployed() {
    let settings = format!("{}{SHORT_LIVED}", deployer::SETTINGS);
    let stage = Stage::with(|files, _| files.more(&settings)).await;
    let conf = named(&stage.backend, "a", "[{target: '/test', verb: GET}]");
    let error = refused(&stage.deploy(&lasting(&conf, 301)).await, 400, 909029);
    let place = "#/apiPolicies/request/0/parameters/tokenTTL";
    assert_eq!(error["moreInfo"], json!({place: TOO_LONG}));

    stage.deployed(&lasting(&conf, 300)).await;
    let life = async || {
        let claims = stage.claims("/a/1/test").await;
        claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap()
    };
    assert_eq!(life().await, 300);
    // Who does not say for how long gets what there is.
    stage.deployed(&minting(&conf)).await;
    assert_eq!(life().await, 300);
}

#[tokio::test]
async fn a_revoked_key_signs_no_more_and_that_is_said() {
    let (files, _backend, idp) = stage(RING).await;
    let gateway = files.start();
    let old = kid(&jwt(&gateway, &idp).await);

    // By hand, as the command does it. The key in reserve is too new to sign.
    let tool = KeyRing::open(DirectoryStore::new(files.path("keys"))).by_hand();
    tool.await.unwrap().revoke(&old).await.unwrap();
    let ready = until(503, async || gateway.ask("GET", "/readyz").await).await;
    assert_eq!(
        ready.json()["missing"],
        json!(["no key may sign: no key of the ring may sign now"])
    );
    assert_eq!(status(&gateway).await["signs"], false);
    let answer = call(&gateway, &idp).await;
    assert_eq!(answer.status, 503);
    assert!(answer.headers.contains_key("retry-after"), "{answer:?}");
    assert!(!published(&gateway).await.to_string().contains(&old));

    // Started now, it waits as well.
    let gateway = files.start();
    assert!(
        gateway
            .announcement
            .contains("signing with ES256, but not now: "),
        "{}",
        gateway.announcement
    );
    assert_eq!(gateway.ask("GET", "/readyz").await.status, 503);
}

#[tokio::test]
async fn keys_that_stay_are_told_of_as_well() {
    let (files, _backend, idp) = stage("").await;
    let gateway = files.start();
    let kid = kid(&jwt(&gateway, &idp).await);
    assert_eq!(
        status(&gateway).await,
        json!({
            "algorithm": "RS256", "signs": true, "max_age": 600,
            "keys": [{"kid": kid, "state": "active", "tokens_signed": 1}],
        })
    );
}

#[test]
fn a_ring_that_is_not_sealed_is_warned_of() {
    let idp = Idp::new();
    for (settings, warned) in [(RING, true), (SEALED, false)] {
        let files = Files::new(&idp).more(settings);
        files.write("kek", SEAL);
        let (code, said) = files.check_logging("warn");
        assert_eq!(code, Some(0), "{said}");
        let warning = "signing.ring.keyEncryptionKey is missing";
        assert_eq!(said.contains(warning), warned, "{said}");
    }
}

#[test]
fn a_ring_that_cannot_be_as_it_is_set_is_refused_by_name() {
    let idp = Idp::new();
    for (signing, complaint) in [
        (
            "{keys: [{privateKey: a.pem}], ring: {directory: keys}}",
            " signing.ring: is set beside `signing.keys`: ",
        ),
        (
            "{kid: certificate, ring: {directory: keys}}",
            " signing.kid: the keys of `signing.ring` are named by ",
        ),
        ("{ring: {}}", " signing.ring: missing field `directory`"),
        (
            "{ring: {directory: keys, algorithm: HS256}}",
            " signing.ring.algorithm: ",
        ),
        (
            "{ring: {directory: keys, rotateEvry: 1d}}",
            " signing.ring.rotateEvry: unknown field",
        ),
        (
            "{ring: {directory: keys, maxAge: 10 moments}}",
            " signing.ring.maxAge: is no time such as `8s`, `10m` or `30d`: ",
        ),
        (
            "{ring: {directory: keys, poll: 10}}",
            " signing.ring.poll: ",
        ),
        (
            "{ring: {directory: keys, grace: 1500ms}}",
            " signing.ring.grace: has a fraction of a second",
        ),
        (
            "{ring: {directory: keys, tokenLife: 0s}}",
            " signing.ring.tokenLife: is zero",
        ),
        (
            "{ring: {directory: keys, clockSkew: 6m}}",
            " signing.ring.clockSkew: is over `propagation`, 5m 0s",
        ),
        (
            "{ring: {directory: keys, rotateEvery: 36m}}",
            " signing.ring.rotateEvery: is under the time for which a key is announced \
             (`propagation` + `maxAge` + `grace` + twice `clockSkew`), 37m 0s",
        ),
        (
            "{ring: {directory: keys, keyEncryptionKey: {}}}",
            " signing.ring.keyEncryptionKey: has to have either `file` or `env`",
        ),
        (
            "{ring: {directory: keys, keyEncryptionKey: {file: a, env: A}}}",
            " signing.ring.keyEncryptionKey: has to have either `file` or `env`",
        ),
        (
            "{ring: {directory: keys, keyEncryptionKey: {file: nowhere}}}",
            " signing.ring.keyEncryptionKey.file: No such file",
        ),
        (
            "{ring: {directory: keys, keyEncryptionKey: {file: short}}}",
            " signing.ring.keyEncryptionKey.file: is no key of 32 bytes",
        ),
        (
            "{ring: {directory: keys, keyEncryptionKey: {env: IS_NOT_SET}}}",
            " signing.ring.keyEncryptionKey.env: IS_NOT_SET is not set",
        ),
    ] {
        let files = Files::new(&idp).more(&format!("signing: {signing}\n"));
        files.write("short", "0011223344556677");
        for (code, said) in [files.check(), fails(&files)] {
            assert_eq!(code, Some(2), "{signing}: {said}");
            assert!(said.contains(complaint), "{signing}: {said}");
            assert!(!said.contains("0011223344556677"), "{said}");
        }
        assert!(!files.path("keys").exists(), "{signing}");
    }
}
