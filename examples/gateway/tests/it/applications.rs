//! The applications of a file, and what the service behind learns of them.

use std::{fs, os::unix::fs::symlink, path::Path, process::Command};

use serde_json::{Value, json};

use crate::{
    backend::Backend,
    deployer::claims,
    gateway::{Files, Gateway, bearer, conf, eventually, minting},
    idp::{AUDIENCE, ISSUER, Idp},
};

const OTHER_ISSUER: &str = "https://other.example.com";

/// Settings that name a file of applications.
const SETTINGS: &str = "admin: {listen: '127.0.0.1:0'}\napplications: applications.yaml\n";

/// An application with this name, of `client-1`, which is subscribed to the API.
fn shop(name: &str) -> String {
    format!(
        "applications:
  - name: {name}
    uuid: 45101ccb-865f-4f48-b7ac-18e43b07edd3
    id: '7'
    owner: carol
    tier: Unlimited
    attributes: {{cost-centre: '17', region: eu}}
    clients: [{{issuer: '{ISSUER}', clientId: client-1}}]
    subscriptions: [{{api: orders, version: 1.0.0, tier: Gold}}]
"
    )
}

struct Shop {
    files: Files,
    gateway: Gateway,
    idp: Idp,
}

impl Shop {
    /// With these applications, and two issuers that have the same keys.
    async fn open(applications: &str) -> Self {
        Self::with(|files| {
            files.write("applications.yaml", applications);
        })
        .await
    }

    async fn with(write: impl FnOnce(&Files)) -> Self {
        let backend = Backend::start().await;
        let idp = Idp::new();
        let issuer = |name: &str| {
            format!("{{issuer: '{name}', audiences: [{AUDIENCE}], jwks: {{file: jwks.json}}}}")
        };
        let files = Files::new(&idp)
            .issuers(&format!(
                "issuers: [{}, {}]\n",
                issuer(ISSUER),
                issuer(OTHER_ISSUER)
            ))
            .api(&minting(&conf(&backend, "[{target: '/test', verb: GET}]")))
            .more(SETTINGS);
        write(&files);
        Self {
            gateway: files.start(),
            files,
            idp,
        }
    }

    /// What the service behind learns of who comes with a token of these claims.
    async fn claims(&self, token: &Value) -> Value {
        let token = bearer(&self.idp.token(token));
        let headers = [("Authorization", token.as_str())];
        claims(&self.gateway.get("/orders/1.0.0/test", &headers).await)
    }

    /// The name of the application of `client-1`.
    async fn name(&self) -> Option<String> {
        let claims = self.claims(&json!({})).await;
        let name = claims.get("http://wso2.org/claims/applicationname")?;
        Some(name.as_str().unwrap().to_owned())
    }

    async fn status(&self) -> Value {
        let answer = self.gateway.ask("GET", "/applications").await;
        assert_eq!(answer.status, 200);
        answer.json()
    }

    async fn until_named(&self, name: &str) {
        eventually(async || self.name().await.filter(|seen| seen == name)).await;
    }
}

/// What is said of an application and its subscription, and what of it never is.
const ABOUT: [&str; 7] = [
    "applicationid",
    "applicationUUId",
    "applicationname",
    "applicationtier",
    "subscriber",
    "tier",
    "applicationAttributes",
];

fn about(claims: &Value) -> [Value; 7] {
    ABOUT.map(|name| claims[format!("http://wso2.org/claims/{name}")].clone())
}

#[tokio::test]
async fn the_service_behind_learns_the_application_and_its_subscription() {
    let shop = Shop::open(&shop("Web shop")).await;
    assert_eq!(
        about(&shop.claims(&json!({})).await),
        [
            json!("7"),
            json!("45101ccb-865f-4f48-b7ac-18e43b07edd3"),
            json!("Web shop"),
            json!("Unlimited"),
            json!("carol"),
            json!("Gold"),
            json!({ "cost-centre": "17", "region": "eu" }),
        ]
    );
}

#[tokio::test]
async fn of_an_application_only_what_is_known_is_said() {
    let shop = Shop::open(&format!(
        "applications: [{{name: Web shop, uuid: abc, clients: [{{issuer: '{ISSUER}', clientId: client-1}}],
          subscriptions: [{{api: orders, version: 1.1.0, tier: Gold}}]}}]\n"
    ))
    .await;
    // The tier is of a subscription to another version. The id is the uuid.
    let mut known = [const { Value::Null }; 7];
    known[..3].clone_from_slice(&[json!("abc"), json!("abc"), json!("Web shop")]);
    assert_eq!(about(&shop.claims(&json!({})).await), known);
}

#[tokio::test]
async fn a_client_that_is_not_known_goes_on_without_an_application() {
    let shop = Shop::open(&shop("Web shop")).await;
    for token in [
        json!({ "azp": "client-2" }),
        json!({ "azp": "CLIENT-1" }),
        // Its consumer key is `client_id`, whoever else it was issued for.
        json!({ "client_id": "client-2" }),
        // The same id of another issuer is another client's.
        json!({ "iss": OTHER_ISSUER }),
        // A token cannot say it of itself.
        json!({ "azp": "client-2", "http://wso2.org/claims/applicationname": "Web shop",
                "http://wso2.org/claims/tier": "Gold" }),
    ] {
        let seen = shop.claims(&token).await;
        assert_eq!(seen["sub"], "alice", "{token}");
        assert_eq!(about(&seen), [const { Value::Null }; 7], "{token}");
    }
}

