//! The service behind the layers: it answers with what it saw.

use crate::{forge::Token, keys::key};
use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode, response::Parts};
use http_body::Body;
use http_body_util::{BodyExt, Full};
use serde_json::{Map, Value, json};
use std::{convert::Infallible, fmt::Debug};
use tower::{Service, ServiceExt};
use tower_jwks::Algorithm;

/// Answers with the header fields it saw, and leaks the caller's identity in its response.
///
/// # Errors
///
/// Never.
pub async fn upstream<B>(request: Request<B>) -> Result<Response<Full<Bytes>>, Infallible> {
    let body = json!({"path": request.uri().path(), "headers": fields(request.headers())});
    let mut response = Response::new(Full::from(body.to_string()));
    if let Some(jwt) = request.headers().get("x-jwt-assertion") {
        response
            .headers_mut()
            .insert("x-jwt-assertion", jwt.clone());
    }
    Ok(response)
}

/// Header fields by name, each with all of its values.
#[must_use]
pub fn fields(headers: &HeaderMap) -> Value {
    let mut map: Map<String, Value> = Map::new();
    for (name, value) in headers {
        let values = map.entry(name.as_str()).or_insert_with(|| json!([]));
        let values = values.as_array_mut().expect("an array");
        values.push(String::from_utf8_lossy(value.as_bytes()).into());
    }
    map.into()
}

/// An answer, and what the service behind saw if it was reached.
#[derive(Debug)]
pub struct Answer {
    /// The head of the response.
    pub head: Parts,
    /// Its body.
    pub body: Bytes,
}

impl Answer {
    /// Its status.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        self.head.status
    }

    /// A field of the response.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&str> {
        self.head.headers.get(name)?.to_str().ok()
    }

    /// Its body as JSON.
    ///
    /// # Panics
    ///
    /// It is not JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("a JSON body")
    }

    /// The values of a field that the service behind saw.
    ///
    /// # Panics
    ///
    /// The service behind was not reached.
    #[must_use]
    pub fn seen(&self, name: &str) -> Vec<String> {
        assert_eq!(self.status(), StatusCode::OK, "{self:?}");
        let values = self.json()["headers"][name].clone();
        serde_json::from_value::<Option<_>>(values)
            .expect("an array of strings")
            .unwrap_or_default()
    }

    /// The one backend JWT that the service behind saw.
    ///
    /// # Panics
    ///
    /// It saw none, or two.
    #[must_use]
    pub fn backend_jwt(&self) -> String {
        let mut values = self.seen("x-jwt-assertion");
        assert_eq!(values.len(), 1, "one backend JWT");
        values.remove(0)
    }
}

/// Sends a request through a service, once it is ready.
///
/// # Panics
///
/// The service or its body fails.
pub async fn send<S, ReqBody, ResBody>(service: &S, request: Request<ReqBody>) -> Answer
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>, Error: Debug> + Clone,
    ResBody: Body<Data = Bytes, Error: Debug>,
{
    let response = service.clone().oneshot(request).await.expect("a response");
    let (head, body) = response.into_parts();
    let body = body.collect().await.expect("a body").to_bytes();
    Answer { head, body }
}

/// A request for `/orders` with these fields.
///
/// # Panics
///
/// They are no header fields.
#[must_use]
pub fn get(headers: &[(&str, &str)]) -> Request<()> {
    headers
        .iter()
        .fold(Request::get("/orders"), |request, (name, value)| {
            request.header(*name, *value)
        })
        .body(())
        .expect("a request")
}

/// A request for `/orders` with this access token.
#[must_use]
pub fn get_with(token: &str) -> Request<()> {
    get(&[("authorization", &format!("Bearer {token}"))])
}

/// A good token of [`key`](crate::keys::key) for EdDSA, with some claims changed; `null` takes one
/// out.
///
/// # Panics
///
/// The changes are no JSON object.
#[must_use]
pub fn signed(changes: &Value) -> String {
    let changes = changes.as_object().expect("changes are an object");
    changes
        .iter()
        .fold(Token::of(key(Algorithm::EdDSA)), |token, (name, value)| {
            if value.is_null() {
                token.without_claim(name)
            } else {
                token.claim(name, value.clone())
            }
        })
        .sign()
}
