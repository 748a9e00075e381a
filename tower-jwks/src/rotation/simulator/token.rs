//! What replicas hand out, without its cryptography: a token is whose key it is of, and until when.

use super::scenario::Tick;
use crate::UnixTime;

/// A key, by the number in its `kid`.
pub(super) type Kid = u32;

#[derive(Clone, Copy, Debug)]
pub(super) struct Token {
    pub(super) kid: Kid,
    pub(super) expires_at: UnixTime,
    pub(super) minted_by: usize,
    pub(super) minted: Tick,
}

/// A published set, as one verifier has it.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) kids: Vec<Kid>,
    pub(super) epoch: u64,
    pub(super) from: usize,
    pub(super) answered: Tick,
    pub(super) kept_until: Tick,
}

/// The `kid` of a number, and the number of a `kid`.
pub(super) fn kid_of(number: Kid) -> Box<str> {
    format!("k{number}").into()
}

pub(super) fn number_of(kid: &str) -> Kid {
    let digits = kid.bytes().skip(1);
    digits.fold(0, |number, digit| 10 * number + Kid::from(digit - b'0'))
}
