//! `import`.

use crate::{Folder, openssl, states};
use tower_jwks::{Algorithm, SigningKey};

/// Imports the key into a ring of its algorithm, and says what the status has of it.
fn imported(folder: &Folder, algorithm: Algorithm, pem: &str) -> serde_json::Value {
    let made = folder.run(&format!("init {algorithm} --algorithm {algorithm}"));
    made.done();
    folder.write("key.pem", pem);
    let told = folder.json(&format!("import {algorithm} key.pem"));
    let key = SigningKey::from_pem(algorithm, pem).unwrap();
    assert_eq!(told["kid"], key.kid());
    assert_eq!(told["next"]["state"], "active");
    let status = folder.json(&format!("status {algorithm}"));
    let mut keys = status["keys"].as_array().unwrap().iter();
    let found = keys.find(|found| found["kid"] == key.kid()).unwrap();
    assert_eq!(found["state"], "pending");
    // It is last in line.
    assert_eq!(states(&status).last().unwrap().0, key.kid());
    found.clone()
}

#[test]
fn keys_of_openssl_are_taken_in() {
    let folder = Folder::new();
    for (algorithm, make) in [
        (
            Algorithm::ES256,
            "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256",
        ),
        (Algorithm::ES384, "ecparam -name secp384r1 -genkey -noout"),
        (Algorithm::EdDSA, "genpkey -algorithm ED25519"),
        #[cfg(feature = "aws-lc-rs")]
        (
            Algorithm::RS256,
            "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048",
        ),
        #[cfg(feature = "aws-lc-rs")]
        (Algorithm::PS256, "genrsa -traditional 2048"),
    ] {
        let Some(pem) = openssl(make) else { return };
        let found = imported(&folder, algorithm, &pem);
        assert!(found["not_after"].is_null(), "{algorithm}");
    }
}

#[test]
fn a_key_with_its_certificate_ends_with_it() {
    let folder = Folder::new();
    let key = folder.path("made.pem");
    let Some(certificate) = openssl(&format!(
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 300 -subj /CN=a -keyout {}",
        key.display()
    )) else {
        return;
    };
    let pem = folder.read("made.pem") + &certificate;
    let found = imported(&folder, Algorithm::ES256, &pem);
    let days = (found["not_after"].as_u64().unwrap() - crate::now()) / 86_400;
    assert!((299..=300).contains(&days), "{found}");
}

#[test]
fn a_key_that_the_ring_cannot_use_is_refused() {
    let folder = Folder::new();
    folder.run("init keys --algorithm ES256").done();
    let Some(other) = openssl("genpkey -algorithm ED25519") else {
        return;
    };
    let Some(own) = openssl("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256") else {
        return;
    };
    folder.write("other.pem", other);
    folder.write("own.pem", &own);
    folder.write("empty.pem", "");
    let kid = folder.json("import keys own.pem")["kid"]
        .as_str()
        .unwrap()
        .to_owned();
    let before = folder.read("keys/ring.json");
    for (file, complaint) in [
        ("other.pem", ""),
        ("empty.pem", ""),
        ("nowhere.pem", "No such file"),
        ("own.pem", "is in the ring"),
    ] {
        let output = folder.run(&format!("import keys {file}"));
        let complained = output.failed(1);
        assert!(
            complained.starts_with(&format!("tower-jwks: {file}: ")),
            "{complained}"
        );
        assert!(complained.contains(complaint), "{complained}");
        assert!(!complained.contains("PRIVATE"), "{complained}");
    }
    assert_eq!(folder.read("keys/ring.json"), before);

    folder.run(&format!("revoke keys {kid}")).done();
    let output = folder.run("import keys own.pem");
    assert!(output.failed(1).contains("was revoked"), "{output:?}");
}
