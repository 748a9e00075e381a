//! The identity providers whose access tokens are accepted.

mod fetching;
mod keys;

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use serde::Serialize;
use tower_backend_jwt::{Issuer, Verifier};
use tower_jwks::{ConfigError, KeysStatus};

use self::{
    fetching::Fetching,
    keys::{Keys, Origin},
};
use crate::{
    error::{Fault, LoadError},
    settings::{FetchSettings, IssuerSettings},
};

/// The issuers with their keys.
#[derive(Debug)]
pub(crate) struct Issuers {
    /// For the errors alone.
    file: PathBuf,
    issuers: Vec<(IssuerSettings, Keys)>,
    /// By their audiences. What is remembered of a token belongs to the verifier that has seen it, so that
    /// a deploy must not make another one for an API that it leaves as it is.
    verifiers: Mutex<HashMap<Vec<String>, Verifier>>,
}

/// More lists of audiences than any gateway should have; then those of past deploys are forgotten.
const MOST_VERIFIERS: usize = 256;

/// The state of an issuer's keys, for an operator to look at.
#[derive(Debug, Serialize)]
pub(crate) struct IssuerStatus<'i> {
    issuer: &'i str,
    keys_from: Origin,
    #[serde(flatten)]
    keys: KeysStatus,
}

impl Issuers {
    /// Reads the keys of the issuers that are set in `file`, or begins to fetch them; paths are
    /// relative to it.
    pub(crate) fn load(
        issuers: Vec<IssuerSettings>,
        fetch: &FetchSettings,
        file: &Path,
    ) -> Result<Self, LoadError> {
        let folder = file.parent().unwrap_or(Path::new(""));
        let mut fetching = Fetching::new(fetch, folder);
        let issuers = issuers
            .into_iter()
            .enumerate()
            .map(|(index, settings)| {
                let field = format!("issuers[{index}]");
                check_audiences(&settings, &field)?;
                let keys = Keys::load(&settings, &field, folder, &mut fetching)?;
                Ok((settings, keys))
            })
            .collect::<Result<_, Fault>>()
            .map_err(|fault| fault.in_file(file))?;
        Ok(Self {
            file: file.to_path_buf(),
            issuers,
            verifiers: Mutex::default(),
        })
    }

    /// A verifier for tokens of all of them, with these audiences if there are any, else their own.
    ///
    /// The same one for the same audiences: a token that one operation has let in is known to the others.
    pub(crate) fn verifier(&self, audiences: &[String]) -> Result<Verifier, LoadError> {
        let mut audiences = audiences.to_vec();
        audiences.sort_unstable();
        audiences.dedup();
        let mut verifiers = self
            .verifiers
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(verifier) = verifiers.get(&audiences) {
            return Ok(verifier.clone());
        }
        let verifier = self
            .build(&audiences, |_| true)
            .map_err(|fault| fault.in_file(&self.file))?;
        if verifiers.len() >= MOST_VERIFIERS {
            verifiers.clear();
        }
        verifiers.insert(audiences, verifier.clone());
        Ok(verifier)
    }

    /// A verifier for tokens for `audience` from the issuers that `admin.issuers` names. An issuer for
    /// the callers of APIs is not one for their deployers, so among several somebody has to choose.
    pub(crate) fn deployers(
        &self,
        named: Option<&[String]>,
        audience: String,
    ) -> Result<Verifier, Fault> {
        let audiences = [audience];
        let Some(named) = named else {
            if self.issuers.len() > 1 {
                return Err(Fault::new(
                    "admin.issuers",
                    "missing; there are several issuers, so name those whose tokens may deploy APIs",
                ));
            }
            return self.build(&audiences, |_| true);
        };
        if named.is_empty() {
            return Err(Fault::new(
                "admin.issuers",
                "is empty, so nobody may deploy APIs",
            ));
        }
        for (index, name) in named.iter().enumerate() {
            let at = |why| {
                let field = format!("admin.issuers[{index}]");
                Err(Fault::new(field, format!("`{name}` {why}")))
            };
            if !self.issuers.iter().any(|(known, _)| known.issuer == *name) {
                return at("is none of `issuers`");
            }
            if named[..index].contains(name) {
                return at("is named twice");
            }
        }
        self.build(&audiences, |issuer| named.iter().any(|name| name == issuer))
    }

    /// Whose tokens are accepted, and where the keys for that come from, for people to read.
    pub(crate) fn describe(&self) -> impl Iterator<Item = String> {
        self.issuers.iter().map(|(settings, keys)| {
            let copy = match &settings.keys_copy {
                Some(file) => format!(", copied to {}", file.display()),
                None => String::new(),
            };
            format!(
                "tokens of {}, keys {}{copy}",
                settings.issuer,
                keys.origin()
            )
        })
    }

    /// The state of each.
    pub(crate) fn statuses(&self) -> impl Iterator<Item = IssuerStatus<'_>> {
        self.issuers.iter().map(|(settings, keys)| IssuerStatus {
            issuer: &settings.issuer,
            keys_from: keys.origin(),
            keys: keys.status(),
        })
    }

    /// Builds a verifier for tokens of those whose names are wanted.
    fn build(
        &self,
        audiences: &[String],
        is_wanted: impl Fn(&str) -> bool,
    ) -> Result<Verifier, Fault> {
        if self.issuers.is_empty() {
            return Err(Fault::new(
                "issuers",
                "an API asks for access tokens, so there has to be an issuer",
            ));
        }
        let mut verifier = Verifier::builder();
        for (index, (settings, keys)) in self.issuers.iter().enumerate() {
            if !is_wanted(&settings.issuer) {
                continue;
            }
            let issuer = issuer(settings, keys, audiences)
                .map_err(|error| Fault::new(format!("issuers[{index}]"), error))?;
            verifier = verifier.issuer(issuer);
        }
        verifier
            .build()
            .map_err(|error| Fault::new("issuers", error))
    }
}

impl IssuerStatus<'_> {
    /// The issuer's name.
    pub(crate) fn issuer(&self) -> &str {
        self.issuer
    }

    /// Whether its tokens can be verified now.
    pub(crate) fn is_ready(&self) -> bool {
        self.keys.is_ready()
    }
}

/// A token for whomever is taken only where somebody has said so.
fn check_audiences(settings: &IssuerSettings, field: &str) -> Result<(), Fault> {
    if !settings.any_audience {
        return Ok(());
    }
    if !settings.audiences.is_empty() {
        return Err(Fault::new(
            format!("{field}.anyAudience"),
            "is set, and audiences are named",
        ));
    }
    tracing::warn!(
        issuer = settings.issuer,
        "anyAudience: tokens that the issuer has made for other services are accepted as well"
    );
    Ok(())
}

/// The issuer's rules for these audiences. The keys are shared by all that are made.
fn issuer(
    settings: &IssuerSettings,
    keys: &Keys,
    audiences: &[String],
) -> Result<Issuer, ConfigError> {
    let mut issuer = Issuer::from_source(&settings.issuer, keys.source());
    if !settings.algorithms.is_empty() {
        issuer = issuer.algorithms(settings.algorithms.iter().copied());
    }
    let audiences = if audiences.is_empty() {
        &settings.audiences
    } else {
        audiences
    };
    issuer = if audiences.is_empty() && settings.any_audience {
        issuer.dangerous_accept_any_audience()
    } else {
        issuer.audiences(audiences)
    };
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
