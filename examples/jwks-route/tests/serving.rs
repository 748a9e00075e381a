//! Runs the program and verifies its tokens with the keys it publishes.

#![allow(clippy::unwrap_used, reason = "a test that fails should panic")]

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use base64::prelude::{BASE64_STANDARD, Engine};
use serde_json::Value;
use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::PathBuf,
    process::{Child, Command, Output, Stdio},
};
use tower_backend_jwt::{Issuer, Verifier};
use tower_jwks::{Algorithm, JwkSet, SigningKey};

const PROGRAM: &str = env!("CARGO_BIN_EXE_jwks-route");

fn run(arguments: &[&str]) -> Output {
    Command::new(PROGRAM).args(arguments).output().unwrap()
}

/// The program; killed when this is dropped.
struct Serving {
    child: Child,
    url: String,
}

impl Serving {
    fn start(arguments: &[&str]) -> Self {
        let mut child = Command::new(PROGRAM)
            .args(["--listen", "127.0.0.1:0"])
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let url = lines.map(Result::unwrap).find_map(|line| {
            let url = line.strip_prefix("Serving at ")?.split(' ').next();
            url.map(str::to_owned)
        });
        Self {
            child,
            url: url.unwrap(),
        }
    }

    /// The JSON that is answered.
    fn call(&self, method: &str, url: &str) -> Value {
        let address = self.url.strip_prefix("http://").unwrap();
        let path = url.strip_prefix(&self.url).unwrap();
        let mut stream = TcpStream::connect(address).unwrap();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n"
        )
        .unwrap();
        let mut response = String::new();
        stream.read_to_string(&mut response).unwrap();
        let (head, body) = response.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
        serde_json::from_str(body).unwrap()
    }

    /// Does what a verifier does that knows the issuer's URL only. The `kid` of the key.
    fn verify_a_token(&self) -> String {
        let answer = self.call("POST", &format!("{}/token", self.url));
        let metadata = format!("{}/.well-known/openid-configuration", self.url);
        let metadata = self.call("GET", &metadata);
        let keys = self.call("GET", metadata["jwks_uri"].as_str().unwrap());
        let keys = JwkSet::parse(keys.to_string()).unwrap();

        let issuer = metadata["issuer"].as_str().unwrap();
        let issuer = Issuer::from_jwks(issuer, keys).audience("orders").build();
        let token =
            Verifier::from(issuer.unwrap()).verify(answer["access_token"].as_str().unwrap());
        let token = token.unwrap();
        assert_eq!(token.subject(), Some("demo-client"));
        token.kid().unwrap().to_owned()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn file(name: &str, contents: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&path, contents).unwrap();
    path
}

#[test]
fn a_token_verifies_with_the_keys_found_from_the_issuers_url() {
    for algorithm in ["ES256", "RS256", "EdDSA"] {
        Serving::start(&["--algorithm", algorithm]).verify_a_token();
    }
}

#[test]
fn a_key_from_a_file_signs_and_is_published() {
    let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let key = BASE64_STANDARD.encode(key.to_pkcs8v1().unwrap());
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{key}\n-----END PRIVATE KEY-----\n");
    let path = file("signing.key", &pem);

    let kid = Serving::start(&["--key", path.to_str().unwrap()]).verify_a_token();
    let key = SigningKey::from_pem(Algorithm::ES256, pem).unwrap();
    assert_eq!(kid, key.kid());

    // It does not fit another algorithm.
    let wrong = run(&["--algorithm", "RS256", "--key", path.to_str().unwrap()]);
    assert_eq!(wrong.status.code(), Some(2));
    let error = String::from_utf8(wrong.stderr).unwrap();
    assert!(error.contains("signing.key: "), "{error}");
}

#[test]
fn two_services_over_one_directory_sign_with_one_key_and_so_does_the_next() {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("rotating-keys");
    let _ = fs::remove_dir_all(&path);
    let keys = ["--keys", path.to_str().unwrap()];
    let kid = {
        let (one, other) = (Serving::start(&keys), Serving::start(&keys));
        assert_eq!(one.verify_a_token(), other.verify_a_token());
        one.verify_a_token()
    };
    assert_eq!(Serving::start(&keys).verify_a_token(), kid);
}

#[test]
fn a_wrong_command_line_is_told_from_a_call_for_help() {
    let help = run(&["--help"]);
    assert_eq!(help.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&help.stdout).contains("Usage: jwks-route"));
    let empty = file("empty.key", "");
    for (arguments, named) in [
        (&["--algorithm", "none"][..], "not one of RS256"),
        (&["--key", "no/such/file"], "no/such/file"),
        (&["--key", empty.to_str().unwrap()], "empty.key: "),
        (
            &["--listen", "127.0.0.1:0", "--issuer", "nobody"],
            "issuer: ",
        ),
        (&["--key", "a", "--keys", "b"], "--key and --keys"),
        (&["--port", "1"], "--port"),
    ] {
        let wrong = run(arguments);
        assert_eq!(wrong.status.code(), Some(2), "{wrong:?}");
        assert!(
            String::from_utf8_lossy(&wrong.stderr).contains(named),
            "{wrong:?}"
        );
    }
}
