//! How callers show who they are: the `authentication` of an apk-conf.

use http::{HeaderName, header};

use super::{document, refused::MESSAGE};
use crate::{error::Fault, fold::alike, forwarded};

/// The most entries. Each names a header that is looked for in every request.
const MOST_ENTRIES: usize = 16;

/// The credentials an API takes. None: it is open to everyone.
#[derive(Debug)]
pub(crate) struct Authentication {
    pub(crate) credentials: Vec<Credential>,
    /// Headers that credentials come in and that the service behind is not to see, whether or not the
    /// operation asks for any.
    pub(crate) hidden: Vec<HeaderName>,
    /// Headers that credentials come in and that go on to the service behind. Where an operation asks for
    /// no token (`secured: false`), that is what the client sent, and nobody has verified it.
    pub(crate) shown: Vec<HeaderName>,
}

/// A token in a header.
#[derive(Debug, Clone)]
pub(crate) struct Credential {
    pub(crate) kind: Kind,
    pub(crate) header: HeaderName,
    /// The token goes on to the service behind.
    pub(crate) forwarded: bool,
    /// A request without the token passes, as nobody's.
    pub(crate) optional: bool,
    /// Instead of the issuers' own.
    pub(crate) audiences: Vec<String>,
}

/// The two kinds differ in how the header is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `Bearer` and the token.
    OAuth2,
    /// The token, with or without `Bearer`.
    Jwt,
}

impl Authentication {
    pub(super) fn new(entries: Option<&[document::Authentication]>) -> Result<Self, Fault> {
        let mut authentication = Self {
            credentials: Vec::new(),
            hidden: Vec::new(),
            shown: Vec::new(),
        };
        let entries = entries.unwrap_or_default();
        if entries.len() > MOST_ENTRIES {
            return Err(Fault::new(
                "authentication",
                format!("has more than {MOST_ENTRIES} entries"),
            ));
        }
        for (index, entry) in entries.iter().enumerate() {
            let at = |field: &str| format!("authentication[{index}].{field}");
            let Some(credential) = credential(entry, at)? else {
                continue;
            };
            let place = if credential.forwarded {
                &mut authentication.shown
            } else {
                &mut authentication.hidden
            };
            if !place.contains(&credential.header) {
                place.push(credential.header.clone());
            }
            if !entry.enabled {
                continue;
            }
            for other in &authentication.credentials {
                if other.kind == credential.kind {
                    return Err(Fault::new(
                        at("authType"),
                        format!("a second `{}`: {MESSAGE}", entry.auth_type),
                    ));
                }
                if alike(&other.header, &credential.header) {
                    return Err(Fault::new(
                        at("headerName"),
                        "another kind of token is in this header, or in one that may be taken for it",
                    ));
                }
            }
            authentication.credentials.push(credential);
        }
        // An API is open to everyone where somebody has said so, and not where the list names other kinds only,
        // all of them switched off.
        let opened = entries
            .iter()
            .any(|entry| entry.auth_type == "OAuth2" && !entry.enabled);
        if authentication.credentials.is_empty() && !opened {
            authentication.take_usual();
        }
        // With one mandatory credential a caller needs some token, so the optional ones are alternatives.
        if authentication
            .credentials
            .iter()
            .any(|credential| !credential.optional)
        {
            authentication
                .credentials
                .iter_mut()
                .for_each(|credential| credential.optional = false);
        }
        Ok(authentication)
    }

    /// A bearer token, as where no list of kinds is there.
    fn take_usual(&mut self) {
        if !self.headers().any(|own| alike(own, &header::AUTHORIZATION)) {
            self.hidden.push(header::AUTHORIZATION);
        }
        self.credentials.push(Credential {
            kind: Kind::OAuth2,
            header: header::AUTHORIZATION,
            forwarded: false,
            optional: false,
            audiences: Vec::new(),
        });
    }

    /// Whether somebody may come without a token.
    pub(super) fn takes_nobody(&self) -> bool {
        self.credentials
            .iter()
            .all(|credential| credential.optional)
    }

    /// All the headers that credentials come in.
    pub(crate) fn headers(&self) -> impl Iterator<Item = &HeaderName> {
        self.hidden.iter().chain(&self.shown)
    }
}

/// An entry as a credential; nothing if it only switches off what the gateway does not have anyway.
fn credential(
    entry: &document::Authentication,
    at: impl Fn(&str) -> String,
) -> Result<Option<Credential>, Fault> {
    let kind = match entry.auth_type.as_str() {
        "OAuth2" => Kind::OAuth2,
        "JWT" => Kind::Jwt,
        "APIKey" | "mTLS" if !entry.enabled => return Ok(None),
        "APIKey" | "mTLS" => {
            return Err(Fault::new(
                at("authType"),
                format!("`{}`: {MESSAGE}", entry.auth_type),
            ));
        }
        other => {
            return Err(Fault::new(
                at("authType"),
                format!("unknown authentication type `{other}`"),
            ));
        }
    };
    if entry.enabled && !entry.header_enable {
        return Err(Fault::new(
            at("headerEnable"),
            format!("a token outside of a header: {MESSAGE}"),
        ));
    }
    if kind == Kind::OAuth2 && !entry.audience.is_empty() {
        return Err(Fault::new(
            at("audience"),
            "only `JWT` has audiences; those of `OAuth2` are the issuers'",
        ));
    }
    let header = match (&entry.header_name, kind) {
        (Some(name), _) => {
            HeaderName::try_from(name).map_err(|error| Fault::new(at("headerName"), error))?
        }
        (None, Kind::OAuth2) => header::AUTHORIZATION,
        (None, Kind::Jwt) => {
            return Err(Fault::new(
                at("headerName"),
                "missing; `JWT` has no usual header",
            ));
        }
    };
    if entry.send_token_to_upstream && forwarded::is_claim(&header) {
        return Err(Fault::new(
            at("sendTokenToUpstream"),
            format!("`{header}` is a header that does not pass the gateway"),
        ));
    }
    Ok(Some(Credential {
        kind,
        header,
        forwarded: entry.send_token_to_upstream,
        optional: entry.required == Some(document::Required::Optional),
        audiences: entry.audience.clone(),
    }))
}