#[test]
fn applications_that_are_wrong_at_the_start_are_refused_with_their_place() {
    for (text, expected) in [
        (None, "applications.yaml: No such file"),
        (Some(String::new()), "applications.yaml:1:1: "),
        (
            Some(shop("x").replace("owner:", "ownr:")),
            "applications.yaml:5:5: applications[0].ownr: unknown field",
        ),
        (
            Some(shop("x").replace("'17'", "[17]")),
            "applications.yaml:7:31: applications[0].attributes",
        ),
        (
            Some(shop("x").replace("Gold}", "Gold, status: paused}")),
            "applications[0].subscriptions[0].status: unknown variant",
        ),
        (
            Some(shop("''")),
            "applications.yaml: applications[0].name: is empty",
        ),
        (
            Some(
                shop("x")
                    + "  - {name: y, uuid: b, clients: [{issuer: 'https://idp.example.com', clientId: client-1}]}\n",
            ),
            "applications.yaml: applications[1].clients[0].clientId: the issuer's client is named twice",
        ),
    ] {
        let files = Files::new(&Idp::new()).more(SETTINGS);
        if let Some(text) = &text {
            files.write("applications.yaml", text);
        }
        let (code, complaint) = files.check();
        assert_eq!(code, Some(2), "{complaint}");
        assert!(
            complaint.contains(expected),
            "{complaint}\nexpected {expected}"
        );
    }
}

#[tokio::test]
async fn a_change_is_seen_and_a_mistake_changes_nothing_but_what_is_told() {
    let open = Shop::open(&shop("Web shop")).await;
    let file = open.files.path("applications.yaml");
    let status =
        |applications: usize| json!({ "file": &file, "applications": applications, "error": null });
    assert_eq!(open.status().await, status(1));

    fs::write(&file, shop("Web shop").replace("tier:", "teir:")).unwrap();
    let told = eventually(async || {
        let status = open.status().await;
        (!status["error"].is_null()).then_some(status)
    })
    .await;
    assert_eq!(told["applications"], 1);
    let error = told["error"].as_str().unwrap();
    assert!(
        error.contains("applications.yaml:6:5: applications[0].teir: unknown field"),
        "{error}"
    );
    assert_eq!(open.name().await.unwrap(), "Web shop");

    fs::write(&file, shop("Mail shop")).unwrap();
    open.until_named("Mail shop").await;
    assert_eq!(open.status().await, status(1));
}

/// Kubernetes mounts a secret so: a file is a link into a directory, which is a link that is exchanged.
#[tokio::test]
async fn a_file_whose_link_is_exchanged_is_read_again() {
    let version = |files: &Files, name: &str| {
        let folder = files.path(name);
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("applications.yaml"), shop(name)).unwrap();
    };
    let shop = Shop::with(|files| {
        version(files, "first");
        symlink("first", files.path("data")).unwrap();
        symlink("data/applications.yaml", files.path("applications.yaml")).unwrap();
    })
    .await;
    assert_eq!(shop.name().await.unwrap(), "first");

    version(&shop.files, "second");
    symlink("second", shop.files.path("new")).unwrap();
    fs::rename(shop.files.path("new"), shop.files.path("data")).unwrap();
    shop.until_named("second").await;
}

#[tokio::test]
async fn without_applications_there_is_nothing_to_tell_of_them() {
    let gateway = Files::new(&Idp::new())
        .more("admin: {listen: '127.0.0.1:0'}\n")
        .start();
    let answer = gateway.ask("GET", "/applications").await;
    assert_eq!((answer.status.as_u16(), answer.json()), (200, Value::Null));
}

#[tokio::test]
async fn the_applications_in_the_folder_know_the_demo_identity_providers_client() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
    assert!(read("gateway.yaml").contains("\n# applications: applications.yaml "));

    let backend = Backend::start().await;
    let api =
        read("apis/test-backend-jwt.yaml").replace("127.0.0.1:9000", &backend.address.to_string());
    let files = Files::new(&Idp::new())
        .api(&format!("{api}subscriptionValidation: true\n"))
        .issuers("issuers: [{issuer: 'https://idp.example.com', audiences: [test-backend-jwt], jwks: {file: jwks.json}}]\n")
        .more(SETTINGS);
    files.write("applications.yaml", &read("applications.yaml"));
    let output = Command::new(env!("CARGO_BIN_EXE_demo-idp"))
        .arg("--out")
        .arg(files.folder())
        .output()
        .unwrap();
    let token = bearer(String::from_utf8(output.stdout).unwrap().trim());
    let answer = files
        .start()
        .get("/backend_jwt/1.0.0/test", &[("Authorization", &token)])
        .await;
    let seen = about(&claims(&answer));
    assert!(!seen.contains(&Value::Null), "{seen:?}");
}
