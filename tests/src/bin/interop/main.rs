//! Exchanges tokens with the JWT libraries of other languages; `cargo xtask test interop` runs it.
//!
//! ```text
//! interop mint DIRECTORY      writes tower-backend-jwt.json: backend JWTs, and the JWKS as served
//! interop verify DIRECTORY    every case of every file there, through `AccessTokenLayer`
//! ```
//!
//! The files are described in `tests/interop/README.md`.

mod access_token;
mod mint;
mod recipes;
mod verify;

use std::convert::Infallible;
use std::error::Error;
use std::path::Path;
use std::process::ExitCode;

use bytes::Bytes;
use http::header::WWW_AUTHENTICATE;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tower::ServiceExt;

type Failure = Box<dyn Error>;

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
    /// Libraries that refuse it all the same.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    refused_by: Vec<String>,
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
        ["mint", directory] => mint::run(Path::new(directory)).await,
        ["verify", directory] => verify::run(Path::new(directory)).await,
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
