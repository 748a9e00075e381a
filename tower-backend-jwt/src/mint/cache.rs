//! Backend JWTs that can be used again.

use super::{application::Application, auth_type::AuthType};
use crate::{VerifiedToken, issuer::Rules};
use http::HeaderValue;
use quick_cache::{Equivalent, Weighter, sync::Cache};
use std::{
    fmt,
    hash::{Hash, Hasher},
    sync::{Arc, Weak},
};
use tower_jwks::{SigningKey, UnixTime};

/// Bounded in entries and in bytes. What nobody asks for goes first.
pub(super) struct JwtCache(Cache<Key, Arc<Minted>, Weight>);

/// Everything a backend JWT is made from, apart from the signing key, which is compared when an entry
/// is found.
struct Key {
    /// What is fixed for a minter: its policy, its API. No two minters have the same number.
    minter: u64,
    caller: Known,
    application: Option<Application>,
    claims: Box<str>,
}

enum Known {
    /// Two verifiers may read one token in two ways: what it says depends on their mappings.
    Token(Arc<str>, Arc<Rules>),
    Without(AuthType),
}

/// Whom a backend JWT is about.
#[derive(Clone, Copy)]
pub(crate) enum Caller<'a> {
    /// Who has this token.
    Token(&'a VerifiedToken),
    /// Somebody who has none.
    Without(&'a AuthType),
}

/// A [`Key`] to look up with: nothing is copied to find something.
pub(super) struct Inputs<'a> {
    pub(super) minter: u64,
    pub(super) caller: Caller<'a>,
    pub(super) application: Option<&'a Application>,
    /// The user's own claims, as JSON.
    pub(super) claims: &'a str,
}

/// A backend JWT and how long it may be handed out.
pub(super) struct Minted {
    pub(super) value: HeaderValue,
    /// Weak: a key that is retired leaves the memory, whatever it signed.
    pub(super) key: Weak<SigningKey>,
    pub(super) issued_at: UnixTime,
    /// From then on a new one is made, so that what is handed out has some life left.
    pub(super) renew_at: UnixTime,
}

impl JwtCache {
    pub(super) fn new(entries: usize, bytes: u64) -> Self {
        let share = Weight {
            least: bytes.div_ceil(entries.max(1) as u64),
        };
        Self(Cache::with_weighter(entries, bytes, share))
    }

    /// A JWT made from these inputs with this key, that may still be handed out at `now`.
    pub(super) fn find(
        &self,
        inputs: &Inputs<'_>,
        key: &Arc<SigningKey>,
        now: UnixTime,
    ) -> Option<HeaderValue> {
        let minted = self.0.get(inputs)?;
        // A clock that went back makes a new one rather than one issued in the future.
        let usable = minted.key.as_ptr() == Arc::as_ptr(key)
            && minted.issued_at <= now
            && now < minted.renew_at;
        usable.then(|| minted.value.clone())
    }

    pub(super) fn insert(&self, inputs: &Inputs<'_>, minted: Minted) {
        let key = Key {
            minter: inputs.minter,
            caller: match inputs.caller {
                Caller::Token(token) => {
                    Known::Token(Arc::clone(token.token()), Arc::clone(token.rules()))
                }
                Caller::Without(auth_type) => Known::Without(auth_type.clone()),
            },
            application: inputs.application.cloned(),
            claims: inputs.claims.into(),
        };
        self.0.insert(key, Arc::new(minted));
    }
}

/// What two keys are compared by: the whole token, not an identifier that two issuers could give
/// twice; the rules by their address, which no others can have while a key holds them.
type Parts<'a> = (u64, CallerParts<'a>, Option<&'a Application>, &'a str);

#[derive(PartialEq, Eq, Hash)]
enum CallerParts<'a> {
    Token(&'a str, *const Rules),
    Without(&'a AuthType),
}

impl Key {
    fn parts(&self) -> Parts<'_> {
        let caller = match &self.caller {
            Known::Token(token, rules) => CallerParts::Token(token, Arc::as_ptr(rules)),
            Known::Without(auth_type) => CallerParts::Without(auth_type),
        };
        (self.minter, caller, self.application.as_ref(), &self.claims)
    }
}

impl Inputs<'_> {
    fn parts(&self) -> Parts<'_> {
        let caller = match self.caller {
            Caller::Token(token) => CallerParts::Token(token.token(), Arc::as_ptr(token.rules())),
            Caller::Without(auth_type) => CallerParts::Without(auth_type),
        };
        (self.minter, caller, self.application, self.claims)
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.parts() == other.parts()
    }
}

impl Eq for Key {}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.parts().hash(state);
    }
}

impl Hash for Inputs<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.parts().hash(state);
    }
}

impl Equivalent<Key> for Inputs<'_> {
    fn equivalent(&self, key: &Key) -> bool {
        self.parts() == key.parts()
    }
}

/// Weighs an entry by the memory it takes, nearly, and no less than an even share of all of it: so
/// that there are no more entries than there should be.
#[derive(Clone)]
struct Weight {
    least: u64,
}

impl Weighter<Key, Arc<Minted>> for Weight {
    fn weight(&self, key: &Key, minted: &Arc<Minted>) -> u64 {
        let bytes = size_of::<Key>()
            + size_of::<Minted>()
            + match &key.caller {
                Known::Token(token, _) => token.len(),
                Known::Without(_) => 0,
            }
            + key.application.as_ref().map_or(0, Application::size)
            + key.claims.len()
            + minted.value.len();
        (bytes as u64).max(self.least)
    }
}

impl fmt::Debug for JwtCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwtCache")
            .field("len", &self.0.len())
            .field("bytes", &self.0.weight())
            .finish_non_exhaustive()
    }
}
