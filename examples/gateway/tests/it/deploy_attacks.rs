//! What is sent to do harm.

use std::fs;

use http::Request;
use http_body_util::Full;

use crate::{
    deployer::{DEPLOY, FORM, Stage, admin_token, form, refused},
    gateway::{bearer, fetch},
};

#[tokio::test]
async fn an_id_is_never_a_path() {
    let stage = Stage::empty().await;
    let before: Vec<_> = names(&stage);
    for id in [
        "../x",
        "..",
        ".",
        ".x",
        "/tmp/x",
        "x/y",
        "x\\\\y",
        "x\\0",
        "x y",
        "\u{e9}",
        "deploy",
        "",
        "%2e%2e",
        &"x".repeat(65),
    ] {
        let conf = format!("{}id: \"{id}\"\n", stage.conf("a"));
        let error = refused(&stage.deploy(&conf).await, 400, 909029);
        let more = error["moreInfo"].as_object().unwrap();
        assert!(
            more.contains_key("#/id") || more.contains_key("#"),
            "{id}: {error}"
        );
    }
    for id in ["1", "[a]", "{a: b}", "true"] {
        let conf = format!("{}id: {id}\n", stage.conf("a"));
        let error = refused(&stage.deploy(&conf).await, 400, 909029);
        assert!(!error["moreInfo"]["#/id"].is_null(), "{id}: {error}");
    }
    for id in [
        "../gateway",
        "..%2Fgateway",
        "%2e%2e%2fgateway",
        "gateway%00",
    ] {
        refused(&stage.undeploy(id).await, 404, 909001);
    }
    assert_eq!(names(&stage), before);
    assert_eq!(stage.kept(), []);
}

