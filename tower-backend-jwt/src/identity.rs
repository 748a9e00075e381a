//! What a token is known by, where it is remembered.

use foldhash::{SharedSeed, quality::FoldHasher};
use std::{
    fmt,
    hash::{BuildHasher, Hasher, RandomState},
    sync::atomic::{AtomicU64, Ordering},
};

/// What tokens are known by, where they are remembered: [`VerifierBuilder::known_by`].
///
/// Both are the whole token: two that differ anywhere are two.
///
/// [`VerifierBuilder::known_by`]: crate::VerifierBuilder::known_by
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum KnownBy {
    /// Its text. The fastest: a keyed hash finds it, and all of it is compared.
    #[default]
    Text,
    /// Its SHA-256. A token that could be used again is nowhere in memory once its request is
    /// answered; each request pays for the hash, about half a microsecond for a kilobyte.
    Sha256,
}

/// A token that is looked for.
pub(crate) struct Sought<'a> {
    pub(crate) token: &'a [u8],
    /// Whose it is: no other hasher, and so no other verifier, has this number.
    pub(crate) hasher: u64,
    pub(crate) hash: u64,
    digest: Option<[u8; 32]>,
}

/// What a remembered token is known by. A text is kept with the claims, but for its header, which many
/// tokens have in common.
pub(crate) enum Identity<T> {
    Text(T),
    Digest([u8; 32]),
}

impl Sought<'_> {
    /// Whether that is the one, whose header and the rest of its text are given where it is known by them.
    pub(crate) fn is<'t, T>(
        &self,
        identity: &Identity<T>,
        text: impl FnOnce(&T) -> [&'t str; 2],
    ) -> bool {
        match (identity, &self.digest) {
            (Identity::Text(at), None) => {
                let [header, rest] = text(at);
                self.token.strip_prefix(header.as_bytes()) == Some(rest.as_bytes())
            }
            (Identity::Digest(other), Some(digest)) => other == digest,
            _ => false,
        }
    }

    /// Its digest, if it is known by that.
    pub(crate) const fn digest(&self) -> Option<[u8; 32]> {
        self.digest
    }
}

/// As many bytes of a token as are hashed: its last, which are the signature's. What is remembered was
/// verified, and of two signatures that hold the ends are as different as two random numbers. Others may have
/// the same end, and are found out when all of the token is compared.
const HASHED: usize = 64;

/// Hashes tokens with a key of its own, so that nobody can choose tokens that fall together.
pub(crate) struct TokenHasher {
    number: u64,
    known_by: KnownBy,
    seed: u64,
    shared: Box<SharedSeed>,
}

impl TokenHasher {
    pub(crate) fn new(known_by: KnownBy) -> Self {
        static MADE: AtomicU64 = AtomicU64::new(0);
        // The standard library's own keys, which the system's randomness gives.
        let random = || RandomState::new().build_hasher().finish();
        Self {
            number: MADE.fetch_add(1, Ordering::Relaxed),
            known_by,
            seed: random(),
            shared: Box::new(SharedSeed::from_u64(random())),
        }
    }

    pub(crate) fn seek<'a>(&self, token: &'a [u8]) -> Sought<'a> {
        let digest = match self.known_by {
            KnownBy::Text => None,
            KnownBy::Sha256 => Some(tower_jwks::sha256(token)),
        };
        let mut hasher = FoldHasher::with_seed(self.seed, &self.shared);
        hasher.write(match &digest {
            None => token.last_chunk::<HASHED>().map_or(token, |end| &end[..]),
            Some(digest) => digest,
        });
        Sought {
            token,
            hasher: self.number,
            hash: hasher.finish(),
            digest,
        }
    }
}

impl fmt::Debug for TokenHasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.known_by.fmt(f)
    }
}

/// Takes a number that is a hash already for one.
#[derive(Clone, Copy, Default)]
pub(crate) struct Hashed(u64);

impl BuildHasher for Hashed {
    type Hasher = Self;

    fn build_hasher(&self) -> Self {
        Self(0)
    }
}

impl Hasher for Hashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {
        unreachable!("what has a hash writes that number alone");
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_found_by_all_of_it_and_by_nothing_less() {
        for known_by in [KnownBy::Text, KnownBy::Sha256] {
            let hasher = TokenHasher::new(known_by);
            let one = hasher.seek(b"header.claims.signature");
            let identity = match one.digest() {
                Some(digest) => Identity::Digest(digest),
                None => Identity::Text(["header", ".claims.signature"]),
            };
            assert!(one.is(&identity, |text| *text));
            assert_eq!(one.hash, hasher.seek(b"header.claims.signature").hash);
            for other in ["header.claims.signaturf", "header.claims.signatur", "", "x"] {
                let other = hasher.seek(other.as_bytes());
                assert!(!other.is(&identity, |text| *text));
                assert_ne!(other.hash, one.hash);
            }
        }
    }

    #[test]
    fn each_hasher_has_a_key_of_its_own() {
        let hash = || TokenHasher::new(KnownBy::Text).seek(b"token").hash;
        assert_ne!(hash(), hash());
    }
}
