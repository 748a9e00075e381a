//! Forms that services of older WSO2 products ask for.

use super::Policy;
use std::{fmt, str::FromStr};
use tower_jwks::ConfigError;

/// A form of the backend JWT that some service of an older WSO2 product asks for, and that no other
/// should be given.
///
/// ```
/// use tower_backend_jwt::{Compatibility, Policy};
///
/// let policy = Policy::wso2().compatibility(Compatibility::NoIssuer);
/// assert_eq!("standardAlphabet".parse(), Ok(Compatibility::StandardAlphabet));
/// assert!(Compatibility::X5t.warning().contains("SHA-1"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Compatibility {
    /// `standardAlphabet`: each of the three parts in base64's standard alphabet, with `+` and `/`, as
    /// API Manager and Choreo Connect write it with `encoding = "base64"`.
    ///
    /// Such a text is no JWT (RFC 7515 section 3.1): libraries that keep to the standard refuse it.
    StandardAlphabet,
    /// `x5t`: the thumbprint of the signing key's certificate, by which services find the certificate
    /// that they have. WSO2's form, not that of RFC 7515 section 4.1.7. The `kid` stays beside it, unless
    /// [`NoKid`](Self::NoKid) is chosen as well.
    ///
    /// It is made with SHA-1, which is broken: it finds a certificate, it proves none.
    X5t,
    /// `x5t#S256`: the same with SHA-256. WSO2's form, not that of RFC 7515 section 4.1.8.
    ///
    /// Who rotates keys has to give services the new certificate first. Nimbus JOSE+JWT looks for a key of
    /// that thumbprint in the published set, where none has one, and refuses the JWT: it is for services
    /// that verify with a certificate.
    X5tS256,
    /// `noKid`: no `kid`, as Choreo Connect without `useKidProperty`.
    ///
    /// Verifiers have no name to find the key by: they try each one, or take the wrong one.
    NoKid,
    /// `noIssuer`: no `iss`.
    ///
    /// A verifier can no longer tell whose JWT it is but by the key. The policy's issuer still is the
    /// gateway's own name: tokens that have it are refused.
    NoIssuer,
}

impl Compatibility {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::StandardAlphabet,
        Self::X5t,
        Self::X5tS256,
        Self::NoKid,
        Self::NoIssuer,
    ];

    /// Its name in an apk-conf.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::StandardAlphabet => "standardAlphabet",
            Self::X5t => "x5t",
            Self::X5tS256 => "x5t#S256",
            Self::NoKid => "noKid",
            Self::NoIssuer => "noIssuer",
        }
    }

    /// What is wrong with it, for a log.
    #[must_use]
    pub const fn warning(self) -> &'static str {
        match self {
            Self::StandardAlphabet => {
                "the backend JWT is written in base64's standard alphabet: no standard library takes it"
            }
            Self::X5t => "the backend JWT names its certificate by SHA-1, which is broken",
            Self::X5tS256 => "the backend JWT names its certificate in a form of WSO2's own",
            Self::NoKid => "the backend JWT does not name its key: verifiers have to try each one",
            Self::NoIssuer => "the backend JWT does not say who issued it",
        }
    }
}

impl fmt::Display for Compatibility {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Compatibility {
    type Err = ConfigError;

    fn from_str(name: &str) -> Result<Self, ConfigError> {
        let known = Self::ALL.into_iter().find(|form| form.name() == name);
        known.ok_or_else(|| {
            ConfigError::new(
                "compatibility",
                format!("{name:?} is not standardAlphabet, x5t, x5t#S256, noKid or noIssuer"),
            )
        })
    }
}

impl Policy {
    /// Takes a form that older WSO2 products have. Default: none of them. Read what is wrong with each.
    pub fn compatibility(mut self, form: Compatibility) -> Self {
        self.compatibility.insert(form);
        self
    }

    /// The forms that were chosen.
    pub fn compatibilities(&self) -> impl Iterator<Item = Compatibility> {
        self.compatibility.iter().copied()
    }

    pub(super) fn has(&self, form: Compatibility) -> bool {
        self.compatibility.contains(&form)
    }
}
