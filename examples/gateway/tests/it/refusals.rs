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
            "issuers[0]: missing `jwks` or `certificate`",
        ),
        (
            "[{issuer: a, audiences: [b], jwks: {}}]",
            "issuers[0].jwks: missing `file`",
        ),
        (
            "[{issuer: a, audiences: [b], jwks: {url: 'https://a/jwks'}}]",
            "issuers[0].jwks.url: not yet",
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
        refused(
            &Files::new(&Idp::new()).issuers(&issuers).api(&api()),
            expected,
        );
    }
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
    let listen = format!("listen: {}\napis: []\n", taken.local_addr().unwrap());
    let output = program()
        .arg("--config")
        .arg(files.write("taken.yaml", &listen))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(
        String::from_utf8(output.stderr)
            .unwrap()
            .contains("cannot serve at 127.0.0.1:")
    );
}
