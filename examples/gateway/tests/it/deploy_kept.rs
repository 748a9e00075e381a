//! What is deployed is there again after a restart.

use std::fs;

use serde_json::json;

use crate::{
    deployer::{DEPLOY, SETTINGS, Stage, named, refused},
    gateway::Files,
    idp::Idp,
};

#[tokio::test]
async fn deployed_apis_outlast_a_restart() {
    let mut stage = Stage::with(|files, backend| {
        files.api(&named(
            backend,
            "named",
            "[{target: '/*', verb: GET, secured: false}]",
        ))
    })
    .await;
    let conf = stage.conf("a") + "id: a.b\n";
    let definition = ("definitionFile", &b"openapi: 3.1.0\n"[..]);
    let parts = [("apkConfiguration", conf.as_bytes()), definition];
    assert_eq!(stage.post(DEPLOY, &parts).await.status, 200);
    let gone = stage.deployed(&stage.conf("b")).await;
    stage.deployed(&stage.conf("c")).await;
    assert_eq!(stage.undeploy(&gone).await.status, 202);
    let (list, read) = (stage.read("/apis").await, stage.read("/apis/a.b").await);

    stage.restart();
    let again = stage.read("/apis").await.json();
    assert_eq!(sorted(&again), sorted(&list.json()));
    assert_eq!(stage.read("/apis/a.b").await.body, read.body);
    let definition = stage.read("/apis/a.b/definition").await;
    assert_eq!(definition.body, "openapi: 3.1.0\n");
    for (name, status) in [("a", 200), ("b", 404), ("c", 200), ("named", 200)] {
        assert_eq!(stage.get(name).await.status, status, "{name}");
    }
    let said = &stage.gateway.announcement;
    assert!(said.contains("a 1 (a.b), deployed\n"), "{said}");
    assert!(said.contains("/api/deployer, kept in "), "{said}");
    assert_eq!(stage.undeploy("a.b").await.status, 202);
    assert_eq!(stage.kept().len(), 1);
}

#[tokio::test]
async fn a_redeploy_has_the_definition_that_came_with_it_or_none() {
    let stage = Stage::empty().await;
    let conf = stage.conf("a") + "id: a\n";
    let apk = ("apkConfiguration", conf.as_bytes());
    for definition in ["{}", "[]", "[]"] {
        let parts = [apk, ("definitionFile", definition.as_bytes())];
        assert_eq!(stage.post(DEPLOY, &parts).await.status, 200);
        assert_eq!(stage.read("/apis/a/definition").await.body, definition);
        assert_eq!(stage.kept().len(), 2);
    }
    // Another API, whose id begins with that of the first.
    let other = stage.conf("b") + "id: a.b\n";
    let parts = [
        ("apkConfiguration", other.as_bytes()),
        ("definitionFile", b"{}"),
    ];
    assert_eq!(stage.post(DEPLOY, &parts).await.status, 200);
    assert_eq!(stage.deploy(&conf).await.status, 200);
    refused(&stage.read("/apis/a/definition").await, 404, 909001);
    assert_eq!(stage.read("/apis/a.b/definition").await.body, "{}");
    assert_eq!(stage.kept().len(), 3);
}

#[tokio::test]
async fn a_broken_file_is_reported_and_the_others_are_served() {
    let mut stage = Stage::with(|files, backend| {
        files.api(
            &(named(
                backend,
                "named",
                "[{target: '/*', verb: GET, secured: false}]",
            ) + "id: named\n"),
        )
    })
    .await;
    stage.deployed(&(stage.conf("a") + "id: a\n")).await;
    let write = |name: &str, content: &[u8]| {
        fs::write(stage.directory().join(name), content).unwrap();
    };
    write("by-hand.yaml", stage.conf("by-hand").as_bytes());
    write("cut.yaml", &stage.conf("cut").as_bytes()[..60]);
    write("bytes.yaml", b"name: \xff\n");
    write(
        "long.yaml",
        format!("# {}", "x".repeat(2_000_000)).as_bytes(),
    );
    write(
        "number.yaml",
        stage.conf("n").replace("'1'", "1.10").as_bytes(),
    );
    write("other.yaml", (stage.conf("o") + "id: another\n").as_bytes());
    write("taken.yaml", stage.conf("by-hand").as_bytes());
    write("named.yaml", stage.conf("n").as_bytes());
    write("A.yaml", stage.conf("upper").as_bytes());
    write("no id.yaml", stage.conf("n").as_bytes());
    fs::create_dir(stage.directory().join("directory.yaml")).unwrap();
    // Not the gateway's own.
    for name in [
        ".tmpAbCdEf",
        ".hidden.yaml",
        "notes.txt",
        "a.yml",
        "x.definition",
    ] {
        write(name, b"{");
    }

    stage.restart();
    let list = stage.list(["id", "file", "served", "error"]).await;
    let (served, broken): (Vec<_>, Vec<_>) = list.iter().partition(|api| api[2] == true);
    let ids: Vec<_> = served.iter().map(|api| api[0].as_str().unwrap()).collect();
    // In the order of their names: of those that collide, the first is served.
    assert_eq!(ids, ["named", "A", "by-hand"]);
    let broken: Vec<_> = broken
        .iter()
        .map(|api| (api[0].as_str(), api[3].as_str().unwrap()))
        .collect();
    for (id, error) in [
        (Some("a"), "id: the API `upper` has the id `A`"),
        (Some("bytes"), "UTF-8"),
        (Some("cut"), "expected"),
        (Some("directory"), "is not a file"),
        (Some("long"), "is too long"),
        (Some("named"), "id: the API `named` has the id `named`"),
        (None, "the name of the file has a character"),
        (Some("number"), "version: "),
        (Some("other"), "id: is not that of the file's name"),
        (
            Some("taken"),
            "basePath: another API is served at `/by-hand/1`",
        ),
    ] {
        let found = broken
            .iter()
            .any(|(other, text)| *other == id && text.contains(error));
        assert!(found, "{id:?} {error}: {broken:?}");
        if let Some(id) = id {
            let said = &stage.gateway.announcement;
            let line = format!("{id}.yaml:");
            let said = said
                .lines()
                .any(|said| said.starts_with("not served: ") && said.contains(&line));
            assert!(said, "{id}: {}", stage.gateway.announcement);
        }
    }
    assert_eq!(stage.get("by-hand").await.status, 200);
    assert_eq!(stage.get("upper").await.status, 200);
}

