//! What a call is answered with.

use std::{collections::BTreeMap, fmt, io};

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use serde_json::{Value, json};

use super::faults::{Faults, pointer_of, short};
use crate::body::{self, Body};

/// When to try again if too much is going on, in seconds.
const RETRY_AFTER: u16 = 5;

/// Why a call is refused.
#[derive(Debug)]
pub(super) enum Refusal {
    /// There is no such call.
    NoCall,
    /// The call has these methods.
    Method(&'static str),
    /// As many deploys as there may be are arriving.
    Busy,
    /// The request takes too long to arrive.
    TooSlow,
    /// This is larger than it may be.
    TooLarge(&'static str),
    /// The request is not a form.
    NotMultipart,
    /// The form cannot be read.
    Form(String),
    /// The form does not have the parts that it should.
    Parts(String),
    /// The conf is wrong at these places.
    Faults(Faults),
    /// The conf has an empty list of operations.
    NoOperations,
    /// Another API is served at this path, inside of it or around it.
    PathTaken { path: String, why: String },
    /// Another API does not go with this one, because of what is at these places.
    Conflict(Faults),
    /// The id is that of an API whose file `gateway.yaml` names.
    Named(String),
    /// The id of another API differs only in case.
    AlikeId(String),
    /// The id that is made of name and version is that of this API.
    SameId(String),
    /// No API is named.
    NoId,
    /// No API has this id.
    Unknown(String),
    /// The API has no definition.
    NoDefinition(String),
    /// The directory cannot be written to, or read.
    NotStored(io::Error),
    /// The gateway is at fault.
    Failed(String),
}

impl Refusal {
    /// A conf that is wrong in one place.
    pub(super) fn wrong(field: &str, why: impl AsRef<str>) -> Self {
        Self::Faults(BTreeMap::from([(pointer_of(field), short(why.as_ref()))]))
    }

    /// Whether the gateway is at fault, or the system it runs on.
    pub(super) const fn is_internal(&self) -> bool {
        matches!(self, Self::NotStored(_) | Self::Failed(_))
    }

    pub(super) fn answer(&self) -> Response<Body> {
        let (status, code, message) = self.row();
        let mut error = json!({
            "code": code,
            "message": message,
            "description": self.description(message),
        });
        if let Self::Faults(faults) | Self::Conflict(faults) = self {
            error["moreInfo"] = json!(faults);
        }
        let mut response = json_of(status, &error);
        let fields = response.headers_mut();
        match self {
            Self::Method(allowed) => {
                fields.insert(header::ALLOW, HeaderValue::from_static(allowed));
            }
            Self::Busy => {
                fields.insert(header::RETRY_AFTER, HeaderValue::from(RETRY_AFTER));
            }
            _ => {}
        }
        response
    }

    /// The status, and code and message of APK 1.2 where it has them.
    fn row(&self) -> (StatusCode, u32, String) {
        let (status, code, message) = match self {
            Self::NoCall => (StatusCode::NOT_FOUND, 404, "Not found"),
            Self::Method(_) => (StatusCode::METHOD_NOT_ALLOWED, 405, "Method not allowed"),
            Self::Busy => (StatusCode::SERVICE_UNAVAILABLE, 503, "Service unavailable"),
            Self::TooSlow => (StatusCode::REQUEST_TIMEOUT, 408, "Request timeout"),
            Self::TooLarge(_) => (StatusCode::PAYLOAD_TOO_LARGE, 413, "Content too large"),
            Self::NotMultipart => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                415,
                "Unsupported media type",
            ),
            Self::Form(_) => (StatusCode::BAD_REQUEST, 909018, "Invalid API request"),
            Self::Parts(_) => (StatusCode::NOT_ACCEPTABLE, 909018, "Invalid API request"),
            Self::Faults(_) => (StatusCode::BAD_REQUEST, 909029, "Invalid apk-conf provided"),
            // Spelled as APK spells it.
            Self::NoOperations => (
                StatusCode::NOT_ACCEPTABLE,
                909021,
                "Atleast one operation need to specified",
            ),
            Self::PathTaken { path, .. } => {
                let message = format!("API Context - {path} already exist");
                return (StatusCode::CONFLICT, 909012, message);
            }
            Self::Conflict(_) | Self::Named(_) | Self::AlikeId(_) | Self::SameId(_) => {
                (StatusCode::CONFLICT, 909000, "Conflict with another API")
            }
            Self::NoId => (
                StatusCode::BAD_REQUEST,
                909003,
                "apiId not found in request",
            ),
            Self::Unknown(id) | Self::NoDefinition(id) => {
                let message = format!("{} not found", short(id));
                return (StatusCode::NOT_FOUND, 909001, message);
            }
            Self::NotStored(_) | Self::Failed(_) => (
                StatusCode::INTERNAL_SERVER_ERROR,
                909022,
                "Internal server error",
            ),
        };
        (status, code, message.to_owned())
    }

    fn description(&self, message: String) -> String {
        match self {
            Self::NoCall => {
                "here are /apis, /apis/deploy, /apis/undeploy, /apis/ID and /apis/ID/definition"
                    .to_owned()
            }
            Self::Method(allowed) => format!("the methods are {allowed}"),
            Self::Busy => "other deploys are arriving; try again".to_owned(),
            Self::TooLarge(what) => format!("{what} is too large"),
            Self::NotMultipart => "a deploy is multipart/form-data".to_owned(),
            Self::Form(why) | Self::Parts(why) => short(why),
            Self::Named(id) => {
                format!("the API `{id}` is named in the gateway's settings, and changes only there")
            }
            Self::PathTaken { why, .. } => why.clone(),
            Self::SameId(other) => format!(
                "the id that is made of name and version is that of the API {other}; give one of the two an `id`"
            ),
            Self::AlikeId(id) => format!("the id `{id}` differs only in case"),
            Self::NoDefinition(_) => "the API has no definition".to_owned(),
            Self::NotStored(_) => "the API cannot be stored; the gateway's log says why".to_owned(),
            _ => message,
        }
    }
}

/// For the log.
impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (status, _, message) = self.row();
        let description = self.description(message);
        write!(f, "{}: {description}", status.as_u16())?;
        match self {
            Self::Faults(faults) | Self::Conflict(faults) => faults
                .iter()
                .try_for_each(|(place, why)| write!(f, "; {place}: {why}")),
            Self::NotStored(error) => write!(f, ": {error}"),
            Self::Failed(why) => write!(f, ": {why}"),
            _ => Ok(()),
        }
    }
}

pub(super) fn yaml(text: String) -> Response<Body> {
    response(StatusCode::OK, "application/yaml", text)
}

/// A file as it was sent. What it is was not kept: it is JSON, or else most likely YAML.
pub(super) fn definition(bytes: Vec<u8>) -> Response<Body> {
    let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
    let media_type = match first {
        Some(b'{') => "application/json",
        _ => "application/yaml",
    };
    let mut response = response(StatusCode::OK, media_type, bytes);
    response.headers_mut().insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    response
}

pub(super) fn json_of(status: StatusCode, json: &Value) -> Response<Body> {
    response(status, "application/json", format!("{json}\n"))
}

fn response(
    status: StatusCode,
    media_type: &'static str,
    content: impl Into<Bytes>,
) -> Response<Body> {
    let content = content.into();
    let length = HeaderValue::from(content.len());
    let mut response = Response::new(body::full(content));
    *response.status_mut() = status;
    let fields = response.headers_mut();
    fields.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    fields.insert(header::CONTENT_LENGTH, length);
    fields.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
