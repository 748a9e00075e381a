//! A deploy happens as a whole or not at all, while requests go on.

use std::{fs, path::Path};

use http::Request;
use http_body_util::Full;
use serde_json::{Value, json};

use crate::{
    deployer::{Stage, claims, named, refused},
    gateway::{bearer, fetch},
    tls::acceptor,
};

/// An apk-conf with backend JWTs that hold this claim and end after this many seconds.
fn minting(stage: &Stage, claim: &str, ttl: u32) -> String {
    named(&stage.backend, "a", "[{target: '/*', verb: GET}]")
        + &format!(
            "apiPolicies: {{request: [{{policyName: BackendJwt, parameters: {{tokenTTL: {ttl}, \
             customClaims: [{{claim: stage, value: {claim}}}]}}}}]}}\n"
        )
}

fn ttl(claims: &Value) -> u64 {
    claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap()
}

#[tokio::test]
async fn a_request_in_flight_finishes_with_what_it_started_with() {
    let stage = Stage::empty().await;
    let id = stage.deployed(&minting(&stage, "old", 300)).await;
    let token = bearer(&stage.idp.token(&json!({})));
    let request = Request::get(stage.gateway.url("/a/1/seen-late"))
        .header("authorization", token)
        .body(Full::default())
        .unwrap();
    let in_flight = tokio::spawn(fetch(request));
    stage.backend.arrived().await;

    assert_eq!(stage.deployed(&minting(&stage, "new", 60)).await, id);
    let seen = stage.claims("/a/1/test").await;
    assert_eq!((&seen["stage"], ttl(&seen)), (&json!("new"), 60));
    assert_eq!(stage.undeploy(&id).await.status, 202);
    assert_eq!(stage.get("a").await.status, 404);

    stage.backend.release();
    let seen = claims(&in_flight.await.unwrap());
    assert_eq!((&seen["stage"], ttl(&seen)), (&json!("old"), 300));
}

#[tokio::test]
async fn a_broken_redeploy_leaves_the_api_as_it_was() {
    let stage = Stage::empty().await;
    stage.deployed(&minting(&stage, "old", 300)).await;
    stage.deployed(&stage.conf("b")).await;
    let (kept, list) = (stage.kept(), stage.list(["id", "context"]).await);
    let colliding = minting(&stage, "new", 60).replace("basePath: /a", "basePath: /b");
    for (conf, status) in [
        (minting(&stage, "new", 60).replace("GET", "GOT"), 400),
        ("{".to_owned(), 400),
        (colliding, 409),
        (stage.conf("a").replace("http:", "ftp:"), 400),
    ] {
        let answer = stage.deploy(&conf).await;
        assert_eq!(answer.status, status, "{answer:?}");
    }
    assert_eq!(stage.kept(), kept);
    assert_eq!(stage.list(["id", "context"]).await, list);
    assert_eq!(stage.claims("/a/1/test").await["stage"], "old");
    assert_eq!(stage.get("b").await.status, 200);
}

#[tokio::test]
async fn what_cannot_be_kept_is_not_served() {
    let stage = Stage::empty().await;
    let id = stage.deployed(&minting(&stage, "old", 300)).await;
    // Not even root can write into a file as if it were a directory.
    let away = stage.files.path("away");
    fs::rename(stage.directory(), &away).unwrap();
    fs::write(stage.directory(), "").unwrap();
    for answer in [
        stage.deploy(&minting(&stage, "new", 60)).await,
        stage.deploy(&stage.conf("b")).await,
        stage.undeploy(&id).await,
    ] {
        let error = refused(&answer, 500, 909022);
        assert_eq!(error["message"], "Internal server error");
        // Where it would be kept is for the log.
        assert!(!error.to_string().contains("deployed/"), "{error}");
    }
    assert_eq!(stage.claims("/a/1/test").await["stage"], "old");
    assert_eq!(stage.get("b").await.status, 404);
    assert_eq!(stage.list(["id"]).await, [[json!(id)]]);

    fs::remove_file(stage.directory()).unwrap();
    refused(&stage.deploy(&stage.conf("b")).await, 500, 909022);
    fs::rename(away, stage.directory()).unwrap();
    stage.deployed(&stage.conf("b")).await;
    assert_eq!(stage.kept().len(), 2);
}

#[tokio::test]
async fn a_conf_that_cannot_be_written_takes_its_definition_back() {
    let stage = Stage::empty().await;
    let conf = stage.conf("a") + "id: a\n";
    fs::create_dir(stage.directory().join("a.yaml")).unwrap();
    let parts = [
        ("apkConfiguration", conf.as_bytes()),
        ("definitionFile", b"{}"),
    ];
    let answer = stage.post(crate::deployer::DEPLOY, &parts).await;
    refused(&answer, 500, 909022);
    let left = fs::read_dir(stage.directory()).unwrap().count();
    assert_eq!(left, 1);
    assert_eq!(stage.get("a").await.status, 404);
}

