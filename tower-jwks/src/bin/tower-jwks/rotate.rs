//! `tower-jwks rotate`.

use crate::{
    arguments::Failure,
    report::Report,
    ring::{Ring, now},
    status, words,
};
use serde_json::json;
use tower_jwks::{KeyRingStatus, KeyState, UnixTime};

pub(crate) async fn run(ring: &Ring) -> Result<Report, Failure> {
    let keys = ring.open().await?;
    let at = keys.rotate().await.map_err(|error| ring.refused(&error))?;
    let (status, now) = (keys.status(), now());
    let kid = signer_at(&status, at)
        .ok_or_else(|| ring.failed("the key that is to sign is gone meanwhile"))?;
    Ok(Report {
        text: format!("{kid} signs {}", words::until(at, now)),
        alarm: status::alarm(&status, now),
        json: json!({ "kid": kid, "signs_at": at, "signs": status.signs }),
    })
}

/// The key whose turn begins then.
fn signer_at(status: &KeyRingStatus, at: UnixTime) -> Option<&str> {
    let key = status.keys.iter().find(|key| match key.state {
        KeyState::Active => key.since == Some(at),
        // Those that wait are in the order in which they are to sign.
        KeyState::Pending => key.next.as_ref().is_some_and(|next| next.at == Some(at)),
        _ => false,
    });
    key.map(|key| key.kid.as_str())
}
