//! Wrong settings are refused when they are loaded, with the file and the field.

use crate::{
    gateway::{Files, conf_for, minting, program},
    idp::Idp,
};

const OPERATIONS: &str = "[{target: '/test', verb: GET}]";

fn api() -> String {
    minting(&conf_for("http://127.0.0.1:9", OPERATIONS))
}

#[track_caller]
fn refused(files: &Files, expected: &str) {
    let (code, complaint) = files.check();
    assert_eq!(code, Some(2), "{complaint}");
    let complaint = complaint.lines().last().unwrap();
    assert!(complaint.starts_with("gateway: /"), "{complaint}");
    assert!(
        complaint.contains(expected),
        "{complaint}\nexpected {expected}"
    );
}

#[test]
fn good_settings_are_good() {
    let (code, complaint) = Files::new(&Idp::new()).api(&api()).check();
    assert_eq!((code, complaint.as_str()), (Some(0), ""));
}

#[test]
fn an_unknown_field_of_a_conf_is_refused_with_its_line() {
    let files = Files::new(&Idp::new()).api(&format!("{}defaultVersoin: true\n", api()));
    refused(&files, "api-0.yaml:8:1: defaultVersoin: unknown field");
}

#[test]
fn a_feature_that_is_not_there_is_refused_with_its_line() {
    let files = Files::new(&Idp::new()).api(&format!(
        "{}rateLimit: {{requestsPerUnit: 5, unit: Minute}}\n",
        api()
    ));
    refused(
        &files,
        "api-0.yaml:8:12: rateLimit: not implemented by this gateway",
    );
}

#[test]
fn what_only_shows_when_all_is_put_together_is_refused() {
    let idp = Idp::new;
    let two = "[{target: '/a/{x}', verb: GET}, {target: '/a/{y}/', verb: GET}]";
    let scopes = "[{target: '/a', verb: GET, scopes: ['a b']}]";
    let rs512 = api().replace(
        "parameters: {}",
        "parameters: {signingAlgorithm: SHA512withRSA}",
    );
    let same = api().replace("parameters: {}", "parameters: {header: Authorization}");
    let forwarding = |header: &str| {
        format!(
            "authentication: [{{authType: OAuth2, headerName: {header}, sendTokenToUpstream: true}}]\n"
        )
    };
    let forwarded = same.clone() + &forwarding("Authorization");
    let unsent = api() + &forwarding("X-Auth-Request-Access-Token");
    let assertion = conf_for("http://127.0.0.1:9", OPERATIONS) + &forwarding("X_JWT_Assertion");
    let other = conf_for("http://127.0.0.1:9", OPERATIONS).replace("/orders", "/other")
        + &forwarding("Authorization");
    let twins = api()
        + "authentication: [{authType: OAuth2, headerName: X-Token}, {authType: JWT, headerName: X_Token}]\n";
    for (files, expected) in [
        (
            Files::new(&idp()).api(&api()).api(&api()),
            "api-1.yaml: basePath: another API is served at `/orders/1.0.0`",
        ),
        (
            Files::new(&idp()).api(&conf_for("http://127.0.0.1:9", two)),
            "api-0.yaml: operations[1]: another operation has the same verb and target",
        ),
        (
            Files::new(&idp()).api(&conf_for("http://127.0.0.1:9", scopes)),
            "api-0.yaml: operations[0].scopes: ",
        ),
        (
            Files::new(&idp()).api(&rs512),
            "api-0.yaml: apiPolicies.request[0]: ",
        ),
        (
            Files::new(&idp()).api(&forwarded),
            "api-0.yaml: authentication: `authorization` is for backend JWTs",
        ),
        (
            Files::new(&idp()).api(&same).api(&other),
            "api-1.yaml: authentication: `authorization` is for backend JWTs",
        ),
        (
            Files::new(&idp()).api(&assertion),
            "api-0.yaml: authentication: `x_jwt_assertion` is for backend JWTs",
        ),
        (
            Files::new(&idp()).api(&unsent),
            "api-0.yaml: authentication[0].sendTokenToUpstream: `x-auth-request-access-token`",
        ),
        (
            Files::new(&idp()).api(&twins),
            "api-0.yaml: authentication[1].headerName: another kind of token",
        ),
    ] {
        refused(&files, expected);
    }
}

