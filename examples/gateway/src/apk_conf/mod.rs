//! APIs as WSO2 APK describes them: the apk-conf.
//!
//! A conf says what its author relies on, a security setting as likely as not. So everything in it is
//! either done or refused by name when it loads; nothing is read and forgotten.
//!
//! What is done:
//!
//! | field | |
//! |---|---|
//! | `name`, `version`, `basePath`, `id` | the API is served at base path and version |
//! | `defaultVersion` | and without the version |
//! | `type` | `REST` |
//! | `environment` | has to be the gateway's own |
//! | `endpointConfigurations.production` | one URL, http or https |
//! | `operations[]` | `target` (`{name}`, a last `*`), `verb`, `secured`, `scopes` (any of them), `operationPolicies` |
//! | `apiPolicies.request[]` | `BackendJwt`, which an operation's own overrides |
//! | `authentication[]` | `OAuth2` and `JWT` in a header: `headerName`, `enabled`, `required`, `sendTokenToUpstream`, `audience` |
//!
//! `sendTokenToUpstream` is done as it is written, also for an operation that asks for no token
//! (`secured: false`, or no kind of token `enabled`): whatever the client sends in the header goes on,
//! unverified. A warning says so when such an operation is loaded.
//!
//! [`document`] is the file as it is written, [`api`] what the gateway makes of it.

mod api;
mod authentication;
mod document;
mod policies;
mod refused;
#[cfg(test)]
mod tests;

pub(crate) use api::{Access, Api, Minting};
pub(crate) use authentication::{Credential, Kind};
pub(crate) use policies::ASSERTION;
