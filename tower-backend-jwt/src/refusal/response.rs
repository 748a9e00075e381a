//! The answer to a refused request.

use super::{ErrorCode, Refusal, Wso2, accept};
use bytes::Bytes;
use http::{
    HeaderName, HeaderValue, Response, StatusCode,
    header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE},
    request::Parts,
};
use serde::Serialize;
use std::{fmt, sync::Arc};
use tower_jwks::{BytesBody, ConfigError};

/// The form of the body that a refusal is answered with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum RefusalFormat {
    /// A problem document (RFC 9457) for callers that take JSON; no body for others.
    #[default]
    Standard,
    /// The JSON of WSO2's gateways: `code`, `error_message`, `error_description`. The challenge has
    /// their realm, `APK`, unless another is set, and their words.
    Wso2,
}

/// Makes the response to a refused request.
///
/// Implemented by closures `Fn(&Refusal, &Parts) -> Response<Bytes>`. A response with a status of
/// success gets the refusal's own, unless the caller speaks gRPC and it has a `grpc-status` other
/// than 0; and a `401` without a challenge gets one. So no hook can turn a refusal into a success or
/// drop what RFC 9110 section 11.6.1 demands.
pub trait RefusalResponse: Send + Sync + 'static {
    /// The response to a request with this head, refused for this reason.
    fn refusal_response(&self, refusal: &Refusal, request: &Parts) -> Response<Bytes>;
}

impl<F> RefusalResponse for F
where
    F: Fn(&Refusal, &Parts) -> Response<Bytes> + Send + Sync + 'static,
{
    fn refusal_response(&self, refusal: &Refusal, request: &Parts) -> Response<Bytes> {
        self(refusal, request)
    }
}

const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");

/// How a layer answers what it refuses.
#[derive(Clone, Default)]
pub(crate) struct Responder {
    pub(crate) format: RefusalFormat,
    realm: Option<Arc<str>>,
    pub(crate) hook: Option<Arc<dyn RefusalResponse>>,
}

impl Responder {
    pub(crate) fn set_realm(&mut self, realm: &str) -> Result<(), ConfigError> {
        let quotable = |byte: u8| (b' '..=b'~').contains(&byte) && byte != b'"' && byte != b'\\';
        if !realm.bytes().all(quotable) {
            return Err(ConfigError::new(
                "realm",
                "is not visible ASCII without quotes and backslashes",
            ));
        }
        self.realm = Some(realm.into());
        Ok(())
    }

    /// The response, with the refusal in its extensions.
    pub(crate) fn respond(&self, refusal: Refusal, request: &Parts) -> Response<BytesBody> {
        crate::trace::refused(&refusal);
        let mut response = match &self.hook {
            Some(hook) => {
                let response = hook.refusal_response(&refusal, request);
                self.guarded(response, &refusal, request)
            }
            None if accept::is_grpc(&request.headers) => grpc(&refusal, request),
            None => self.http(&refusal, request),
        };
        response.extensions_mut().insert(refusal);
        response.map(BytesBody::new)
    }

    fn guarded(
        &self,
        mut response: Response<Bytes>,
        refusal: &Refusal,
        request: &Parts,
    ) -> Response<Bytes> {
        // In gRPC a refusal is a status of its own, under the 200 of HTTP.
        let refused = accept::is_grpc(&request.headers)
            && response
                .headers()
                .get(GRPC_STATUS)
                .is_some_and(|status| status != "0");
        if !refused && (response.status().is_success() || response.status().is_informational()) {
            *response.status_mut() = refusal.status();
        }
        if response.status() == StatusCode::UNAUTHORIZED
            && !response.headers().contains_key(WWW_AUTHENTICATE)
        {
            let challenge = self.challenge(refusal);
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        }
        response
    }

    fn http(&self, refusal: &Refusal, request: &Parts) -> Response<Bytes> {
        let status = refusal.status();
        let (body, content_type) = match self.format {
            RefusalFormat::Wso2 => (wso2(refusal, request), "application/json"),
            RefusalFormat::Standard if accept::takes_json(&request.headers) => {
                (problem(refusal), "application/problem+json")
            }
            RefusalFormat::Standard => (Bytes::new(), ""),
        };
        let mut response = refuse(status);
        let fields = response.headers_mut();
        if status.is_client_error() {
            fields.insert(WWW_AUTHENTICATE, self.challenge(refusal));
        }
        if let Some(after) = refusal.retry_after() {
            fields.insert(RETRY_AFTER, HeaderValue::from(after.as_secs().max(1)));
        }
        fields.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
        if !body.is_empty() {
            fields.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        }
        *response.body_mut() = body;
        response
    }

