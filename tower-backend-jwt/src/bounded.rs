//! The bounds of a cache, in entries and in bytes at once.

/// Weighs an entry by the memory it takes, and no less than an even share of all of it: so that there are no more
/// entries than there should be.
#[derive(Clone, Copy)]
pub(crate) struct EvenShare {
    least: u64,
}

impl EvenShare {
    pub(crate) fn new(entries: usize, bytes: u64) -> Self {
        Self {
            least: bytes.div_ceil(entries.max(1) as u64).max(1),
        }
    }

    /// What an entry of so many bytes weighs.
    pub(crate) fn weigh(self, bytes: usize) -> u64 {
        (bytes as u64).max(self.least)
    }
}
