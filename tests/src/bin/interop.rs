//! Exchanges tokens with the JWT libraries of other languages; `cargo xtask test interop` runs it.
//!
//! ```text
//! interop mint DIRECTORY      writes tower-backend-jwt.json: backend JWTs, and the JWKS as served
//! interop verify DIRECTORY    every case of every file there, through `AccessTokenLayer`
//! ```
//!
//! The files are described in `tests/interop/README.md`.

use std::convert::Infallible;
use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tower::{ServiceBuilder, ServiceExt, service_fn};
use tower_backend_jwt::{
    AccessTokenLayer, Api, Application, BackendJwtLayer, Issuer, Policy, VerifiedToken,
};
use tower_jwks::{Algorithm, Clock, Jwk, JwkSet, JwksLayer, KeyRing, SigningKey, SystemClock};

type Failure = Box<dyn Error>;

const IDENTITY_PROVIDER: &str = "https://idp.example.com";
const AUDIENCE: &str = "orders";

/// What one party writes for the others.
#[derive(Serialize, Deserialize)]
struct Document {
    signer: String,
    cases: Vec<Case>,
}

/// A token, the keys it is to be verified with, and what is to come of it.
#[derive(Serialize, Deserialize)]
struct Case {
    name: String,
    algorithm: String,
    issuer: String,
    audience: Option<String>,
    jwks: Value,
    token: String,
    accepted: bool,
    /// Members that the token's header has to have.
    header: Map<String, Value>,
    /// Claims that the token has to have.
    claims: Map<String, Value>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match arguments.as_slice() {
        ["mint", directory] => mint(Path::new(directory)).await,
        ["verify", directory] => verify(Path::new(directory)).await,
        _ => Err("usage: interop mint DIRECTORY | interop verify DIRECTORY".into()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn mint(directory: &Path) -> Result<(), Failure> {
    let wso2 = |algorithm| {
        Policy::wso2()
            .algorithm(algorithm)
            .custom_claim("region", "Zürich")
    };
    let copied = json!({ "org": organization(), "region": "Zürich" });
    let mut cases = vec![minted("standard", Algorithm::RS256, Policy::default(), json!({})).await?];
    for &algorithm in Algorithm::ALL {
        cases.push(minted("wso2", algorithm, wso2(algorithm), copied.clone()).await?);
    }
    let policy = Policy::default().audience("invoices");
    let claims = json!({ "aud": "invoices" });
    cases.push(minted("one audience", Algorithm::ES256, policy.clone(), claims).await?);
    let claims = json!({ "aud": ["invoices", "mail"] });
    cases.push(
        minted(
            "two audiences",
            Algorithm::ES256,
            policy.audience("mail"),
            claims,
        )
        .await?,
    );

    let signer = "tower-backend-jwt".to_owned();
    println!("  {signer:<20} minted {} backend JWTs", cases.len());
    let json = serde_json::to_string_pretty(&Document { signer, cases })?;
    fs::write(directory.join("tower-backend-jwt.json"), json)?;
    Ok(())
}

/// The backend JWT that a service behind the whole stack sees, and the keys that the stack serves.
async fn minted(
    name: &str,
    algorithm: Algorithm,
    policy: Policy,
    further_claims: Value,
) -> Result<Case, Failure> {
    let identity_provider = SigningKey::generate(Algorithm::ES256)?;
    let issuer = Issuer::from_jwks(
        IDENTITY_PROVIDER,
        JwkSet::new([Jwk::from(&identity_provider)])?,
    )
    .audience(AUDIENCE)
    .build()?;
    let keys = KeyRing::generate(algorithm)?;
    let kid = keys.signing_key()?.kid().to_owned();
    let api = Api::new("orders", "1.0.0").base_path("/orders");
    let stack = ServiceBuilder::new()
        .layer(JwksLayer::new(keys.clone()))
        .layer(AccessTokenLayer::new(issuer))
        .layer(BackendJwtLayer::new(keys).api(api).policy(policy)?)
        .service(service_fn(async |request: Request<Full<Bytes>>| {
            let header = request.headers().get("x-jwt-assertion");
            let bytes = header.map(|value| Bytes::copy_from_slice(value.as_bytes()));
            Ok::<_, Infallible>(Response::new(Full::new(bytes.unwrap_or_default())))
        }));

    let request = Request::get("/.wellknown/jwks").body(Full::default())?;
    let (status, _, jwks) = call(&stack, request).await?;
    expect(status == StatusCode::OK, || {
        format!("the JWKS was answered with {status}")
    })?;

    let application = Application::new("7", "shop")
        .subscriber("carol")
        .tier("Gold");
    let request = Request::get("/orders/1.0.0/42")
        .header(
            AUTHORIZATION,
            format!("Bearer {}", access_token(&identity_provider)?),
        )
        .extension(application)
        .body(Full::default())?;
    let (status, _, token) = call(&stack, request).await?;
    expect(status == StatusCode::OK, || {
        format!("the request was answered with {status}")
    })?;

    let claims = json!({
        "sub": "alice",
        "azp": "shop",
        "scope": "orders:read orders:write",
        "email": "alice@example.com",
        "http://wso2.org/claims/apiname": "orders",
        "http://wso2.org/claims/version": "1.0.0",
        "http://wso2.org/claims/apicontext": "/orders/1.0.0",
        "http://wso2.org/claims/keytype": "PRODUCTION",
        "http://wso2.org/claims/usertype": "Application_User",
        "http://wso2.org/claims/subscriber": "carol",
        "http://wso2.org/claims/applicationname": "shop",
        "http://wso2.org/claims/tier": "Gold",
    });
    let mut claims = object(claims);
    claims.extend(object(further_claims));
    Ok(Case {
        name: name.to_owned(),
        algorithm: algorithm.to_string(),
        issuer: "wso2.org/products/am".to_owned(),
        audience: claims.contains_key("aud").then(|| "invoices".to_owned()),
        jwks: serde_json::from_slice(&jwks)?,
        token: String::from_utf8(token.into())?,
        accepted: true,
        header: object(json!({ "alg": algorithm, "typ": "JWT", "kid": kid })),
        claims,
    })
}

fn access_token(key: &SigningKey) -> Result<String, Failure> {
    let now = SystemClock.now();
    let header = json!({ "alg": key.algorithm(), "typ": "at+jwt", "kid": key.kid() });
    let claims = json!({
        "iss": IDENTITY_PROVIDER,
        "sub": "alice",
        "aud": AUDIENCE,
        "iat": now.as_secs(),
        "exp": now.saturating_add(Duration::from_secs(600)).as_secs(),
        "jti": "6b0f1f0c",
        "azp": "shop",
        "scope": "orders:read orders:write",
        "email": "alice@example.com",
        "org": organization(),
    });
    let encode = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
    let message = format!(
        "{}.{}",
        encode(header.to_string().as_bytes()),
        encode(claims.to_string().as_bytes())
    );
    let signature = key.sign(message.as_bytes())?;
    Ok(format!("{message}.{}", encode(signature.as_ref())))
}

fn organization() -> Value {
    json!({ "name": "Ünïon", "units": [1, 2.5, null, true] })
}

async fn verify(directory: &Path) -> Result<(), Failure> {
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

/// Status, challenge and body of the answer.
async fn call<S, B>(
    service: &S,
    request: Request<Full<Bytes>>,
) -> Result<(StatusCode, String, Bytes), Failure>
where
    S: tower::Service<Request<Full<Bytes>>, Response = Response<B>, Error = Infallible> + Clone,
    B: http_body::Body<Data = Bytes, Error: Error + 'static>,
{
    let response = service.clone().oneshot(request).await?;
    let challenge = response.headers().get(WWW_AUTHENTICATE);
    let challenge = challenge.map(|value| value.to_str().unwrap_or_default().to_owned());
    let status = response.status();
    let body = response.into_body().collect().await?.to_bytes();
    Ok((status, challenge.unwrap_or_default(), body))
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

fn expect(truth: bool, message: impl FnOnce() -> String) -> Result<(), Failure> {
    if truth { Ok(()) } else { Err(message().into()) }
}
