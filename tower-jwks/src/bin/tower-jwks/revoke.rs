//! `tower-jwks revoke`.

use crate::{
    arguments::Failure,
    report::Report,
    ring::{Ring, now},
    status::{alarm, next_signer},
};
use serde_json::json;
use tower_jwks::{KeyRingStatus, KeyState};

pub(crate) async fn run(ring: &Ring, kid: &str) -> Result<Report, Failure> {
    let keys = ring.open().await?;
    let signed = active(&keys.status()).is_some_and(|active| active == kid);
    let revoked = keys.revoke(kid).await;
    revoked.map_err(|error| ring.refused(&error))?;
    let (status, now) = (keys.status(), now());
    let signer = active(&status).filter(|_| status.signs);
    let mut text = format!("{kid} is revoked: it is published no more, and signs no more");
    if let Some(signer) = &signer {
        let takes_over = if signed {
            "takes over, and signs now"
        } else {
            "signs"
        };
        text += &format!("\n{signer} {takes_over}");
    }
    let next = next_signer(&status).filter(|_| signer.is_none());
    Ok(Report {
        text,
        alarm: alarm(&status, now),
        json: json!({
            "revoked": kid,
            "signs": signer.is_some(),
            "kid": signer.as_deref().or(next.map(|(kid, _)| kid)),
            "signs_at": next.map(|(_, at)| at),
            "epoch": status.epoch,
        }),
    })
}

fn active(status: &KeyRingStatus) -> Option<String> {
    let mut keys = status.keys.iter();
    keys.find(|key| key.state == KeyState::Active)
        .map(|key| key.kid.clone())
}
