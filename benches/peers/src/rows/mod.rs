//! The rows of the table, one file for each kind of misbehavior.

mod forged;
mod hang_up;
mod huge;
mod hung;
mod odd;
mod outage;
mod redirect;
mod rotation;

use crate::peer::Peer;
use std::{
    future::{Future, ready},
    pin::Pin,
};

type Running = Pin<Box<dyn Future<Output = Result<String, String>> + Send>>;

pub(crate) struct Row {
    pub(crate) title: &'static str,
    /// Whether it can be run for all peers at once: it measures no latency and needs little.
    pub(crate) together: bool,
    /// An `Err` is a cell as well.
    pub(crate) run: Box<dyn Fn() -> Running + Send + Sync>,
}

fn row<F>(title: &'static str, together: bool, run: impl Fn() -> F + Send + Sync + 'static) -> Row
where
    F: Future<Output = Result<String, String>> + Send + 'static,
{
    Row {
        title,
        together,
        run: Box::new(move || Box::pin(run())),
    }
}

/// All rows, for one peer.
pub(crate) fn all<P: Peer>() -> Vec<Row> {
    let alone = false;
    let together = true;
    vec![
        row(
            "1. a fetch hangs: the slowest of 50 requests with a known key, before → meanwhile",
            alone,
            hung::known_key::<P>,
        ),
        row(
            "2. 10,000 forged `kid`s in a minute: fetches; statuses",
            together,
            forged::minute::<P>,
        ),
        row(
            "3a. a rotated key is accepted after, the last fetch being recent",
            together,
            rotation::recent::<P>,
        ),
        row(
            "3b. the same, the last fetch being long ago",
            together,
            rotation::settled::<P>,
        ),
        row(
            "3c. the same, under 2,000 forged `kid`s a second since before the rotation",
            alone,
            rotation::flooded::<P>,
        ),
        row(
            "4. the provider answers 500 for 10 s, then refuses connections for 10 s: known key; fetches while 500",
            together,
            outage::row::<P>,
        ),
        row(
            "5. an odd JWK beside the good one (type, curve, no `kid`): the good key's token",
            together,
            odd::row::<P>,
        ),
        row(
            "6. a key set of 256 MiB: bytes taken; known key afterwards",
            alone,
            huge::row::<P>,
        ),
        row(
            "7. a redirect of the key set, same origin",
            together,
            redirect::row::<P>,
        ),
        row(
            "8a. the caller hangs up in mid-fetch: the fetch; the new key",
            together,
            hang_up::once::<P>,
        ),
        row(
            "8b. 20 callers with forged `kid`s hang up, one by one: fetches",
            together,
            hang_up::often::<P>,
        ),
        row("fetches, says its source", together, || {
            ready(Ok(P::FETCHES.to_owned()))
        }),
        row(
            "what ends the life of its keys while fetching fails, says its source",
            together,
            || ready(Ok(P::HELD.to_owned())),
        ),
    ]
}
