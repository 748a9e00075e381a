//! The `BackendJwt` policy as an apk-conf writes it.

use serde::Deserialize;
use serde_json::json;
use tests::{
    forge::{self, claims_of},
    keys::{key, ring},
    time::clock,
    upstream::{get_with, send, signed, upstream},
};
use tower::{ServiceBuilder, service_fn};
use tower_backend_jwt::{
    AccessTokenLayer, BackendJwtEntry, BackendJwtLayer, Compatibility, CopiedClaims, Policy,
};
use tower_jwks::{Algorithm, ConfigError};

/// The entry of the documentation's sample, as it stands there.
const SAMPLE: &str = r#"
policyName: "BackendJwt"
parameters:
  encoding: Base64
  signingAlgorithm: SHA256withRSA
  header: X-JWT-Assertion
  tokenTTL: 3600
  customClaims:
  - claim: claim1
    value: value1
  - claim: claim2
    value: value2
"#;

fn policy(yaml: &str) -> Result<Policy, String> {
    serde_saphyr::from_str::<BackendJwtEntry>(yaml)
        .map(Policy::from)
        .map_err(|error| error.to_string())
}

fn fits(policy: Policy, algorithm: Algorithm) -> Result<(), ConfigError> {
    BackendJwtLayer::new(ring(algorithm))
        .policy(policy)
        .map(|_| ())
}

#[tokio::test]
async fn the_sample_of_the_documentation_loads_and_does_what_it_says() {
    let layer = BackendJwtLayer::new(ring(Algorithm::RS256))
        .clock(clock())
        .policy(policy(SAMPLE).unwrap())
        .unwrap();
    let service = ServiceBuilder::new()
        .layer(AccessTokenLayer::new(forge::verifier(key(
            Algorithm::EdDSA,
        ))))
        .layer(layer)
        .service(service_fn(upstream));
    let token = signed(&json!({"exp": tests::time::NOW.as_secs() + 9999}));
    let claims = claims_of(&send(&service, get_with(&token)).await.backend_jwt());
    assert_eq!(
        (&claims["claim1"], &claims["claim2"]),
        (&json!("value1"), &json!("value2"))
    );
    let [iat, exp] = ["iat", "exp"].map(|name| claims[name].as_u64().unwrap());
    assert_eq!(exp - iat, 3600);
    assert_eq!(
        claims["scope"], "orders:read orders:write",
        "all is copied, as WSO2's gateways do"
    );
}

#[tokio::test]
async fn every_algorithm_has_its_java_name_and_its_jose_name() {
    for (name, algorithm) in [
        ("SHA256withRSA", Algorithm::RS256),
        ("SHA384withRSA", Algorithm::RS384),
        ("SHA512withRSA", Algorithm::RS512),
        ("SHA256withECDSA", Algorithm::ES256),
        ("SHA384withECDSA", Algorithm::ES384),
        ("PS256", Algorithm::PS256),
        ("EdDSA", Algorithm::EdDSA),
        ("Ed25519", Algorithm::EdDSA),
    ] {
        let yaml = format!("policyName: BackendJwt\nparameters: {{signingAlgorithm: {name}}}");
        assert_eq!(fits(policy(&yaml).unwrap(), algorithm), Ok(()), "{name}");
        let other = if algorithm == Algorithm::ES256 {
            Algorithm::EdDSA
        } else {
            Algorithm::ES256
        };
        let error = fits(policy(&yaml).unwrap(), other).unwrap_err();
        assert_eq!(error.field(), "algorithm", "{name}");
    }
}

#[test]
fn both_encodings_are_understood_and_all_parameters_may_be_left_out() {
    for encoding in ["Base64", "Base64url", "Base64Url", "base64", "base64url"] {
        let yaml = format!("policyName: BackendJwt\nparameters: {{encoding: {encoding}}}");
        assert!(policy(&yaml).is_ok(), "{encoding}");
    }
    assert!(policy("policyName: BackendJwt\nparameters: {}").is_ok());
    let with_version = "policyName: BackendJwt\npolicyVersion: v1\npolicyId: x\nparameters: {}";
    assert!(policy(with_version).is_ok());
}

