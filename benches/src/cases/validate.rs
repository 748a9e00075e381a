//! Access tokens: new ones, those seen before, and forged ones.

use crate::{Reuse, fetched, router, served, validating, verifier};
use axum::body::Body;
use bench_kit::{Case, Provider, raw_verify, through};
use http::StatusCode;
use std::hint::black_box;
use tower::layer::util::Identity;
use tower_backend_jwt::Verifier;

pub(super) fn cases(provider: &Provider, tokens: &[String]) -> Vec<Case> {
    let verifier = verifier(&provider.jwks());
    let fetched = fetched::verifier(provider.jwks());
    let forged = Provider::forged(tokens);
    let unknown: Vec<String> = tokens
        .iter()
        .map(|token| Provider::with_unknown_kid(token))
        .collect();
    let layered = |reuse| served(router().layer(validating(verifier.clone(), reuse)));
    let (ok, refused) = (StatusCode::OK, StatusCode::UNAUTHORIZED);

    let bare = through::<_, Body, _>("bare", served(router()), &tokens[..1], ok);
    // What axum takes for any layer.
    let nothing = served(router().layer(Identity::new()));
    let nothing = through::<_, Body, _>("bare-layered", nothing, &tokens[..1], ok);
    let warm = through::<_, Body, _>("warm-validate", layered(Reuse::Default), &tokens[..1], ok);
    let cold = through::<_, Body, _>("cold-validate-rs256", layered(Reuse::Little), tokens, ok);
    let forged = through::<_, Body, _>("forged", layered(Reuse::Default), &forged, refused);
    vec![
        bare,
        nothing.more_than(&["bare"]),
        warm.more_than(&["bare"]),
        raw_verify("raw-verify-rs256", provider.public_key(), tokens),
        cold.times(&["raw-verify-rs256"]).budget(1.15),
        verify("verifier-rs256", &verifier, tokens, true).times(&["raw-verify-rs256"]),
        verify("verifier-fetched-rs256", &fetched, tokens, true).times(&["verifier-rs256"]),
        forged.times(&["raw-verify-rs256"]),
        verify("forged-unknown-kid", &fetched, &unknown, false).times(&["raw-verify-rs256"]),
    ]
}

/// Without a layer, and so without what it remembers.
fn verify(name: &'static str, verifier: &Verifier, tokens: &[String], valid: bool) -> Case {
    let (verifier, tokens) = (verifier.clone(), tokens.to_vec());
    let mut next = (0..tokens.len()).cycle();
    Case::new(name, move || {
        let token = &tokens[next.next().expect("it has no end")];
        let verified = black_box(verifier.verify(black_box(token)));
        assert_eq!(verified.is_ok(), valid);
    })
}
