//! A reverse proxy that serves APIs from apk-conf files with the layers of `tower-backend-jwt`.
//!
//! There is no web framework in it: the layers are plain tower, the server and the client plain
//! hyper. How a request goes through:
//!
//! ```text
//! serve ─► loops ─► JwksLayer ─► StripHopByHop ─► Router
//! └─────────────────── gateway ──────────────────┘
//!   ─► StripHeaderLayer ─► AccessTokenLayer ─► ApplicationLayer ─► StripHeaderLayer ─► forwarded ─► header_policies ─► BackendJwtLayer ─► Proxy
//!      └─────────────────────────────────────────────── stack, one for each operation ────────────────────────────────────────────────┘
//! ```
//!
//! Keys of issuers are fetched beside the requests (`issuers`), and told of at an address of its own
//! (`admin`). There APIs are deployed as well (`deployer`): all that a request can find is one `table`,
//! which `apis` replaces as a whole. Who calls is in a file that is read again when it changes
//! (`applications`).

#![cfg_attr(
    test,
    allow(clippy::unwrap_used, reason = "a test that fails should panic")
)]

mod accept;
mod admin;
mod answer;
mod apis;
mod apk_conf;
mod applications;
mod args;
mod body;
mod caches;
mod conflict;
mod credentials;
mod deployer;
mod endpoint;
mod error;
mod fold;
mod forwarded;
mod gateway;
mod header_policies;
mod hop_by_hop;
mod hosts;
mod issuers;
mod itself;
mod log;
mod loops;
mod operation;
mod path;
mod printable;
mod proxy;
mod ring;
mod router;
mod routes;
mod serve;
mod settings;
mod signing;
mod stack;
mod table;
mod target;
mod upstream;
mod warnings;
mod yaml;

pub use args::{Command, HELP};
pub use error::LoadError;
pub use gateway::{Addresses, Gateway};
pub use log::OfRequest;
pub use serve::{Listeners, serve};