/// The files beside the directory of the deployed APIs.
fn names(stage: &Stage) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(stage.files.folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_conf_that_is_a_burden_to_read_is_refused() {
    let stage = Stage::empty().await;
    let laughs = "a0: &a0 [x, x, x, x, x, x, x, x]\n".to_owned()
        + &(1..20)
            .map(|n| format!("a{n}: &a{n} [{}]\n", format!("*a{}, ", n - 1).repeat(8)))
            .collect::<String>();
    let long = format!(
        "a: &a {}\nb: [{}]\n",
        "x".repeat(500_000),
        "*a, ".repeat(50)
    );
    for conf in [
        laughs,
        long,
        "a: &a [*a]\n".to_owned(),
        "[".repeat(500_000),
        "- ".repeat(500_000),
        "{a: ".repeat(50_000),
        format!("a: [{}]", "1,".repeat(400_000)),
        "a: 1\n---\n".repeat(2_000),
        "&a ".repeat(10_000),
        "! ".repeat(10_000),
        "\t".repeat(10_000),
        "\0".to_owned(),
        "\u{feff}".to_owned(),
        String::new(),
    ] {
        let error = refused(&stage.deploy(&conf).await, 400, 909029);
        assert!(error.to_string().len() < 20_000);
    }
    for bytes in [&b"name: \xff\xfe"[..], b"\xc0\xae", b"name: \xed\xa0\x80"] {
        let answer = stage.post(DEPLOY, &[("apkConfiguration", bytes)]).await;
        let error = refused(&answer, 400, 909029);
        assert_eq!(error["moreInfo"]["#"], "is not UTF-8");
    }
    assert_eq!(stage.deploy(&stage.conf("a")).await.status, 200);
}

#[tokio::test]
async fn a_number_is_what_it_is_or_nothing() {
    let stage = Stage::empty().await;
    let policy = |ttl: &str| {
        stage.conf("a").replace(", secured: false", "")
            + &format!(
                "apiPolicies: {{request: [{{policyName: BackendJwt, parameters: {{tokenTTL: {ttl}}}}}]}}\n"
            )
    };
    for number in [
        "1e400",
        "-1",
        "0",
        "1.5",
        ".inf",
        "18446744073709551616",
        "999999999999999999999999999999999999999999",
        "-99999999999999999999",
    ] {
        refused(&stage.deploy(&policy(number)).await, 400, 909029);
    }
    for version in ["1.10", "1", "0x10", "1_0", "1e3", "true", "null"] {
        let conf = stage.conf("a").replace("'1'", version);
        let answer = stage.deploy(&conf).await;
        // It is a text as it is written, or it is refused: never another version.
        if answer.status == 200 {
            let list = stage.list(["version"]).await;
            assert_eq!(list, [[serde_json::json!(version)]]);
        } else {
            let error = refused(&answer, 400, 909029);
            assert!(!error["moreInfo"]["#/version"].is_null(), "{error}");
        }
    }
}

#[tokio::test]
async fn names_from_a_conf_are_shown_and_not_obeyed() {
    let stage = Stage::empty().await;
    let called = |name: &str| {
        let conf = stage.conf("a");
        conf.replace("name: a", &format!("name: \"{name}\""))
    };
    stage.deployed(&called("a\\\"}{$ ` ${x}")).await;
    let list = stage.list(["name"]).await;
    assert_eq!(list, [[serde_json::json!("a\"}{$ ` ${x}")]]);
    for (conf, place) in [
        (
            called("x\\n\\e[2K\\rlistening on http://192.0.2.1:1"),
            "#/name",
        ),
        (called("a\\x85"), "#/name"),
        (stage.conf("a").replace("'1'", "\"1\\e[2K\""), "#/version"),
        (stage.conf("a") + "id: \"a\\x7f\"\n", "#/id"),
    ] {
        let error = refused(&stage.deploy(&conf).await, 400, 909029);
        assert_eq!(error["moreInfo"][place], "has a control character");
    }
    let field = format!("\"{}<script>\": 1\n", "x".repeat(100_000));
    let error = refused(
        &stage.deploy(&(stage.conf("b") + &field)).await,
        400,
        909029,
    );
    assert!(error.to_string().len() < 2_000);
}

#[tokio::test]
async fn who_deploys_is_in_the_log_and_no_token_is() {
    let mut stage = Stage::empty().await;
    stage.gateway = stage.files.start_logging("log");
    let id = stage.deployed(&stage.conf("a")).await;
    refused(&stage.deploy("{}").await, 400, 909029);
    assert_eq!(stage.undeploy(&id).await.status, 202);
    refused(&stage.undeploy(&id).await, 404, 909001);
    let stranger = admin_token(&crate::idp::Idp::new());
    let request = Request::post(stage.gateway.admin_url(DEPLOY))
        .header("authorization", bearer(&stranger))
        .header("content-type", FORM)
        .body(Full::new(form(&[])))
        .unwrap();
    assert_eq!(fetch(request).await.status, 401);
    let forged = stage.conf("b") + "id: \"x\\nINFO an API is deployed\"\n";
    refused(&stage.deploy(&forged).await, 400, 909029);

    let log = fs::read_to_string(stage.files.path("log")).unwrap();
    let line = |parts: &[&str]| {
        let found = log
            .lines()
            .filter(|line| parts.iter().all(|part| line.contains(part)));
        assert_eq!(found.count(), 1, "{parts:?}\n{log}");
    };
    let who = "subject=\"alice\" client=\"client-1\"";
    line(&[
        "INFO",
        "an API is deployed",
        &id,
        "name=\"a\" version=\"1\"",
        who,
    ]);
    line(&[
        "INFO",
        "an API is undeployed",
        &id,
        "name=\"a\" version=\"1\"",
        who,
    ]);
    line(&[
        "WARN",
        "is refused",
        "call=\"deploy\"",
        "#/basePath: missing field",
        who,
    ]);
    line(&["WARN", "is refused", "call=\"undeploy\"", "404", who]);
    for token in [&stage.token, &stranger] {
        for part in token.split('.') {
            assert!(!log.contains(part), "{log}");
        }
    }
}

#[tokio::test]
async fn warnings_come_once_for_each_deploy() {
    let mut stage = Stage::empty().await;
    let open =
        |name: &str| stage.conf(name) + "authentication: [{authType: OAuth2, enabled: false}]\n";
    let (a, b) = (open("a"), open("b"));
    stage.deployed(&a).await;
    stage.gateway = stage.files.start_logging("log");
    stage.deployed(&b).await;
    stage.deployed(&stage.conf("c")).await;
    let log = fs::read_to_string(stage.files.path("log")).unwrap();
    for (name, count) in [("a", 1), ("b", 1), ("c", 0)] {
        let warned = log.lines().filter(|line| {
            line.contains("authentication is disabled") && line.contains(&format!("api=\"{name}\""))
        });
        assert_eq!(warned.count(), count, "{name}\n{log}");
    }
}

#[tokio::test]
async fn a_value_that_lacks_its_quotes_is_in_no_answer_and_no_log() {
    let mut stage = Stage::empty().await;
    stage.gateway = stage.files.start_logging("log");
    let policy = |value: &str| {
        stage.conf("a")
            + &format!(
                "apiPolicies: {{request: [{{policyName: SetHeader, parameters: {{headerName: X-Api-Key, headerValue: {value}}}}}]}}\n"
            )
    };
    for value in [
        "48151623421337",
        "4815162342.1337",
        "[48151623421337]",
        "{a: 48151623421337}",
    ] {
        let error = refused(&stage.deploy(&policy(value)).await, 400, 909029);
        let why = &error["moreInfo"]["#/apiPolicies/request/0/parameters/headerValue"];
        let why = why.as_str().unwrap_or_else(|| panic!("{error}"));
        assert!(why.contains("expected a string"), "{error}");
        assert!(!error.to_string().contains("4815"), "{error}");
    }
    let log = fs::read_to_string(stage.files.path("log")).unwrap();
    assert!(log.contains("expected a string"), "{log}");
    assert!(!log.contains("4815"), "{log}");
    // Nor where the gateway starts.
    let files = crate::gateway::Files::new(&stage.idp).api(&policy("48151623421337"));
    let (code, complaint) = files.check();
    assert_eq!(code, Some(2));
    assert!(complaint.contains("expected a string"), "{complaint}");
    assert!(!complaint.contains("4815"), "{complaint}");
}

#[cfg(unix)]
#[tokio::test]
async fn a_directory_that_is_open_to_others_is_warned_of() {
    use std::os::unix::fs::PermissionsExt;

    let mut stage = Stage::empty().await;
    for (mode, count) in [(0o700, 0), (0o750, 1), (0o707, 1)] {
        fs::set_permissions(stage.directory(), fs::Permissions::from_mode(mode)).unwrap();
        stage.gateway = stage.files.start_logging("log");
        let log = fs::read_to_string(stage.files.path("log")).unwrap();
        let warned = log.lines().filter(|line| line.contains("than its owner"));
        assert_eq!(warned.count(), count, "{mode:o}\n{log}");
    }
}
