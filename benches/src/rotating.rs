//! Keys that rotate.

use crate::cases::NOW;
use http::{Request, StatusCode};
use std::cell::RefCell;
use tower::Service;
use tower_jwks::{JwksEndpoint, KeyRing, ManualClock, MemoryStore, UnixTime};

/// A ring with a key that signs and one in reserve. Its clock stands still, so that it is always as fresh as when
/// it was opened.
pub(crate) fn ring() -> KeyRing {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime");
    let clock = ManualClock::new(UnixTime::from_secs(NOW + 10));
    runtime
        .block_on(async { KeyRing::open(MemoryStore::new()).clock(clock).await })
        .expect("a ring in memory")
}

/// A verifier that fetches the set.
pub(crate) fn published(keys: KeyRing) -> Box<dyn Fn()> {
    let endpoint = RefCell::new(JwksEndpoint::new(keys));
    Box::new(move || {
        let request = Request::get("/.well-known/jwks.json")
            .header("user-agent", "python-requests/2.32.5")
            .body(())
            .expect("a request");
        let response = endpoint.borrow_mut().call(request).into_inner();
        assert_eq!(response.expect("infallible").status(), StatusCode::OK);
    })
}
