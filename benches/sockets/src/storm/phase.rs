//! A time with so many new tokens a second.

use crate::{args::Options, statistics::percentile};

/// New tokens a second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Phase {
    pub(super) storm: usize,
    pub(super) seconds: f64,
}

/// Requests a second whose tokens are known.
pub(super) const WARM_RATE: usize = 2_000;

/// Tokens that they have.
pub(super) const WARM_TOKENS: usize = 16;

/// In their order.
pub(super) fn phases(options: &Options) -> [Phase; 3] {
    let seconds = if options.quick { 0.2 } else { 5.0 };
    [0, 500, 2_000].map(|storm| Phase { storm, seconds })
}

impl Phase {
    pub(super) const fn requests(self, rate: usize) -> usize {
        (self.seconds * rate as f64) as usize
    }

    pub(super) const fn new_tokens(self) -> usize {
        self.requests(self.storm)
    }

    pub(super) fn name(self) -> String {
        match self.storm {
            0 => "idle".to_owned(),
            storm => format!("storm-{storm}"),
        }
    }
}

/// What was seen in one phase of one round; times in microseconds since a request was due.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
    /// Until the answer was there.
    pub(super) warm_us: Vec<f64>,
    /// Until it was sent.
    pub(super) late_us: Vec<f64>,
    /// The same as `warm_us` for new tokens.
    pub(super) new_us: Vec<f64>,
    /// Requests, known or new, that were not answered as they should be: all tokens are sound.
    pub(super) refused: usize,
    /// CPU time a second.
    pub(super) gateway_cores: f64,
    pub(super) generator_cores: f64,
    pub(super) others_cores: f64,
}

impl Seen {
    pub(super) fn p99(&self) -> f64 {
        percentile(&self.warm_us, 0.99)
    }
}
