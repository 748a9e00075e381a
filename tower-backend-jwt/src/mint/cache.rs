//! Backend JWTs that can be used again, and those that are being signed.

use super::{
    application::Application, auth_type::AuthType, claims::Claims, flight::Flight, minted::Minted,
};
use crate::{
    CacheStatus, VerifiedToken,
    bounded::{self, Bounded, EvenShare},
};
use quick_cache::{
    Equivalent, Weighter,
    sync::{EntryAction, EntryResult},
};
use std::{
    fmt,
    hash::{Hash, Hasher},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

/// Bounded in entries and in bytes. What nobody asks for goes first.
///
/// Its places are waited for without a time limit, on threads that must not wait: who holds one does so for the
/// moment that it takes to put something there.
pub(super) struct JwtCache {
    slots: Bounded<Key, Slot>,
    misses: AtomicU64,
}

/// Everything a backend JWT is made from, apart from the signing key, which is compared when an entry
/// is found.
#[derive(Clone)]
pub(super) struct Key {
    /// What is fixed for a minter: its policy, its API. No two minters have the same number.
    minter: u64,
    caller: Known,
    application: Option<Application>,
    claims: Claims,
}

#[derive(Clone)]
enum Known {
    Token(VerifiedToken),
    Without(AuthType),
}

/// What there is for a key.
#[derive(Clone)]
pub(super) enum Slot {
    Signing(Arc<Flight>),
    Minted(Arc<Minted>),
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
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Inputs<'a> {
    pub(super) minter: u64,
    pub(super) caller: Caller<'a>,
    pub(super) application: Option<&'a Application>,
    /// The user's own claims.
    pub(super) claims: &'a Claims,
}

impl JwtCache {
    pub(super) fn new(entries: usize, bytes: u64) -> Self {
        Self {
            slots: bounded::cache(entries, bytes),
            misses: AtomicU64::new(0),
        }
    }

    pub(super) fn find(&self, inputs: &Inputs<'_>) -> Option<Slot> {
        self.slots.get(inputs)
    }

    /// Takes the place of this key for a signature, unless what is there will do: that is given back then.
    pub(super) fn begin(
        &self,
        key: &Key,
        flight: &Arc<Flight>,
        will_do: impl Fn(&Slot) -> bool,
    ) -> Option<Slot> {
        let entry = self.slots.entry(key, None, |_, slot| {
            if will_do(slot) {
                return EntryAction::Retain(Some(slot.clone()));
            }
            *slot = Slot::Signing(Arc::clone(flight));
            EntryAction::Retain(None)
        });
        let instead = match entry {
            EntryResult::Retained(instead) => instead,
            EntryResult::Vacant(place) => {
                // If somebody has taken the place meanwhile, both sign.
                let _ = place.insert(Slot::Signing(Arc::clone(flight)));
                None
            }
            EntryResult::Removed(..) | EntryResult::Replaced(..) | EntryResult::Timeout => {
                unreachable!("nothing is removed above, and waited for without end")
            }
        };
        if instead.is_none() {
            self.misses.fetch_add(1, Ordering::Relaxed);
        }
        instead
    }

    /// Ends a signature: what was minted takes its place, or nothing does. Whatever has taken that since
    /// stays.
    pub(super) fn end(&self, key: &Key, flight: &Arc<Flight>, minted: Option<Arc<Minted>>) {
        let entry = self.slots.entry(key, None, |_, slot| {
            let ours = matches!(slot, Slot::Signing(other) if Arc::ptr_eq(other, flight));
            match &minted {
                _ if !ours => EntryAction::Retain(()),
                Some(minted) => {
                    *slot = Slot::Minted(Arc::clone(minted));
                    EntryAction::Retain(())
                }
                None => EntryAction::Remove,
            }
        });
        // It was too many while it was being signed.
        if let (EntryResult::Vacant(place), Some(minted)) = (entry, minted) {
            let _ = place.insert(Slot::Minted(minted));
        }
    }

    /// Puts one that was made ahead of time in the place of the one before it, if that is there still. If
    /// not, nobody asks for it.
    pub(super) fn renew(&self, key: &Key, before: &Arc<Minted>, minted: Arc<Minted>) {
        let _ = self.slots.entry(key, None, |_, slot| {
            if matches!(slot, Slot::Minted(other) if Arc::ptr_eq(other, before)) {
                *slot = Slot::Minted(minted);
            }
            EntryAction::Retain(())
        });
    }

    pub(super) fn status(&self) -> CacheStatus {
        CacheStatus {
            entries: self.slots.len(),
            bytes: self.slots.weight(),
            misses: self.misses.load(Ordering::Relaxed),
        }
    }
}

impl Inputs<'_> {
    pub(super) fn key(&self) -> Key {
        Key {
            minter: self.minter,
            caller: match self.caller {
                Caller::Token(token) => Known::Token(token.clone()),
                Caller::Without(auth_type) => Known::Without(auth_type.clone()),
            },
            application: self.application.cloned(),
            claims: self.claims.clone(),
        }
    }
}

