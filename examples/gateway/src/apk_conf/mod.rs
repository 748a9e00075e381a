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
//! | `apiPolicies.request[]` | `BackendJwt`, which an operation's own overrides; `AddHeader`, `SetHeader`, `RemoveHeader` |
//! | `apiPolicies.response[]` | `AddHeader`, `SetHeader`, `RemoveHeader` |
//! | `subscriptionValidation` | who has a token needs a subscription, too; needs `applications` in the gateway's settings |
//! | `authentication[]` | `OAuth2` and `JWT` in a header: `headerName`, `enabled`, `required`, `sendTokenToUpstream`, `audience` |
//!
//! The parameters of `BackendJwt`, those that APK does not know among them, are in the table of
//! [`BackendJwtEntry`](tower_backend_jwt::BackendJwtEntry). An operation that asks for no token has a
//! backend JWT only with `minimalAssertion: true`.
//!
//! `sendTokenToUpstream` is done as it is written, also for an operation that asks for no token
//! (`secured: false`, or no kind of token `enabled`): whatever the client sends in the header goes on,
//! unverified. A warning says so when such an operation is loaded.
//!
//! `AddHeader` appends a value, `SetHeader` puts one in the place of all that are there, `RemoveHeader`
//! takes off all, and the last two also what a service may read as the same name (`X_Foo` for `X-Foo`).
//! They are applied in the order in which they are written: the API's first, then the operation's. APK
//! differs: it reads an operation's header policies only where the API has no policy of any kind, and
//! passes over them silently where it has one; and Envoy removes before it adds.
//!
//! Refused, with their names: headers that are the gateway's to set, those that frame a message, and
//! credentials. `Cookie` and `Set-Cookie` are none of these: the gateway takes no token out of a cookie,
//! so they are a matter between clients and the service, and of the author who speaks for it.
//!
//! An API has at most 1000 operations, 50 policies for all of them and 50 for each, 16 entries in
//! `authentication`, and 16 headers for backend JWTs: what is more costs every request, or the memory.
//!
//! [`document`] is the file as it is written, [`api`] what the gateway makes of it.

mod api;
mod authentication;
mod document;
mod policies;
mod refused;
#[cfg(test)]
mod tests;

pub(crate) use api::{Access, Api, Minting, Placed};
pub(crate) use authentication::{Credential, Kind};
pub(crate) use policies::ASSERTION;
