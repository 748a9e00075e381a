//! How a cache is doing.

use serde::Serialize;

/// How a cache is doing, for an operator to look at: of a [`TokenCache`](crate::TokenCache), or of backend
/// JWTs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CacheStatus {
    /// How many there are in it.
    pub entries: usize,
    /// What is charged against the bound in bytes: for each entry what it takes in memory, nearly, but its even
    /// share of the bound at least, about `bytes / entries`. Entries are smaller than that as a rule, and then this is
    /// more than they take. So it says how full the cache is; it is no measure of the process's memory, and
    /// nothing to raise an alert by.
    pub bytes: u64,
    /// How often what was asked for was not in it, and was made: a token verified, a backend JWT signed. What
    /// was refused is not among them. How often it was there is not counted: that would be a write, shared by all
    /// threads, with each request.
    pub misses: u64,
}