#[test]
fn whatever_is_wrong_is_named_by_its_field() {
    let parameters = |text: &str| format!("policyName: BackendJwt\nparameters: {{{text}}}");
    let claim = |text: &str| parameters(&format!("customClaims: [{{{text}}}]"));
    for (yaml, error) in [
        ("parameters: {}".to_owned(), "policyName: is missing"),
        (
            "policyName: backendjwt\nparameters: {}".into(),
            "policyName: is not BackendJwt",
        ),
        ("policyName: BackendJwt".into(), "parameters: is missing"),
        (
            "policyName: BackendJwt\nparameters: 5".into(),
            "parameters: is not a mapping",
        ),
        (
            "policyName: BackendJwt\nparameters: {}\nenabled: true".into(),
            "enabled: is not a known field",
        ),
        (
            "policyName: 5\nparameters: {}".into(),
            "policyName: is not a string",
        ),
        (
            parameters("tokenTtl: 5"),
            "parameters.tokenTtl: is not a known field",
        ),
        (
            parameters("tokenTTL: 1h"),
            "parameters.tokenTTL: is not a whole number",
        ),
        (
            parameters("tokenTTL: \"3600\""),
            "parameters.tokenTTL: is not a whole number",
        ),
        (
            parameters("tokenTTL: 0"),
            "parameters.tokenTTL: is not a whole number",
        ),
        (
            parameters("tokenTTL: -5"),
            "parameters.tokenTTL: is not a whole number",
        ),
        (
            parameters("tokenTTL: 1.5"),
            "parameters.tokenTTL: is not a whole number",
        ),
        (
            parameters("tokenTTL: 4294967296"),
            "parameters.tokenTTL: is not a whole number",
        ),
        (
            parameters("encoding: Base32"),
            "parameters.encoding: is not Base64",
        ),
        (
            parameters("encoding: 64"),
            "parameters.encoding: is not a string",
        ),
        (
            parameters("signingAlgorithm: NONE"),
            "parameters.signingAlgorithm: is not SHA256withRSA",
        ),
        (
            parameters("signingAlgorithm: none"),
            "parameters.signingAlgorithm: is not SHA256withRSA",
        ),
        (
            parameters("signingAlgorithm: SHA256withHMAC"),
            "parameters.signingAlgorithm: is not",
        ),
        (
            parameters("signingAlgorithm: SHA512withECDSA"),
            "parameters.signingAlgorithm: is not",
        ),
        (
            parameters("signingAlgorithm: sha256withrsa"),
            "parameters.signingAlgorithm: is not",
        ),
        (
            parameters("header: \"X JWT\""),
            "parameters.header: is not the name",
        ),
        (
            parameters("header: \"\""),
            "parameters.header: is not the name",
        ),
        (
            parameters("customClaims: {}"),
            "parameters.customClaims: is not a list",
        ),
        (
            parameters("customClaims: [x]"),
            "parameters.customClaims[0].claim: is not a mapping",
        ),
        (
            claim("value: x"),
            "parameters.customClaims[0].claim: is missing",
        ),
        (
            claim("claim: x"),
            "parameters.customClaims[0].value: is missing",
        ),
        (
            claim("claim: x, value: 5"),
            "parameters.customClaims[0].value: is not a string",
        ),
        (
            claim("claim: x, value: v, kind: string"),
            "parameters.customClaims[0].kind: is not a known",
        ),
        (
            claim("claim: x, value: v, type: text"),
            "parameters.customClaims[0].type: \"text\" is not",
        ),
        (
            claim("claim: x, value: v, type: int"),
            "parameters.customClaims[0].value: is not an int",
        ),
        (
            claim("claim: x, value: \"1\", type: bool"),
            "parameters.customClaims[0].value: is not true",
        ),
        (
            claim("claim: x, value: soon, type: date"),
            "parameters.customClaims[0].value: is not a date",
        ),
    ] {
        let found = policy(&yaml).unwrap_err();
        assert!(found.contains(error), "{yaml}\n  {found}\n  {error}");
    }
}

