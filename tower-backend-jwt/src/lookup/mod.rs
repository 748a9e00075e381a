//! What is looked up about a caller, so that the backend JWT can say it.

/// What is set of every source in the same way, in the words of its layer.
macro_rules! source_settings {
    () => {
        /// Keeps at most so many answers, and so many bytes of them. Default: 10,000 and 16 MiB. Clones of
        /// the layer, and the services they make, share them.
        pub fn cache(mut self, entries: usize, bytes: u64) -> Self {
            self.asking.set_cache(entries, bytes);
            self
        }

        /// Asks for every request: right for a source in memory.
        pub fn no_cache(self) -> Self {
            self.cache(0, 0)
        }

        /// How long a request waits for the source, at most. Default: two seconds.
        pub const fn time_limit(mut self, limit: Duration) -> Self {
            self.asking.time_limit = limit;
            self
        }

        /// The form of a refusal's body. Default: a problem document.
        pub const fn refusal_format(mut self, format: RefusalFormat) -> Self {
            self.responder.format = format;
            self
        }

        /// Answers refusals with a response of your own, gRPC included.
        pub fn refuse_with(mut self, response: impl RefusalResponse) -> Self {
            self.responder.hook = Some(Arc::new(response));
            self
        }
    };
}

mod answers;
mod application;
mod asking;
mod service;
mod user_claims;

pub use self::{
    application::{ApplicationLayer, ApplicationQuery, ApplicationSource},
    service::{Lookup, LookupFuture},
    user_claims::{ClaimsSource, UserClaimsLayer, UserQuery},
};
