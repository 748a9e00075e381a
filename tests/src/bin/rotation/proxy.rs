//! The one address that verifiers fetch the key set from.

use crate::{
    documents::MAX_AGE,
    fleet::{Fleet, GATEWAYS},
    http::{Answer, empty, get},
    tally::Tally,
};
use http::{
    Request, StatusCode,
    header::{CACHE_CONTROL, CONNECTION, CONTENT_LENGTH},
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

/// A gateway that has not answered by then is taken for one that is gone.
const PATIENCE: Duration = Duration::from_secs(1);

/// The gateways in turn; the next one for one that does not answer, or answers 503.
pub(crate) struct Proxy {
    fleet: Arc<Fleet>,
    tally: Arc<Tally>,
    turn: AtomicUsize,
}

impl Proxy {
    pub(crate) const fn new(fleet: Arc<Fleet>, tally: Arc<Tally>) -> Self {
        Self {
            fleet,
            tally,
            turn: AtomicUsize::new(0),
        }
    }

    pub(crate) async fn answer(&self, request: Request<()>) -> Answer {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        for offset in 0..GATEWAYS {
            let index = (turn + offset) % GATEWAYS;
            let Some(address) = self.fleet.last_address(index) else {
                continue;
            };
            let answer = get(address, request.uri().path(), &[], PATIENCE).await;
            match answer {
                Ok(answer) if answer.status() != StatusCode::SERVICE_UNAVAILABLE => {
                    self.check(index, &answer);
                    return passed_on(answer);
                }
                Ok(_) | Err(_) => {}
            }
        }
        empty(StatusCode::BAD_GATEWAY)
    }

    /// The verifiers keep what they fetch for that long, whatever it says; so it has to say the same.
    fn check(&self, index: usize, answer: &Answer) {
        let field = answer.headers().get(CACHE_CONTROL);
        let max_age = field
            .and_then(|value| value.to_str().ok())
            .and_then(|text| {
                text.split(", ")
                    .find_map(|part| part.strip_prefix("max-age="))
            })
            .and_then(|text| text.parse::<u64>().ok());
        if answer.status() != StatusCode::OK || max_age.is_none_or(|age| age > MAX_AGE) {
            self.tally.failed(format_args!(
                "gateway {} answers {} for its key set, to be kept for {max_age:?} seconds",
                index + 1,
                answer.status()
            ));
        }
    }
}

fn passed_on(mut answer: Answer) -> Answer {
    for name in [CONNECTION, CONTENT_LENGTH] {
        answer.headers_mut().remove(name);
    }
    answer
}
