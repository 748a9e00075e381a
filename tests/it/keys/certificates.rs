//! Keys that come with their certificate.

use base64::{Engine, prelude::BASE64_URL_SAFE};
use tests::{forge, openssl};
use tower_jwks::{Algorithm, SigningKey, UnixTime};

const SELF_SIGNED: &str = "req -x509 -key /dev/stdin -subj /CN=gateway";

/// Keys with their certificates, both in PEM. The second certificate ends after 2049, where X.509
/// writes dates differently.
fn pairs() -> Vec<(Algorithm, String, String)> {
    [
        (Algorithm::RS256, openssl::rsa(2048), 30),
        (Algorithm::ES256, openssl::ec("P-256"), 15_000),
        (Algorithm::ES384, openssl::ec("P-384"), 1),
        (Algorithm::EdDSA, openssl::ed25519(), 365),
    ]
    .map(|(algorithm, key, days)| {
        let certificate = openssl::text(&format!("{SELF_SIGNED} -days {days}"), &key);
        (algorithm, key, certificate)
    })
    .into()
}

#[test]
fn the_wso2_kid_is_the_base64url_of_the_hex_of_the_certificates_sha_256() {
    if !openssl::is_there() {
        return;
    }
    for (algorithm, key, certificate) in pairs() {
        let der = openssl::run("x509 -outform DER", &certificate);
        let digest = openssl::run("dgst -sha256 -binary", &der);
        let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex.len(), 64);
        let expected = forge::encode(hex);

        let read = || SigningKey::from_pem(algorithm, &key).unwrap();
        let thumbprint = read().kid().to_owned();
        let together = format!("{certificate}\n{key}");
        for signing in [
            read().with_certificate_pem(&certificate).unwrap(),
            read().with_certificate_der(&der).unwrap(),
            SigningKey::from_pem(algorithm, together).unwrap(),
        ] {
            // A certificate alone changes nothing: the form is a choice.
            assert_eq!(signing.kid(), thumbprint);
            let signing = signing.with_certificate_kid().unwrap();
            assert_eq!(signing.kid(), expected);
            assert_eq!(signing.jwk().kid(), Some(&*expected));
            assert_eq!(signing.verifying_key().kid(), Some(&*expected));
        }
    }
}

#[test]
fn the_kid_of_wso2s_own_sample_has_that_form() {
    // The sample of a published set in the documentation of WSO2 Choreo.
    let kid =
        "ZjcwNmI2ZDJmNWQ0M2I5YzZiYzJmZmM4YjMwMDFlOTA4MGE3ZWZjZTMzNjU3YWU1MzViYjZkOTkzZjYzOGYyNg";
    let hex = String::from_utf8(forge::decode(kid)).unwrap();
    assert_eq!(hex.len(), 64);
    assert!(
        hex.bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    );
}

/// A key with a certificate that it has issued to itself: the issuer as a section of OpenSSL's
/// configuration.
fn issued(issuer: &str, strings: &str, serial: &str) -> SigningKey {
    let request = "prompt = no\nutf8 = yes\ndistinguished_name = issuer";
    let config = format!("[req]\n{request}\nstring_mask = {strings}\n[issuer]\n{issuer}\n");
    let arguments = format!(
        "req -x509 -newkey ed25519 -nodes -keyout /dev/stdout -config /dev/stdin -days 30 -set_serial {serial}"
    );
    SigningKey::from_pem(Algorithm::EdDSA, openssl::run(&arguments, config)).unwrap()
}