#[tokio::test]
async fn a_broken_file_is_replaced_by_a_deploy_and_removed_by_an_undeploy() {
    let mut stage = Stage::empty().await;
    for id in ["a", "b"] {
        fs::write(stage.directory().join(format!("{id}.yaml")), "{").unwrap();
    }
    stage.restart();
    let (code, said) = stage.files.check();
    assert_eq!(code, Some(2));
    assert!(
        said.contains("2 of the deployed APIs would not be served"),
        "{said}"
    );
    refused(&stage.read("/apis/a").await, 404, 909001);
    assert_eq!(stage.undeploy("a").await.status, 202);
    stage.deployed(&(stage.conf("b") + "id: b\n")).await;
    assert_eq!(
        stage.list(["id", "served"]).await,
        [[json!("b"), json!(true)]]
    );
    assert_eq!(stage.kept().len(), 1);
    assert_eq!(stage.files.check().0, Some(0));
    assert_eq!(stage.get("b").await.status, 200);
}

#[cfg(unix)]
#[tokio::test]
async fn what_is_kept_is_for_the_gateway_alone() {
    use std::os::unix::fs::PermissionsExt;

    let stage = Stage::empty().await;
    let conf = stage.conf("a");
    let parts = [
        ("apkConfiguration", conf.as_bytes()),
        ("definitionFile", b"{}"),
    ];
    assert_eq!(stage.post(DEPLOY, &parts).await.status, 200);
    let mode = |path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(stage.directory()), 0o700);
    for (name, _) in stage.kept() {
        assert_eq!(mode(stage.directory().join(name)), 0o600);
    }
}

#[tokio::test]
async fn a_check_tells_of_the_deployed_apis_and_makes_nothing() {
    let files = Files::new(&Idp::new()).more(SETTINGS);
    let (code, said) = files.check();
    assert_eq!(code, Some(0), "{said}");
    assert!(!files.path("deployed").exists());

    let stage = Stage::empty().await;
    stage.deployed(&(stage.conf("a") + "id: a\n")).await;
    fs::write(stage.directory().join("b.yaml"), "{").unwrap();
    let told = stage.files.checked();
    assert!(told.contains("a 1 (a), deployed\n"), "{told}");
    assert!(told.contains("not served: "), "{told}");
    assert!(told.contains("/api/deployer, kept in "), "{told}");
}

#[tokio::test]
async fn a_gateway_may_have_no_apis_of_its_own() {
    let idp = Idp::new();
    let files = Files::new(&idp).more(SETTINGS);
    let text = fs::read_to_string(files.settings()).unwrap();
    let without = text.replace("apis: []\n", "");
    for (text, code) in [
        (without.clone(), 0),
        (without.replace("apis_dir", "apisDir"), 0),
        (without.replace(SETTINGS, ""), 2),
    ] {
        let file = files.write("other.yaml", &text);
        let output = crate::gateway::program()
            .arg("--config")
            .arg(file)
            .arg("--check")
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(code), "{output:?}");
        let complaint = String::from_utf8(output.stderr).unwrap();
        assert_eq!(
            complaint.contains("apis: missing"),
            code == 2,
            "{complaint}"
        );
    }
}

fn sorted(list: &serde_json::Value) -> Vec<serde_json::Value> {
    let mut list = list.as_array().unwrap().clone();
    list.sort_by_key(|api| api["id"].as_str().unwrap().to_owned());
    list
}
