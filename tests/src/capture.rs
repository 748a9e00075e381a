//! What was logged.

use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
};
use tracing::{Level, subscriber::DefaultGuard};
use tracing_subscriber::fmt::format::FmtSpan;

/// The text of every span and event of this thread, from the start of the capture to its end.
#[derive(Debug)]
pub struct Capture {
    text: Text,
    _guard: DefaultGuard,
}

impl Capture {
    /// Starts to listen, at every level. A runtime with threads of its own escapes it.
    #[must_use]
    pub fn start() -> Self {
        let text = Text::default();
        let writer = text.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(Level::TRACE)
            .with_span_events(FmtSpan::NEW)
            .with_ansi(false)
            .without_time()
            .with_writer(move || writer.clone())
            .finish();
        Self {
            text,
            _guard: tracing::subscriber::set_default(subscriber),
        }
    }

    /// What was logged until now, a line for each event.
    #[must_use]
    pub fn text(&self) -> String {
        let text = self.text.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&text).into_owned()
    }
}

/// Asserts that none of the secrets is in a text, nor the larger part of one.
///
/// # Panics
///
/// One is. The message names its place in the list, and not the secret.
pub fn assert_without<S: AsRef<str>>(text: &str, secrets: impl IntoIterator<Item = S>) {
    for (position, secret) in secrets.into_iter().enumerate() {
        let secret = secret.as_ref();
        // A part that is long enough to be no chance.
        let part = secret.get(..secret.len().min(24)).unwrap_or(secret);
        assert!(!part.is_empty(), "secret {position} is empty");
        assert!(
            !text.contains(part),
            "secret {position} is in the text: {}",
            text.replace(part, "…")
        );
    }
}

#[derive(Clone, Debug, Default)]
struct Text(Arc<Mutex<Vec<u8>>>);

impl io::Write for Text {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut text = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        text.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
