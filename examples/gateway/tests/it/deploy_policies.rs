//! Backend JWTs while their policies are deployed.

use serde_json::json;

use crate::{
    deployer::{Stage, named},
    gateway::bearer,
    idp::part,
};

/// An apk-conf whose backend JWTs say these, and those of its operation `/own` that.
fn conf(stage: &Stage, name: &str, (all, own): (&str, &str)) -> String {
    let policies = |claim: &str| {
        format!(
            "{{request: [{{policyName: BackendJwt, parameters: {{customClaims: [{{claim: stage, value: {claim}}}]}}}}]}}"
        )
    };
    let operations = format!(
        "[{{target: /test, verb: GET}}, {{target: /own, verb: GET, operationPolicies: {}}}]",
        policies(own)
    );
    named(&stage.backend, name, &operations) + &format!("apiPolicies: {}\n", policies(all))
}

/// What the service behind gets for one access token.
struct Caller<'a> {
    stage: &'a Stage,
    token: String,
}

impl<'a> Caller<'a> {
    fn new(stage: &'a Stage) -> Self {
        let token = bearer(&stage.idp.token(&json!({})));
        Self { stage, token }
    }

    async fn jwt(&self, path: &str) -> String {
        let headers = [("Authorization", self.token.as_str())];
        let answer = self.stage.gateway.get(path, &headers).await;
        answer.seen("x-jwt-assertion").unwrap()
    }

    /// Of both operations of both APIs.
    async fn jwts(&self) -> [String; 4] {
        [
            self.jwt("/a/1/test").await,
            self.jwt("/a/1/own").await,
            self.jwt("/b/1/test").await,
            self.jwt("/b/1/own").await,
        ]
    }
}

fn stages(jwts: &[String; 4]) -> [String; 4] {
    jwts.each_ref()
        .map(|jwt| part(jwt, 1)["stage"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn a_deploy_changes_the_backend_jwts_of_what_it_changes_and_no_others() {
    let stage = Stage::empty().await;
    stage.deployed(&conf(&stage, "a", ("a", "a-own"))).await;
    stage.deployed(&conf(&stage, "b", ("b", "b-own"))).await;
    let caller = Caller::new(&stage);
    let first = caller.jwts().await;
    assert_eq!(stages(&first), ["a", "a-own", "b", "b-own"]);
    assert_eq!(caller.jwts().await, first);

    // The same again: nothing changes.
    stage.deployed(&conf(&stage, "b", ("b", "b-own"))).await;
    assert_eq!(caller.jwts().await, first);

    // An operation's own policy.
    stage.deployed(&conf(&stage, "b", ("b", "new-own"))).await;
    let second = caller.jwts().await;
    assert_eq!(stages(&second), ["a", "a-own", "b", "new-own"]);
    assert_eq!(second[..3], first[..3]);

    // The API's: the operation's own comes before it still.
    stage.deployed(&conf(&stage, "b", ("new", "new-own"))).await;
    let third = caller.jwts().await;
    assert_eq!(stages(&third), ["a", "a-own", "new", "new-own"]);
    assert_eq!(third[..2], first[..2]);
    assert_eq!(third[3], second[3]);

    // What was said once is not said again from memory: it is another policy.
    stage.deployed(&conf(&stage, "b", ("b", "b-own"))).await;
    let last = caller.jwts().await;
    assert_eq!(stages(&last), stages(&first));
    assert_eq!(last[..2], first[..2]);
    assert!(last[2] != first[2] && last[3] != first[3]);
}

#[tokio::test]
async fn an_api_that_comes_or_goes_or_fails_changes_no_other_apis_backend_jwts() {
    let stage = Stage::empty().await;
    stage.deployed(&conf(&stage, "a", ("a", "a-own"))).await;
    let caller = Caller::new(&stage);
    let jwt = caller.jwt("/a/1/own").await;

    let id = stage.deployed(&conf(&stage, "b", ("b", "b-own"))).await;
    assert_eq!(caller.jwt("/a/1/own").await, jwt);
    // Both are refused, one beside the others and one by itself.
    let wrong = conf(&stage, "a", ("x", "y")).replace("basePath: /a", "basePath: /b");
    assert_eq!(stage.deploy(&wrong).await.status, 409);
    let wrong = conf(&stage, "a", ("x", "y")).replace("value: y", "value: y, type: int");
    assert_eq!(stage.deploy(&wrong).await.status, 400);
    assert_eq!(caller.jwt("/a/1/own").await, jwt);
    assert_eq!(stage.undeploy(&id).await.status, 202);
    assert_eq!(caller.jwt("/a/1/own").await, jwt);
}
