use std::convert::Infallible;
use std::fs;
use std::path::Path;

use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use serde_json::{Value, json};
use tower::{ServiceBuilder, service_fn};
use tower_backend_jwt::{AccessTokenLayer, Api, Application, BackendJwtLayer, Compatibility};
use tower_jwks::{JwksLayer, KeyRing};

use crate::access_token::IdentityProvider;
use crate::recipes::{self, Recipe};
use crate::{Case, Document, Failure, call, expect, object};

pub(crate) async fn run(directory: &Path) -> Result<(), Failure> {
    let mut cases = Vec::new();
    for recipe in recipes::all()? {
        cases.push(minted(recipe).await?);
    }
    let signer = "tower-backend-jwt".to_owned();
    println!("  {signer:<20} minted {} backend JWTs", cases.len());
    let json = serde_json::to_string_pretty(&Document { signer, cases })?;
    fs::write(directory.join("tower-backend-jwt.json"), json)?;
    Ok(())
}

/// The backend JWT that a service behind the whole stack sees, and the keys that the stack serves.
async fn minted(recipe: Recipe) -> Result<Case, Failure> {
    let Recipe {
        name,
        key,
        policy,
        mut claims,
        refused_by,
    } = recipe;
    let identity_provider = IdentityProvider::new()?;
    let algorithm = key.algorithm();
    let mut expected = object(json!({ "alg": algorithm, "typ": "JWT", "kid": key.kid() }));
    for form in policy.compatibilities() {
        match form {
            Compatibility::NoKid => {
                expected.remove("kid");
            }
            Compatibility::X5t => {
                expected.insert("x5t".to_owned(), key.wso2_x5t().into());
            }
            Compatibility::X5tS256 => {
                expected.insert("x5t#S256".to_owned(), key.wso2_x5t_s256().into());
            }
            _ => {}
        }
    }
    let keys = KeyRing::new(key);
    let header = policy.header_name().clone();
    let api = Api::new("orders", "1.0.0").base_path("/orders");
    let stack = ServiceBuilder::new()
        .layer(JwksLayer::new(keys.clone()))
        .layer(AccessTokenLayer::new(identity_provider.issuer()?))
        .layer(BackendJwtLayer::new(keys).api(api).policy(policy)?)
        .service(service_fn(move |request: Request<Full<Bytes>>| {
            let value = request.headers().get(&header);
            let bytes = value.map(|value| Bytes::copy_from_slice(value.as_bytes()));
            async { Ok::<_, Infallible>(Response::new(Full::new(bytes.unwrap_or_default()))) }
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
            format!("Bearer {}", identity_provider.token()?),
        )
        .extension(application)
        .body(Full::default())?;
    let (status, challenge, token) = call(&stack, request).await?;
    expect(status == StatusCode::OK, || {
        format!("{name}: the request was answered with {status} {challenge}")
    })?;

    claims.insert("sub".to_owned(), "alice".into());
    let audience = match claims.get("aud") {
        Some(Value::Array(audiences)) => audiences.first(),
        audience => audience,
    };
    let text = |value: &Value| value.as_str().map(ToOwned::to_owned);
    Ok(Case {
        name: name.to_owned(),
        algorithm: algorithm.to_string(),
        issuer: claims
            .get("iss")
            .and_then(text)
            .ok_or("a recipe without iss")?,
        audience: audience.and_then(text),
        jwks: serde_json::from_slice(&jwks)?,
        token: String::from_utf8(token.into())?,
        accepted: true,
        refused_by: refused_by.iter().copied().map(str::to_owned).collect(),
        header: expected,
        claims,
    })
}