#[test]
fn a_custom_claim_that_the_gateway_makes_is_refused_by_the_layer() {
    let yaml = SAMPLE.replace("claim1", "exp");
    let error = fits(policy(&yaml).unwrap(), Algorithm::RS256).unwrap_err();
    assert_eq!(
        error.to_string(),
        "custom claim: \"exp\" is a claim that the gateway makes"
    );
}

#[test]
fn the_policies_of_wso2s_own_tests_load() {
    let Some(corpora) = tests::corpora::corpora() else {
        return println!("skipped: the corpora are not here");
    };
    #[derive(Deserialize)]
    struct Conf {
        #[serde(rename = "apiPolicies")]
        policies: Option<Policies>,
        operations: Vec<Operation>,
    }
    #[derive(Deserialize)]
    struct Operation {
        #[serde(rename = "operationPolicies")]
        policies: Option<Policies>,
    }
    #[derive(Deserialize)]
    struct Policies {
        request: Vec<BackendJwtEntry>,
    }
    let mut count = 0;
    for name in ["backend_jwt_auth_conf.yaml", "jwt_custom_header_conf.yaml"] {
        let yaml = std::fs::read_to_string(corpora.join("wso2").join(name)).unwrap();
        let conf: Conf = serde_saphyr::from_str(&yaml).unwrap();
        let operations = conf
            .operations
            .into_iter()
            .filter_map(|operation| operation.policies);
        for policies in conf.policies.into_iter().chain(operations) {
            for entry in policies.request {
                fits(entry.into(), Algorithm::RS256).unwrap();
                count += 1;
            }
        }
    }
    assert_eq!(count, 2);
}

#[test]
fn what_wso2s_other_gateways_set_elsewhere_can_be_set_in_the_entry() {
    for (parameter, expected) in [
        ("audiences: [a, b]", Policy::wso2().audiences(["a", "b"])),
        ("audiences: [a]", Policy::wso2().audiences(["a"])),
        ("claimDialect: ''", Policy::wso2().dialect("")),
        (
            "excludedClaims: [email]",
            Policy::wso2().copied_claims(CopiedClaims::all_but(["email"])),
        ),
        (
            "copiedClaims: [email]",
            Policy::wso2().copied_claims(CopiedClaims::listed(["email"])),
        ),
        (
            "copiedClaims: []",
            Policy::wso2().copied_claims(CopiedClaims::none()),
        ),
        ("endUser: true", Policy::wso2().enduser()),
        ("endUser: false", Policy::wso2()),
        (
            "issuer: https://gw.example.com",
            Policy::wso2().issuer("https://gw.example.com"),
        ),
        ("minimalAssertion: true", Policy::wso2().minimal_assertion()),
        ("minimalAssertion: false", Policy::wso2()),
        (
            "compatibility: ['x5t#S256', noIssuer]",
            Policy::wso2()
                .compatibility(Compatibility::NoIssuer)
                .compatibility(Compatibility::X5tS256),
        ),
    ] {
        let yaml = format!("policyName: BackendJwt\nparameters: {{{parameter}}}");
        assert_eq!(policy(&yaml).as_ref(), Ok(&expected), "{parameter}");
    }
    for (parameter, error) in [
        ("audiences: a", "audiences: is not a list"),
        ("audiences: [1]", "audiences: is not a string"),
        (
            "excludedClaims: {email: true}",
            "excludedClaims: is not a list",
        ),
        (
            "copiedClaims: [], excludedClaims: []",
            "copiedClaims: is set beside excludedClaims",
        ),
        ("endUser: 1", "endUser: is not true or false"),
        (
            "minimalAssertion: 'true'",
            "minimalAssertion: is not true or false",
        ),
        (
            "compatibility: [base64]",
            "compatibility: \"base64\" is not",
        ),
        ("issuer: 7", "issuer: is not a string"),
    ] {
        let yaml = format!("policyName: BackendJwt\nparameters: {{{parameter}}}");
        let refused = policy(&yaml).unwrap_err();
        assert!(
            refused.contains(&format!("parameters.{error}")),
            "{refused}"
        );
    }
}