    /// The challenge of RFC 6750 section 3. Each of its values is a constant, or was checked when
    /// it was configured: nothing of the request is in it.
    fn challenge(&self, refusal: &Refusal) -> HeaderValue {
        let mut parameters = Vec::new();
        let usual = match self.format {
            RefusalFormat::Standard => None,
            RefusalFormat::Wso2 => Some("APK"),
        };
        if let Some(realm) = self.realm.as_deref().or(usual) {
            parameters.push(format!("realm=\"{realm}\""));
        }
        if let Some(error) = refusal.reason().row().error {
            let description = match (self.format, error) {
                (RefusalFormat::Wso2, ErrorCode::InvalidToken | ErrorCode::ExpiredToken) => {
                    "The provided token is invalid"
                }
                _ => error.description(),
            };
            parameters.push(format!("error=\"{}\"", error.name()));
            parameters.push(format!("error_description=\"{description}\""));
        }
        if let Some(scope) = refusal.scope() {
            parameters.push(format!("scope=\"{scope}\""));
        }
        let challenge = if parameters.is_empty() {
            "Bearer".to_owned()
        } else {
            format!("Bearer {}", parameters.join(", "))
        };
        HeaderValue::try_from(challenge).expect("made of visible ASCII")
    }
}

/// Not `Debug` of the hook, which has none.
impl fmt::Debug for Responder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Responder")
            .field("format", &self.format)
            .field("realm", &self.realm)
            .field("hook", &self.hook.is_some())
            .finish()
    }
}

/// The one constructor of a refusal's response: with its status, since a default one is `200`.
fn refuse(status: StatusCode) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Trailers-only (the gRPC protocol over HTTP/2, "Responses"): the status is among the headers,
/// under HTTP 200.
fn grpc(refusal: &Refusal, request: &Parts) -> Response<Bytes> {
    let row = refusal.reason().row();
    let mut response = refuse(StatusCode::OK);
    let fields = response.headers_mut();
    // That of the request: gRPC-Web has its own.
    if let Some(content_type) = request.headers.get(CONTENT_TYPE) {
        fields.insert(CONTENT_TYPE, content_type.clone());
    }
    fields.insert(GRPC_STATUS, HeaderValue::from(u16::from(row.grpc)));
    fields.insert(
        HeaderName::from_static("grpc-message"),
        HeaderValue::from_static(match row.error {
            Some(error) => error.description(),
            None if row.status.is_client_error() => row.text,
            None => reason_phrase(row.status),
        }),
    );
    response
}

/// A problem document (RFC 9457), with the error code of RFC 6750 as an extension member.
fn problem(refusal: &Refusal) -> Bytes {
    #[derive(Serialize)]
    struct Problem<'a> {
        title: &'static str,
        status: u16,
        #[serde(skip_serializing_if = "Option::is_none")]
        detail: Option<&'static str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        error: Option<&'static str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        scope: Option<&'a str>,
    }
    let row = refusal.reason().row();
    json(&Problem {
        title: reason_phrase(row.status),
        status: row.status.as_u16(),
        detail: row.error.map(ErrorCode::description),
        error: row.error.map(ErrorCode::name),
        scope: refusal.scope(),
    })
}

/// The error body of WSO2's gateways, its `code` a string as in those written in Java.
fn wso2(refusal: &Refusal, request: &Parts) -> Bytes {
    #[derive(Serialize)]
    struct Body {
        code: &'static str,
        error_message: &'static str,
        error_description: String,
    }
    let (code, error_message, error_description) = match refusal.reason().row().wso2 {
        Wso2::Unclassified => (
            "900900",
            "Unclassified Authentication Failure",
            "Access failure for API".to_owned(),
        ),
        Wso2::InvalidCredentials => (
            "900901",
            "Invalid Credentials",
            "Access failure for API. Make sure you have provided the correct security credentials"
                .to_owned(),
        ),
        Wso2::MissingCredentials => (
            "900902",
            "Missing Credentials",
            "Make sure your API invocation call has a header with the access token".to_owned(),
        ),
        Wso2::Expired => (
            "900903",
            "Access Token Expired",
            "Renew the access token and try again".to_owned(),
        ),
        Wso2::Blocked => (
            "900907",
            "The requested API is temporarily blocked",
            "Access failure for API".to_owned(),
        ),
        Wso2::Forbidden => (
            "900908",
            "Resource forbidden",
            "Access failure for API".to_owned(),
        ),
        Wso2::Scope => (
            "900910",
            "The access token does not allow you to access the requested resource",
            format!(
                "User is NOT authorized to access the Resource: {}. Scope validation failed.",
                request.uri.path()
            ),
        ),
    };
    json(&Body {
        code,
        error_message,
        error_description,
    })
}

fn json(body: &impl Serialize) -> Bytes {
    serde_json::to_vec(body)
        .expect("a struct of strings and numbers always serializes")
        .into()
}

fn reason_phrase(status: StatusCode) -> &'static str {
    status.canonical_reason().unwrap_or("Error")
}
