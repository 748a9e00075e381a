//! `tower-jwks import`.

use crate::{
    arguments::Failure,
    report::Report,
    ring::{Ring, now},
    status::next_in_words,
};
use serde_json::json;
use std::{fs, path::Path};
use zeroize::Zeroizing;

pub(crate) async fn run(ring: &Ring, file: &Path) -> Result<Report, Failure> {
    let keys = ring.open().await?;
    let pem = read(file)?;
    let kid = keys.import(&*pem).await.map_err(|error| {
        let error = ring.refused(&error);
        Failure::failed(format!("{}: {error}", file.display()))
    })?;
    let (status, now) = (keys.status(), now());
    let key = status.keys.iter().find(|key| key.kid == kid);
    let next = key.and_then(|key| key.next.as_ref());
    let then = next.map_or(String::new(), |next| {
        format!("\n{}", next_in_words(next, now))
    });
    Ok(Report {
        text: format!(
            "{kid} is in the ring, as one of {} keys{then}",
            status.keys.len()
        ),
        alarm: None,
        json: json!({ "kid": kid, "epoch": status.epoch, "next": next }),
    })
}

/// A file with a private key.
pub(crate) fn read(file: &Path) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let read = fs::read(file).map(Zeroizing::new);
    read.map_err(|error| Failure::failed(format!("{}: {error}", file.display())))
}