#[test]
fn the_issuer_and_serial_kid_is_what_java_makes_of_the_certificate() {
    if !openssl::is_there() {
        return;
    }
    // What Java 17 gives for these certificates: `getIssuerDN().getName()`, `getSerialNumber()`.
    for (issuer, strings, serial, expected) in [
        (
            "C=US\nST=CA\nL=Mountain View\nO=WSO2\nOU=WSO2\nCN=localhost",
            "utf8only",
            "211279479686511283371766810275202254849318780327",
            "CN=localhost, OU=WSO2, O=WSO2, L=Mountain View, ST=CA, C=US#211279479686511283371766810275202254849318780327",
        ),
        (
            "C=LK\nO=Example\n+OU=API\nCN=gateway\n+serialNumber=7",
            "utf8only",
            "1",
            "SERIALNUMBER=7 + CN=gateway, OU=API + O=Example, C=LK#1",
        ),
        (
            "O=Example, Inc.\nOU=a \\\"b\\\" \\\\ c\nCN=\\#1 <gateway>",
            "utf8only",
            "0xffffffffffffffff",
            r##"CN="#1 <gateway>", OU="a \"b\" \\ c", O="Example, Inc."#18446744073709551615"##,
        ),
        (
            "L=東京\nO=Straße und Weg\nCN=two  blanks",
            "utf8only",
            "128",
            "CN=\"two  blanks\", O=Straße und Weg, L=東京#128",
        ),
        (
            "DC=com\njurisdictionC=US\nUID=7\nstreet=1 Main St\nCN=gateway\nemailAddress=ops@example.com",
            "utf8only",
            "0x7fffffffffffffffffffffffffffffffffffffff",
            "EMAILADDRESS=ops@example.com, CN=gateway, STREET=1 Main St, UID=7, OID.1.3.6.1.4.1.311.60.2.1.3=US, DC=com#730750818665451459101842416358141509827966271487",
        ),
        (
            "O=Gruß 東京\nCN=gateway",
            "MASK:0x800",
            "255",
            "CN=gateway, O=Gruß 東京#255",
        ),
    ] {
        let key = issued(issuer, strings, serial);
        let thumbprint = key.kid().to_owned();
        assert_eq!(thumbprint.len(), 43, "a certificate alone changes nothing");
        let key = key.with_issuer_serial_kid().unwrap();
        assert_eq!(key.kid(), forge::encode(expected));
        assert_eq!(key.jwk().kid(), Some(key.kid()));
    }
}

#[test]
fn the_issuer_and_serial_kid_of_api_managers_own_certificate_is_known() {
    if !openssl::is_there() {
        return;
    }
    // What API Manager's own tests expect with the certificate that it comes with.
    let issuer = "C=US\nST=CA\nL=Mountain View\nO=WSO2\nOU=WSO2\nCN=localhost";
    let serial = "211279479686511283371766810275202254849318780327";
    let key = issued(issuer, "default", serial).with_issuer_serial_kid();
    assert_eq!(
        key.unwrap().kid(),
        "Q049bG9jYWxob3N0LCBPVT1XU08yLCBPPVdTTzIsIEw9TW91bnRhaW4gVmlldywgU1Q9Q0EsIEM9VVMjMjExMjc5NDc5Njg2NTExMjgzMzcxNzY2ODEwMjc1MjAyMjU0ODQ5MzE4NzgwMzI3"
    );
}

#[test]
fn a_certificate_that_gives_no_issuer_and_serial_kid_is_refused() {
    if !openssl::is_there() {
        return;
    }
    let long = format!("O={}\nOU={}\nCN=a", "o".repeat(64), "u".repeat(64));
    assert!(
        issued(&long, "utf8only", "1")
            .with_issuer_serial_kid()
            .is_ok()
    );
    let long = format!("{long}\nL={}", "l".repeat(100));
    let refused = issued(&long, "utf8only", "1").with_issuer_serial_kid();
    assert_eq!(refused.unwrap_err().to_string(), "kid: is over 256 bytes");

    let negative = issued("CN=a", "utf8only", "-5").with_issuer_serial_kid();
    assert_eq!(
        negative.unwrap_err().to_string(),
        "kid: cannot be made from this certificate: its serial number is negative"
    );
    let refused = SigningKey::generate(Algorithm::ES256)
        .unwrap()
        .with_issuer_serial_kid();
    assert_eq!(
        refused.unwrap_err().to_string(),
        "kid: cannot be made from a certificate: the key has none"
    );
}

