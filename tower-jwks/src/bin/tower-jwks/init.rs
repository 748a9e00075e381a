//! `tower-jwks init`.

use crate::{
    arguments::{Failure, New},
    import::read,
    report::Report,
    ring::Ring,
};
use serde_json::json;
use tower_jwks::{
    Algorithm, ConfigError, DirectoryStore, KeyRing, KeyStore, KeysUnavailable, SigningKey,
    StoredRing, Swap,
};

pub(crate) async fn run(ring: &Ring, new: &New) -> Result<Report, Failure> {
    if ring.is_there().await? {
        return Err(ring.failed(THERE));
    }
    let mut opening = KeyRing::open(Fresh(ring.store())).policy(new.policy.clone());
    if let Some(algorithm) = new.algorithm {
        opening = opening.algorithm(algorithm);
    }
    if let Some(file) = &new.key {
        let pem = read(file)?;
        let wrong = |error: ConfigError| Failure::failed(format!("{}: {error}", file.display()));
        let algorithm = match new.algorithm {
            Some(algorithm) => SigningKey::from_pem(algorithm, &*pem).map(|_| algorithm),
            None => usual(&pem),
        };
        opening = opening
            .algorithm(algorithm.map_err(wrong)?)
            .first_key(&*pem);
    }
    if let Some(kek) = &ring.kek {
        opening = opening.key_encryption_key(kek.clone());
    }
    let keys = opening.await.map_err(|error| ring.refused(&error))?;
    // The one in reserve is known from when it was read to be there: from now, not from the start of a process.
    keys.refresh().await.map_err(|error| ring.refused(&error))?;
    let signing = keys.signing_key().map_err(|error| ring.refused(&error))?;
    let sealed = ring.kek.is_some();
    let not_sealed = "the private keys are not sealed: who reads the files can sign; \
        a ring is sealed if it is made with --kek-file or --kek-env";
    let (algorithm, kid) = (keys.algorithm(), signing.kid());
    Ok(Report {
        text: format!(
            "a ring of {algorithm} keys is in {}\n{kid} signs",
            ring.name()
        ),
        alarm: (!sealed).then(|| not_sealed.to_owned()),
        json: json!({
            "directory": ring.name(),
            "algorithm": algorithm,
            "kid": kid,
            "sealed": sealed,
        }),
    })
}

const THERE: &str = "there is a ring already (`tower-jwks status` tells of it)";

/// The first algorithm that fits the key; if none does, the error is that of the first.
fn usual(pem: &[u8]) -> Result<Algorithm, ConfigError> {
    let fits = |algorithm| SigningKey::from_pem(algorithm, pem).map(|_| algorithm);
    let first = fits(Algorithm::RS256);
    if first.is_ok() {
        return first;
    }
    [Algorithm::ES256, Algorithm::ES384, Algorithm::EdDSA]
        .into_iter()
        .find_map(|algorithm| fits(algorithm).ok())
        .map_or(first, Ok)
}

/// The directory, in which nobody else makes a ring meanwhile: theirs would be taken for ours.
struct Fresh(DirectoryStore);

impl KeyStore for Fresh {
    async fn load(&self) -> Result<Option<StoredRing>, KeysUnavailable> {
        self.0.load().await
    }

    async fn compare_and_swap(
        &self,
        read: Option<u64>,
        next: StoredRing,
    ) -> Result<Swap, KeysUnavailable> {
        match self.0.compare_and_swap(read, next).await? {
            Swap::Conflict if read.is_none() => Err(KeysUnavailable::new(THERE)),
            outcome => Ok(outcome),
        }
    }
}