#[tokio::test]
async fn apis_that_are_deployed_at_once_are_all_served() {
    let stage = Stage::empty().await;
    let names: Vec<_> = (0..8).map(|n| format!("api{n}")).collect();
    let confs: Vec<_> = names.iter().map(|name| stage.conf(name)).collect();
    let deploys = confs.iter().map(|conf| stage.deploy(conf));
    for answer in all(deploys).await {
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    for name in &names {
        assert_eq!(stage.get(name).await.status, 200);
    }
    assert_eq!(stage.kept().len(), 8);
}

#[tokio::test]
async fn of_two_apis_for_one_path_that_are_deployed_at_once_one_is_served() {
    let stage = Stage::empty().await;
    let confs: Vec<_> = (0..6)
        .map(|n| {
            stage
                .conf("a")
                .replace("name: a", &format!("name: other{n}"))
        })
        .collect();
    let answers = all(confs.iter().map(|conf| stage.deploy(conf))).await;
    let count = |status: u16| {
        let with = answers.iter().filter(|answer| answer.status == status);
        with.count()
    };
    assert_eq!((count(200), count(409)), (1, 5), "{answers:?}");
    assert_eq!(stage.kept().len(), 1);
    assert_eq!(stage.list(["served"]).await, [[json!(true)]]);
}

#[tokio::test]
async fn the_same_api_deployed_many_times_at_once_is_one_of_them() {
    let stage = Stage::empty().await;
    let confs: Vec<_> = (1..=6)
        .map(|n| minting(&stage, &format!("s{n}"), 60))
        .collect();
    for answer in all(confs.iter().map(|conf| stage.deploy(conf))).await {
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    let [(_, kept)] = &stage.kept()[..] else {
        panic!("{:?}", stage.kept())
    };
    let served = stage.claims("/a/1/test").await["stage"].clone();
    assert!(kept.contains(&format!("value: '{}'", served.as_str().unwrap())));
}

#[tokio::test]
async fn the_first_api_over_https_may_come_late() {
    let (acceptor, certificate) = acceptor(&["http/1.1"]);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            if let Ok(stream) = acceptor.accept(stream).await {
                tokio::spawn(crate::backend::serve_connection(stream));
            }
        }
    });
    let mut stage = Stage::empty().await;
    let http = format!("http://{}/base", stage.backend.address);
    let conf = stage
        .conf("a")
        .replace(&http, &format!("https://localhost:{port}/base"));
    let trust = stage.files.path("trusted.pem");
    let environment = [
        ("SSL_CERT_FILE", trust.as_path()),
        ("SSL_CERT_DIR", Path::new("")),
    ];
    stage.gateway = stage.files.start_with(&environment);
    stage.deployed(&stage.conf("b")).await;
    let error = refused(&stage.deploy(&conf).await, 400, 909029);
    let why = error["moreInfo"]["#/endpointConfigurations/production/endpoint"].as_str();
    assert!(why.unwrap().contains("certificate authorities"), "{error}");
    assert_eq!(stage.get("b").await.status, 200);

    stage.files.write("trusted.pem", &certificate);
    stage.deployed(&conf).await;
    assert_eq!(stage.get("a").await.status, 200);
    assert_eq!(stage.get("b").await.status, 200);

    // And after a restart without them only that one is missing.
    fs::remove_file(&trust).unwrap();
    stage.gateway = stage.files.start_with(&environment);
    assert_eq!(stage.get("a").await.status, 404);
    assert_eq!(stage.get("b").await.status, 200);
}

/// Awaits all of them at the same time.
async fn all<F: Future>(futures: impl IntoIterator<Item = F>) -> Vec<F::Output> {
    let mut futures: Vec<_> = futures.into_iter().map(Box::pin).collect();
    let mut outcomes: Vec<Option<F::Output>> = futures.iter().map(|_| None).collect();
    std::future::poll_fn(|cx| {
        for (future, outcome) in futures.iter_mut().zip(&mut outcomes) {
            if outcome.is_none()
                && let std::task::Poll::Ready(done) = future.as_mut().poll(cx)
            {
                *outcome = Some(done);
            }
        }
        match outcomes.iter().all(Option::is_some) {
            true => std::task::Poll::Ready(()),
            false => std::task::Poll::Pending,
        }
    })
    .await;
    outcomes.into_iter().flatten().collect()
}
