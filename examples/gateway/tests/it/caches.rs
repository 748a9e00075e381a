//! What is remembered from one request to the next.

use serde_json::{Value, json};

use crate::{
    backend::Backend,
    deployer::{Stage, named},
    gateway::{Files, Gateway, bearer, conf, minting},
    idp::Idp,
};

const OPERATIONS: &str = "[{target: '/one', verb: GET}, {target: '/two', verb: GET}]";

async fn caches(gateway: &Gateway) -> Value {
    gateway.ask("GET", "/caches").await.json()
}

#[tokio::test]
async fn a_token_is_verified_once_for_all_operations_and_deploys() {
    let stage = Stage::empty().await;
    let conf = |name: &str| minting(&named(&stage.backend, name, OPERATIONS));
    stage.deployed(&conf("a")).await;
    let token = bearer(&stage.idp.token(&json!({})));
    let get = async |path: &str| {
        let answer = stage.gateway.get(path, &[("Authorization", &token)]).await;
        assert_eq!(answer.status, 200, "{path}");
        answer.seen("x-jwt-assertion").unwrap()
    };
    let minted = get("/a/1/one").await;
    assert_eq!(get("/a/1/two").await, minted);
    stage.deployed(&conf("b")).await;
    assert_eq!(get("/a/1/one").await, minted);
    assert_ne!(get("/b/1/one").await, minted);

    let told = caches(&stage.gateway).await;
    let tokens = ["entries", "misses"].map(|field| told["tokens"][field].clone());
    assert_eq!(tokens, [1, 1], "{told}");
    // Another API is another backend JWT.
    let jwts = ["entries", "misses"].map(|field| told["backend_jwts"][field].clone());
    assert_eq!(jwts, [2, 2], "{told}");

    // Who was refused is not remembered.
    let forged = bearer(&Idp::new().token(&json!({})));
    let headers = [("Authorization", forged.as_str())];
    assert_eq!(stage.gateway.get("/a/1/one", &headers).await.status, 401);
    assert_eq!(caches(&stage.gateway).await["tokens"]["entries"], 1);
}

#[tokio::test]
async fn a_cache_that_is_switched_off_remembers_nothing() {
    let idp = Idp::new();
    let backend = Backend::start().await;
    let gateway = Files::new(&idp)
        .more(
            "cache: {tokens: {entries: 0}, backendJwts: {entries: 0}}\nadmin: {listen: '127.0.0.1:0'}\n",
        )
        .api(&minting(&conf(&backend, "[{target: '/test', verb: GET}]")))
        .start();
    let token = bearer(&idp.token(&json!({})));
    let headers = [("Authorization", token.as_str())];
    for _ in 0..2 {
        let answer = gateway.get("/orders/1.0.0/test", &headers).await;
        assert_eq!(answer.status, 200);
    }
    let told = caches(&gateway).await;
    assert_eq!(told, json!({ "tokens": null, "backend_jwts": null }));
}
