//! A run as somebody reads it who wants to know why something broke.

use super::{
    scenario::{Action, Longer, SECOND, Scenario, Tick, Which},
    token::Kid,
    world::START,
};
use crate::{
    UnixTime,
    rotation::state::{Entry, State},
};
use std::fmt;

/// Something that happened.
pub(super) struct Line {
    pub(super) at: Tick,
    pub(super) who: Who,
    pub(super) text: String,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Who {
    Replica(usize),
    Verifier(usize),
    Store,
    Broken,
}

impl Who {
    pub(super) fn of(action: &Action) -> Self {
        match (action.verifier(), action.replica()) {
            (Some(verifier), _) => Self::Verifier(verifier),
            (None, Some(replica)) => Self::Replica(replica),
            (None, None) => Self::Store,
        }
    }
}

/// The whole timeline of a run of this scenario.
pub(super) fn render(scenario: &Scenario, lines: &[Line]) -> String {
    let mut text = scenario.to_string();
    for line in lines {
        let who = line.who.to_string();
        text.push_str(&format!(
            "{:>8}  {who:<10}  {}\n",
            seconds(line.at),
            line.text
        ));
    }
    text
}

/// True time, in seconds since the run began.
pub(super) fn seconds(at: Tick) -> String {
    format!("{}.{:02}", at / SECOND, at % SECOND * 100 / SECOND)
}

/// A time by somebody's clock, on the same scale.
pub(super) fn date(at: UnixTime) -> String {
    at.as_secs().saturating_sub(START).to_string()
}

pub(super) fn kids_of(kids: &[Kid]) -> String {
    let kids: Vec<_> = kids.iter().map(|kid| format!("k{kid}")).collect();
    match kids.as_slice() {
        [] => "no key".into(),
        kids => kids.join(" "),
    }
}

/// What a document says that the one before did not.
pub(super) fn described(next: &State, last: Option<&State>) -> String {
    let mut changes = Vec::new();
    for key in &next.keys {
        let before = last.and_then(|last| Some(&last.keys[last.place(&key.kid)?]));
        changes.extend(news(key, before));
    }
    for key in last.iter().flat_map(|last| &last.keys) {
        if next.place(&key.kid).is_none() {
            let how = if next.was_revoked(&key.kid) {
                "revoked"
            } else {
                "gone"
            };
            changes.push(format!("{} {how}", key.kid));
        }
    }
    if last.is_some_and(|last| last.promise != next.promise) {
        changes.push("promises longer times".into());
    }
    format!("epoch {} is in force: {}", next.epoch, changes.join(", "))
}

fn news(key: &Entry, before: Option<&Entry>) -> Vec<String> {
    let Entry { kid, .. } = key;
    let mut news = Vec::new();
    if before.is_none() {
        news.push(match key.not_after {
            Some(end) => format!("{kid} new, ends at {}", date(end)),
            None => format!("{kid} new"),
        });
    }
    let dates = |key: &Entry| [key.published_at, key.activates_at, key.retired_at];
    let known = before.map_or([None; 3], dates);
    let words = ["published", "signs", "retired"];
    for ((at, known), word) in dates(key).into_iter().zip(known).zip(words) {
        if let (Some(at), true) = (at, at != known) {
            news.push(format!("{kid} {word} from {}", date(at)));
        }
    }
    news
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Replica(place) => write!(f, "replica {place}"),
            Self::Verifier(place) => write!(f, "verifier {place}"),
            Self::Store => f.write_str("store"),
            Self::Broken => f.write_str("BROKEN"),
        }
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let times = &self.times;
        writeln!(
            f,
            "propagation {}s, max_age {}s, grace {}s, clock_skew {}s, token_life {}s, interval {}s, poll {}s",
            times.propagation,
            times.max_age,
            times.grace,
            times.clock_skew,
            times.token_life,
            times.interval,
            times.poll
        )?;
        for (place, replica) in self.replicas.iter().enumerate() {
            let (starts, ahead) = (seconds(replica.starts), seconds(replica.ahead));
            writeln!(
                f,
                "replica {place} starts at {starts}, its clock {ahead} ahead{}",
                replica.longer
            )?;
        }
        for (place, verifier) in self.verifiers.iter().enumerate() {
            let (ahead, delay) = (seconds(verifier.ahead), seconds(verifier.delay));
            let ages = if verifier.ignores_ages {
                "ignores"
            } else {
                "keeps to"
            };
            writeln!(
                f,
                "verifier {place} asks replica {} first, its clock {ahead} ahead, gets answers after {delay}, \
                 {ages} their ages",
                verifier.asks
            )?;
        }
        Ok(())
    }
}

impl fmt::Display for Longer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, longer) in [("token_life", self.token_life), ("max_age", self.max_age)] {
            if longer > 0 {
                write!(f, ", its {name} {longer}s longer")?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::ReplicaClock { ahead, .. } | Self::VerifierClock { ahead, .. } => {
                write!(f, "its clock steps to {} ahead", seconds(ahead))
            }
            Self::CutOff { ticks, .. } => {
                write!(f, "is cut off from the store for {}", seconds(ticks))
            }
            Self::LoseAnswers { ticks, .. } => {
                write!(f, "does not hear of its writes for {}", seconds(ticks))
            }
            Self::SlowRead { before, after, .. } => {
                let (before, after) = (seconds(before), seconds(after));
                write!(f, "its next read takes {before} there and {after} back")
            }
            Self::SlowWrite { before, waits, .. } => {
                let waits = if waits {
                    "waits for it"
                } else {
                    "gives up before"
                };
                write!(
                    f,
                    "its next write takes {}, and it {waits}",
                    seconds(before)
                )
            }
            Self::Freeze { ticks, .. } => write!(f, "is frozen for {}", seconds(ticks)),
            Self::Restart { ticks, longer, .. } => {
                write!(
                    f,
                    "ends, and another starts after {}{longer}",
                    seconds(ticks)
                )
            }
            Self::Rotate { .. } => f.write_str("is told to rotate"),
            Self::Revoke { which, .. } => f.write_str(match which {
                Which::Active => "is told to revoke the active key",
                Which::Pending => "is told to revoke a pending key",
                Which::Retiring => "is told to revoke a retiring key",
            }),
            Self::Import { ends, .. } => write!(f, "imports a key that ends after {ends}s"),
            Self::Restore { epochs, ticks } => {
                write!(
                    f,
                    "has the document of {epochs} epochs ago for {}",
                    seconds(ticks)
                )
            }
            Self::Ask { replica, .. } => write!(f, "asks replica {replica} first from now on"),
        }
    }
}
