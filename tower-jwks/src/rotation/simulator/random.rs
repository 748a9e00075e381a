//! Numbers that look random and come from a seed: SplitMix64.

use std::ops::RangeInclusive;

#[derive(Clone, Debug)]
pub(super) struct Random(u64);

impl Random {
    /// The series of one part of a run: what the parts draw does not depend on one another.
    pub(super) fn part(seed: u64, part: u64) -> Self {
        Self(Self(seed ^ part.wrapping_mul(0xD6E8_FEB8_6659_FD93)).next())
    }

    pub(super) const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub(super) fn between(&mut self, range: RangeInclusive<u64>) -> u64 {
        let (low, high) = range.into_inner();
        low + self.next() % (high - low + 1)
    }

    pub(super) fn place(&mut self, len: usize) -> usize {
        (self.next() % len as u64) as usize
    }

    pub(super) fn percent(&mut self, percent: u64) -> bool {
        self.next() % 100 < percent
    }

    /// One of the ends as often as all between them: that is where things break.
    pub(super) fn extreme(&mut self, range: RangeInclusive<u64>) -> u64 {
        match self.between(0..=3) {
            0 => *range.start(),
            1 => *range.end(),
            _ => self.between(range),
        }
    }
}