#[test]
fn wso2s_thumbprints_are_the_padded_base64url_of_the_hex_of_a_hash() {
    if !openssl::is_there() {
        return;
    }
    for (algorithm, key, certificate) in pairs() {
        let der = openssl::run("x509 -outform DER", &certificate);
        let expected = |hash: &str| {
            let digest = openssl::run(&format!("dgst -{hash} -binary"), &der);
            let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
            BASE64_URL_SAFE.encode(hex)
        };
        let key = SigningKey::from_pem(algorithm, &key).unwrap();
        assert_eq!((key.wso2_x5t(), key.wso2_x5t_s256()), (None, None));
        let key = key.with_certificate_der(&der).unwrap();
        assert_eq!(key.wso2_x5t(), Some(&*expected("sha1")));
        assert_eq!(key.wso2_x5t_s256(), Some(&*expected("sha256")));
        let lengths = (
            key.wso2_x5t().unwrap().len(),
            key.wso2_x5t_s256().unwrap().len(),
        );
        assert_eq!(lengths, (56, 88));
    }
}

#[test]
fn a_key_ends_with_its_certificate() {
    if !openssl::is_there() {
        return;
    }
    for (algorithm, key, certificate) in pairs() {
        let signing = SigningKey::from_pem(algorithm, &key).unwrap();
        assert_eq!(signing.not_after(), None);
        let end = openssl::text("x509 -noout -enddate", &certificate);
        let end = end.trim().strip_prefix("notAfter=").unwrap();
        let signing = signing.with_certificate_pem(&certificate).unwrap();
        assert_eq!(signing.not_after(), Some(unix_time(end)), "{end}");
    }
}

/// Of a date as `openssl` writes it: `Feb  3 04:05:06 2027 GMT`.
fn unix_time(date: &str) -> UnixTime {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let words: Vec<&str> = date.split_whitespace().collect();
    let [month, day, time, year, "GMT"] = words[..] else {
        panic!("another form of a date: {date}");
    };
    let leap =
        |year: u64| year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400);
    let year: u64 = year.parse().unwrap();
    let month = MONTHS.iter().position(|name| *name == month).unwrap();
    let february = if leap(year) { 29 } else { 28 };
    let months = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let years: u64 = (1970..year)
        .map(|year| if leap(year) { 366 } else { 365 })
        .sum();
    let days = years + months[..month].iter().sum::<u64>() + day.parse::<u64>().unwrap() - 1;
    let seconds = time
        .split(':')
        .fold(0, |sum, part| sum * 60 + part.parse::<u64>().unwrap());
    UnixTime::from_secs(days * 86_400 + seconds)
}

#[test]
fn the_first_certificate_of_a_chain_is_the_keys() {
    if !openssl::is_there() {
        return;
    }
    let pairs = pairs();
    let [(_, _, other), (algorithm, key, certificate), ..] = &pairs[..] else {
        panic!("two of them");
    };
    let read = || SigningKey::from_pem(*algorithm, key).unwrap();
    let chain = format!("{certificate}{other}");
    assert!(read().with_certificate_pem(chain).is_ok());
    let wrong_order = format!("{other}{certificate}");
    assert!(read().with_certificate_pem(wrong_order).is_err());
}

#[test]
fn a_certificate_that_is_not_the_keys_is_refused() {
    if !openssl::is_there() {
        return;
    }
    let pairs = pairs();
    for (algorithm, key, own) in &pairs {
        let read = || SigningKey::from_pem(*algorithm, key).unwrap();
        for (_, _, certificate) in &pairs {
            let together = SigningKey::from_pem(*algorithm, format!("{key}{certificate}"));
            let refusals = [read().with_certificate_pem(certificate), together];
            for taken in refusals {
                if certificate == own {
                    assert!(taken.is_ok());
                } else {
                    let error = taken.unwrap_err().to_string();
                    assert_eq!(error, "certificate: is of another key");
                }
            }
        }
        for (text, error) in [
            ("", "certificate: there is no certificate in the PEM"),
            (key, "certificate: there is no certificate in the PEM"),
            (&own.replace('M', "!"), "certificate: is not valid PEM"),
        ] {
            let refused = read().with_certificate_pem(text).unwrap_err();
            assert_eq!(refused.to_string(), error);
        }
        let der = openssl::run("x509 -outform DER", own);
        let refused = read().with_certificate_der(&der[..der.len() - 1]);
        assert_eq!(
            refused.unwrap_err().to_string(),
            "certificate: is not a valid X.509 certificate"
        );
        let refused = read().with_certificate_kid().unwrap_err();
        assert_eq!(
            refused.to_string(),
            "kid: cannot be made from a certificate: the key has none"
        );
    }
}
