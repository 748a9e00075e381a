//! The gateway as it is run: its own process, real sockets in front of it and behind it.

#![allow(clippy::unwrap_used, reason = "a test that fails should panic")]

mod access;
mod admin;
mod admin_callers;
mod applications;
mod attacks;
mod backend;
mod caches;
mod deploy;
mod deploy_attacks;
mod deploy_changes;
mod deploy_kept;
mod deploy_limits;
mod deploy_others;
mod deploy_policies;
mod deploy_uploads;
mod deployer;
mod ending;
mod extensions;
mod gateway;
mod header_policies;
mod http2;
mod idp;
mod keys;
mod loops;
mod minimal_assertion;
mod provider;
mod refusals;
mod remote;
mod ring;
mod serving;
mod streaming;
mod subscriptions;
mod tls;
