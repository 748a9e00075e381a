//! The rules that keep verifiers from breaking, by name.
//!
//! In a test build each of them can be switched off, for the simulator to show what it is for. In any other
//! build they hold.

/// A rule of the schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    not(test),
    expect(dead_code, reason = "some are asked of the simulator's own parts")
)]
pub(crate) enum Rule {
    /// A key is announced until each replica publishes it.
    AnnounceForPropagation,
    /// A key is announced until each answer without it is too old.
    AnnounceForMaxAge,
    /// A key is announced until verifiers that ignore ages have fetched again.
    AnnounceForGrace,
    /// A key is announced for the clock of one that signs too early.
    AnnounceForSkew,
    /// That a key is published is dated by one that has read it, not by one that is going to write it.
    AnnounceWhenRead,
    /// A key is kept while a replica may sign with it that has not heard of the next.
    RetireForPropagation,
    /// A key is kept while its tokens live.
    RetireForTokenLife,
    /// A key is kept for the clocks of those that sign, verify and remove.
    RetireForSkew,
    /// That a key signs no more is dated by one that has read it.
    RetireWhenRead,
    /// A replica that has not read the store does not sign.
    SignWithinLease,
    /// A replica that has not read the store does not publish.
    PublishWithinLease,
    /// A lease starts when the store is asked, not when it answers.
    LeaseFromTheQuestion,
    /// What is published are all keys of the state.
    PublishTheUnion,
    /// A state that is older than one that was seen is refused.
    EpochNeverDown,
    /// What was not read is not overwritten.
    WriteOnlyOverWhatWasRead,
    /// A replica with longer times than the ring's has them promised before it signs.
    PromiseFirst,
    /// The first key of a ring is the only one that signs unannounced.
    OnlyTheFirstUnannounced,
    /// A key that was revoked is out of the state at once.
    RevokedIsGone,
    /// An answer is kept no longer than the ring promises, whatever a replica is set to say.
    AnswerWithinPromise,
    /// A key whose turn is over does not sign again when the next one is revoked.
    RetiredStaysRetired,
    /// A key does not sign past its end.
    NotPastItsEnd,
}

#[cfg(not(test))]
pub(crate) const fn holds(_: Rule) -> bool {
    true
}

#[cfg(test)]
pub(crate) use switch::{holds, without};

#[cfg(test)]
mod switch {
    use super::Rule;
    use std::cell::Cell;

    thread_local! {
        static OFF: Cell<Option<Rule>> = const { Cell::new(None) };
    }

    pub(crate) fn holds(rule: Rule) -> bool {
        OFF.get() != Some(rule)
    }

    /// Runs `what` with one rule switched off, on this thread.
    pub(crate) fn without<T>(rule: Rule, what: impl FnOnce() -> T) -> T {
        OFF.set(Some(rule));
        let result = what();
        OFF.set(None);
        result
    }
}
