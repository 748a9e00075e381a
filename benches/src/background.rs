//! What goes on while requests are served.

use std::sync::OnceLock;
use tokio::runtime::{Builder, Runtime};

/// One thread for the tasks that fetch and rotate keys. It lives as long as the process, as that of a gateway does.
pub(crate) fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        Builder::new_multi_thread()
            .worker_threads(1)
            .enable_time()
            .build()
            .expect("a runtime starts")
    })
}
