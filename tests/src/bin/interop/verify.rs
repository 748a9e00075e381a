use std::convert::Infallible;
use std::fs;
use std::path::Path;

use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use serde_json::{Map, Value};
use tower::{ServiceBuilder, service_fn};
use tower_backend_jwt::{AccessTokenLayer, Issuer, VerifiedToken};
use tower_jwks::JwkSet;

use crate::{Case, Document, Failure, call, expect};

pub(crate) async fn run(directory: &Path) -> Result<(), Failure> {
    let mut paths: Vec<_> = fs::read_dir(directory)?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<_, Failure>>()?;
    paths.retain(|path| {
        path.extension()
            .is_some_and(|extension| extension == "json")
    });
    paths.sort();
    expect(!paths.is_empty(), || "no file to verify".to_owned())?;
    let mut failures = 0;
    for path in paths {
        let document: Document = serde_json::from_slice(&fs::read(path)?)?;
        for cases in document
            .cases
            .chunk_by(|left, right| left.algorithm == right.algorithm)
        {
            failures += verify_algorithm(&document.signer, cases).await;
        }
    }
    expect(failures == 0, || {
        format!("{failures} tokens were not judged as they have to be")
    })
}

/// Prints one line for the cases of one algorithm, and one for each that fails.
async fn verify_algorithm(signer: &str, cases: &[Case]) -> usize {
    let (mut accepted, mut refused, mut failed) = (0, 0, Vec::new());
    for case in cases {
        match verify_case(case).await {
            Ok(()) if case.accepted => accepted += 1,
            Ok(()) => refused += 1,
            Err(error) => failed.push(format!("FAILED: {}: {error}", case.name)),
        }
    }
    let algorithm = cases.first().map_or("", |case| case.algorithm.as_str());
    let label = format!("  {signer:<20} -> tower-backend-jwt    {algorithm:<8}");
    println!("{label} {accepted} accepted and {refused} refused, as they have to be");
    for failure in &failed {
        println!("{label} {failure}");
    }
    failed.len()
}

async fn verify_case(case: &Case) -> Result<(), Failure> {
    let audience = case.audience.clone().ok_or("the case has no audience")?;
    let issuer = Issuer::from_jwks(&case.issuer, JwkSet::parse(case.jwks.to_string())?)
        .audience(audience)
        .build()?;
    let stack = ServiceBuilder::new()
        .layer(AccessTokenLayer::new(issuer))
        .service(service_fn(async |request: Request<Full<Bytes>>| {
            let token = request.extensions().get::<VerifiedToken>();
            let claims = token.map(VerifiedToken::claims_json).unwrap_or_default();
            Ok::<_, Infallible>(Response::new(Full::new(Bytes::from(claims))))
        }));
    let request = Request::get("/orders/1.0.0/42")
        .header(AUTHORIZATION, format!("Bearer {}", case.token))
        .body(Full::default())?;
    let (status, challenge, body) = call(&stack, request).await?;
    if !case.accepted {
        let refused =
            status == StatusCode::UNAUTHORIZED && challenge.contains(r#"error="invalid_token""#);
        return expect(refused, || format!("answered with {status} {challenge}"));
    }
    expect(status == StatusCode::OK, || {
        format!("answered with {status} {challenge}")
    })?;
    let claims: Map<String, Value> = serde_json::from_slice(&body)?;
    expect(claims == case.claims, || {
        "the claims are not those that were signed".to_owned()
    })
}