impl PartialEq for Caller<'_> {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Token(one), Self::Token(another)) => one.is_same(another),
            (Self::Without(one), Self::Without(another)) => one == another,
            _ => false,
        }
    }
}

impl Eq for Caller<'_> {}

impl Hash for Caller<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self {
            Self::Token(token) => token.hash().hash(state),
            Self::Without(auth_type) => auth_type.hash(state),
        }
    }
}

impl Key {
    pub(super) fn inputs(&self) -> Inputs<'_> {
        Inputs {
            minter: self.minter,
            caller: match &self.caller {
                Known::Token(token) => Caller::Token(token),
                Known::Without(auth_type) => Caller::Without(auth_type),
            },
            application: self.application.as_ref(),
            claims: &self.claims,
        }
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.inputs() == other.inputs()
    }
}

impl Eq for Key {}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.inputs().hash(state);
    }
}

impl Equivalent<Key> for Inputs<'_> {
    fn equivalent(&self, key: &Key) -> bool {
        *self == key.inputs()
    }
}

impl Weighter<Key, Slot> for EvenShare {
    fn weight(&self, key: &Key, slot: &Slot) -> u64 {
        let bytes = size_of::<Key>()
            + size_of::<Slot>()
            + size_of::<Minted>()
            + match &key.caller {
                Known::Token(token) => token.size(),
                Known::Without(_) => 0,
            }
            + key.application.as_ref().map_or(0, Application::size)
            + key.claims.json().len()
            + match slot {
                Slot::Minted(minted) => minted.value.len(),
                Slot::Signing(_) => 0,
            };
        self.weigh(bytes)
    }
}

impl fmt::Debug for JwtCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.status().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;
    use std::sync::{Weak, atomic::AtomicBool};
    use tower_jwks::{Algorithm, SigningKey, UnixTime};

    fn minted(text: &'static str) -> Arc<Minted> {
        let at = UnixTime::from_secs;
        Arc::new(Minted {
            value: HeaderValue::from_static(text),
            key: Weak::new(),
            issued_at: at(0),
            renew_at: at(80),
            usable_until: at(100),
            renewing: AtomicBool::new(false),
        })
    }

    fn flight() -> Arc<Flight> {
        Flight::new(&Arc::new(SigningKey::generate(Algorithm::EdDSA).unwrap()))
    }

    /// A cache, and one place in it.
    fn place() -> (JwtCache, Key) {
        let claims = Claims::new();
        let inputs = Inputs {
            minter: 0,
            caller: Caller::Without(&AuthType::NONE),
            application: None,
            claims: &claims,
        };
        (JwtCache::new(10, 1 << 20), inputs.key())
    }

    fn take(cache: &JwtCache, key: &Key, flight: &Arc<Flight>) {
        assert!(cache.begin(key, flight, |_| false).is_none());
    }

    fn found(cache: &JwtCache, key: &Key) -> Option<HeaderValue> {
        match cache.find(&key.inputs())? {
            Slot::Minted(minted) => Some(minted.value.clone()),
            Slot::Signing(_) => None,
        }
    }

    #[test]
    fn one_that_is_renewed_takes_the_place_of_the_one_before_it_and_of_no_other() {
        let (cache, key) = place();
        let (first, second) = (minted("first"), minted("second"));
        let flight = flight();
        take(&cache, &key, &flight);
        cache.end(&key, &flight, Some(Arc::clone(&first)));
        cache.renew(&key, &first, second);
        assert_eq!(found(&cache, &key).unwrap(), "second");
        cache.renew(&key, &first, minted("third"));
        assert_eq!(found(&cache, &key).unwrap(), "second");
    }

    #[test]
    fn a_renewal_of_what_is_not_there_any_more_is_not_kept() {
        let (cache, key) = place();
        cache.renew(&key, &minted("first"), minted("second"));
        assert!(found(&cache, &key).is_none());
        assert_eq!(cache.status().entries, 0);
    }

    #[test]
    fn a_signature_whose_place_was_taken_leaves_it_be() {
        let (cache, key) = place();
        let (early, late) = (flight(), flight());
        take(&cache, &key, &early);
        take(&cache, &key, &late);
        cache.end(&key, &early, Some(minted("early")));
        assert!(found(&cache, &key).is_none(), "it is still being signed");
        cache.end(&key, &early, None);
        assert_eq!(cache.status().entries, 1);
        cache.end(&key, &late, Some(minted("late")));
        assert_eq!(found(&cache, &key).unwrap(), "late");
        cache.end(&key, &early, Some(minted("early")));
        assert_eq!(found(&cache, &key).unwrap(), "late");
    }

    #[test]
    fn a_signature_that_failed_leaves_nothing() {
        let (cache, key) = place();
        let flight = flight();
        take(&cache, &key, &flight);
        cache.end(&key, &flight, None);
        assert_eq!(cache.status().entries, 0);
    }
}