#[test]
fn a_token_that_goes_on_unverified_is_warned_of() {
    let operations = "[{target: '/test', verb: GET}, {target: '/open', verb: GET, secured: false}]";
    for (send, warned) in [(true, true), (false, false)] {
        let conf = format!(
            "{}authentication: [{{authType: OAuth2, sendTokenToUpstream: {send}}}]\n",
            conf_for("http://127.0.0.1:9", operations)
        );
        let (code, said) = Files::new(&Idp::new()).api(&conf).check_logging("warn");
        assert_eq!(code, Some(0), "{said}");
        assert!(!said.contains("operations[0]"), "{said}");
        assert_eq!(
            said.contains("operations[1]") && said.contains("goes on unverified"),
            warned,
            "{said}"
        );
    }
}

#[test]
fn issuers_that_cannot_be_used_are_refused_by_name() {
    for (issuers, expected) in [
        ("[]", "gateway.yaml: issuers: an API asks for access tokens"),
        (
            "[{issuer: a, audiences: [b]}]",
            "issuers[0].issuer: issuer: \"a\" is not a URL",
        ),
        (
            "[{issuer: 'http://idp.example.com', audiences: [b]}]",
            "issuers[0].issuer: issuer: \"http://idp.example.com\" is without TLS",
        ),
        (
            "[{issuer: a, audiences: [b], jwks: {}}]",
            "issuers[0].jwks: missing `file` or `url`",
        ),
        (
            "[{issuer: a, audiences: [b], jwks: {url: 'http://idp.example.com/keys'}}]",
            "issuers[0].jwks.url: jwks_uri: \"http://idp.example.com/keys\" is without TLS",
        ),
        (
            "[{issuer: a, audiences: [b], jwks: {url: 'ftp://127.0.0.1/keys'}}]",
            "issuers[0].jwks.url: ",
        ),
        (
            "[{issuer: a, audiences: [b], jwks: {url: 'https://a:secret@b/keys'}}]",
            "issuers[0].jwks.url: jwks_uri: has an @",
        ),
        (
            "[{issuer: '', audiences: [b], jwks: {url: 'https://a/keys'}}]",
            "issuers[0].issuer: ",
        ),
        (
            "[{issuer: a, audiences: [b], jwks: {url: 'https://a/keys', file: jwks.json}}]",
            "issuers[0].jwks: either `file` or `url`, not both",
        ),
        (
            "[{issuer: a, audiences: [b], jwks: {uri: 'https://a/keys'}}]",
            "issuers[0].jwks.uri: unknown field",
        ),
        (
            "[{issuer: a, audiences: [b], jwks: {file: jwks.json}, keysCopy: copy.json}]",
            "issuers[0].keysCopy: is for keys that are fetched",
        ),
        (
            "[{issuer: a, audiences: [b], jwks: {url: 'https://a/keys'}, keysCopy: none/copy.json}]",
            "issuers[0].keysCopy: /",
        ),
        (
            "[{issuer: a, audiences: [b], jwks: {url: 'https://a/keys'}, keysCopy: copy.json}, {issuer: 'https://b', audiences: [b], keysCopy: copy.json}]",
            "issuers[1].keysCopy: is that of issuers[0] already",
        ),
        (
            "[{issuer: a, audiences: [b], jwks: {file: empty.json}}]",
            "issuers[0].jwks.file: ",
        ),
        (
            "[{issuer: a, audiences: [b], jwks: {file: nowhere.json}}]",
            "issuers[0].jwks.file: ",
        ),
        (
            "[{issuer: a, audiences: [b], certificate: nowhere.pem}]",
            "issuers[0].certificate: ",
        ),
        (
            "[{issuer: a, audiences: [b], jwks: {file: jwks.json}, certificate: a.pem}]",
            "issuers[0]: either",
        ),
        (
            "[{issuer: a, jwks: {file: jwks.json}}]",
            "issuers[0]: audience",
        ),
        (
            "[{issuer: a, audiences: [b], jwks: {file: jwks.json}, algorithms: [HS256]}]",
            "issuers[0].algorithms[0]: ",
        ),
        (
            "[{issuer: a, audiences: [b], jwks: {file: jwks.json}, algorithms: [none]}]",
            "issuers[0].algorithms[0]: ",
        ),
        (
            "[{issuer: a, audience: [b], jwks: {file: jwks.json}}]",
            "issuers[0].audience: unknown field",
        ),
    ] {
        let issuers = format!("issuers: {issuers}\n");
        let files = Files::new(&Idp::new()).issuers(&issuers).api(&api());
        files.write("empty.json", r#"{"keys":[]}"#);
        refused(&files, expected);
    }
}

#[test]
fn settings_of_the_fetching_and_of_the_admin_address_are_refused_by_name() {
    for (more, expected) in [
        (
            "fetch: {publicAddresses: true}",
            "fetch.publicAddresses: unknown field",
        ),
        (
            "fetch: {rootCertificates: nowhere.pem}",
            "gateway.yaml: fetch.rootCertificates: /",
        ),
        (
            "fetch: {rootCertificates: jwks.json}",
            "gateway.yaml: fetch.rootCertificates: ",
        ),
        ("admin: {}", "admin"),
        ("admin: {listen: nowhere}", "admin.listen: "),
        (
            "admin: {listen: '127.0.0.1:0', token: a}",
            "admin.token: unknown field",
        ),
    ] {
        let files = Files::new(&Idp::new())
            .issuers("issuers: [{issuer: 'https://idp.example.com', audiences: [b]}]\n")
            .more(&format!("{more}\n"))
            .api(&api());
        refused(&files, expected);
    }
    let files = Files::new(&Idp::new());
    let text = "listen: 127.0.0.1:8080\nadmin: {listen: 127.0.0.1:8080}\napis: []\n";
    let output = program()
        .arg("--check")
        .arg("--config")
        .arg(files.write("same.yaml", text))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let complaint = String::from_utf8(output.stderr).unwrap();
    assert!(
        complaint.contains("same.yaml: admin.listen: "),
        "{complaint}"
    );
}

#[test]
fn files_that_are_not_there_are_named() {
    let files = Files::new(&Idp::new());
    let settings = files.write("alone.yaml", "listen: 127.0.0.1:0\napis: [nowhere.yaml]\n");
    for (settings, named) in [
        (settings, "nowhere.yaml: "),
        (files.path("none.yaml"), "none.yaml: "),
    ] {
        let output = program().arg("--config").arg(settings).output().unwrap();
        let complaint = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert!(complaint.contains(named), "{complaint}");
    }
}

#[test]
fn a_wrong_command_line_is_refused_and_help_helps() {
    let output = program().output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        String::from_utf8(output.stderr)
            .unwrap()
            .contains("--config FILE is missing")
    );
    let output = program().arg("--help").output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(
        String::from_utf8(output.stdout)
            .unwrap()
            .contains("Usage: gateway --config FILE")
    );
}

#[tokio::test]
async fn an_address_that_is_taken_is_a_failure_and_not_a_mistake() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let files = Files::new(&Idp::new());
    let taken = taken.local_addr().unwrap();
    for settings in [
        format!("listen: {taken}\napis: []\n"),
        format!("listen: 127.0.0.1:0\nadmin: {{listen: {taken}}}\napis: []\n"),
    ] {
        let output = program()
            .arg("--config")
            .arg(files.write("taken.yaml", &settings))
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1));
        // Nobody is told of the one address when the other is not to be had.
        assert_eq!(String::from_utf8(output.stdout).unwrap(), "");
        let complaint = String::from_utf8(output.stderr).unwrap();
        assert!(
            complaint.contains(&format!("cannot serve at {taken}: ")),
            "{complaint}"
        );
    }
}
