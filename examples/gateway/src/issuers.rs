//! The identity providers whose access tokens are accepted.

use std::{
    fs,
    path::{Path, PathBuf},
};

use tower_backend_jwt::{Issuer, Verifier};
use tower_jwks::{Algorithm, ConfigError, JwkSet, VerifyingKey};

use crate::{
    error::{Fault, LoadError},
    settings::{IssuerSettings, JwksSettings},
};

/// The issuers with their keys.
#[derive(Debug)]
pub(crate) struct Issuers {
    /// For the errors alone.
    file: PathBuf,
    issuers: Vec<(IssuerSettings, Keys)>,
}

#[derive(Debug)]
enum Keys {
    Set(JwkSet),
    /// PEM; prepared anew for each verifier.
    Certificate(Vec<u8>),
}

impl Issuers {
    /// Reads the keys of the issuers that are set in `file`; paths are relative to it.
    pub(crate) fn load(issuers: Vec<IssuerSettings>, file: &Path) -> Result<Self, LoadError> {
        let folder = file.parent().unwrap_or(Path::new(""));
        let issuers = issuers
            .into_iter()
            .enumerate()
            .map(|(index, settings)| {
                let keys = keys(&settings, &format!("issuers[{index}]"), folder)?;
                Ok((settings, keys))
            })
            .collect::<Result<_, Fault>>()
            .map_err(|fault| fault.in_file(file))?;
        Ok(Self {
            file: file.to_path_buf(),
            issuers,
        })
    }

    /// A verifier for tokens of all of them, with these audiences if there are any, else their own.
    pub(crate) fn verifier(&self, audiences: &[String]) -> Result<Verifier, LoadError> {
        self.build(audiences)
            .map_err(|fault| fault.in_file(&self.file))
    }

    fn build(&self, audiences: &[String]) -> Result<Verifier, Fault> {
        if self.issuers.is_empty() {
            return Err(Fault::new(
                "issuers",
                "an API asks for access tokens, so there has to be an issuer",
            ));
        }
        let mut verifier = Verifier::builder();
        for (index, (settings, keys)) in self.issuers.iter().enumerate() {
            let issuer = issuer(settings, keys, audiences)
                .map_err(|error| Fault::new(format!("issuers[{index}]"), error))?;
            verifier = verifier.issuer(issuer);
        }
        verifier
            .build()
            .map_err(|error| Fault::new("issuers", error))
    }
}

fn keys(settings: &IssuerSettings, field: &str, folder: &Path) -> Result<Keys, Fault> {
    match (&settings.jwks, &settings.certificate) {
        (Some(JwksSettings { url: Some(_), .. }), _) => Err(Fault::new(
            format!("{field}.jwks.url"),
            "not yet: keys cannot be fetched over the network; save the document and name it as `file`",
        )),
        (
            Some(JwksSettings {
                file: Some(file),
                url: None,
            }),
            None,
        ) => {
            let set = JwkSet::from_file(folder.join(file))
                .map_err(|error| Fault::new(format!("{field}.jwks.file"), error))?;
            for key in set.left_out() {
                tracing::warn!(issuer = settings.issuer, %key, "a key of the issuer is not used");
            }
            Ok(Keys::Set(set))
        }
        (None, Some(file)) => {
            let path = folder.join(file);
            let pem = fs::read(&path).map_err(|error| {
                Fault::new(
                    format!("{field}.certificate"),
                    format!("{}: {error}", path.display()),
                )
            })?;
            Ok(Keys::Certificate(pem))
        }
        (Some(_), Some(_)) => Err(Fault::new(
            field,
            "either `jwks` or `certificate`, not both",
        )),
        (Some(_), None) => Err(Fault::new(format!("{field}.jwks"), "missing `file`")),
        (None, None) => Err(Fault::new(field, "missing `jwks` or `certificate`")),
    }
}

fn issuer(
    settings: &IssuerSettings,
    keys: &Keys,
    audiences: &[String],
) -> Result<Issuer, ConfigError> {
    let name = &settings.issuer;
    let mut issuer = match keys {
        Keys::Set(set) => Issuer::from_jwks(name, set.clone()),
        Keys::Certificate(pem) => {
            Issuer::from_keys(name, [certified_key(pem, &settings.algorithms)?])
        }
    };
    if !settings.algorithms.is_empty() {
        issuer = issuer.algorithms(settings.algorithms.iter().copied());
    }
    let audiences = if audiences.is_empty() {
        &settings.audiences
    } else {
        audiences
    };
    issuer = issuer.audiences(audiences);
    for mapping in &settings.claim_mappings {
        issuer = issuer.map_claim(&mapping.remote_claim, &mapping.local_claim);
    }
    if let Some(claim) = &settings.consumer_key_claim {
        issuer = issuer.client_id_claim(claim);
    }
    if let Some(claim) = &settings.scopes_claim {
        // Who names the claim has a provider of that kind, and WSO2 takes both forms.
        issuer = issuer.scope_claim(claim).accept_scope_arrays();
    }
    issuer.build()
}

/// A certificate says which key, not which algorithm: one has to fit.
fn certified_key(pem: &[u8], allowed: &[Algorithm]) -> Result<VerifyingKey, ConfigError> {
    match allowed {
        [] => {
            let first = VerifyingKey::from_pem(Algorithm::RS256, pem);
            if first.is_ok() {
                return first;
            }
            [Algorithm::ES256, Algorithm::ES384, Algorithm::EdDSA]
                .into_iter()
                .find_map(|algorithm| VerifyingKey::from_pem(algorithm, pem).ok())
                .map_or(first, Ok)
        }
        [algorithm] => VerifyingKey::from_pem(*algorithm, pem),
        _ => Err(ConfigError::new(
            "algorithms",
            "a certificate goes with one",
        )),
    }
}
