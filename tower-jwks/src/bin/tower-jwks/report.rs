//! What a command has to say.

use serde_json::Value;

/// For people, and for programs.
pub(crate) struct Report {
    pub(crate) text: String,
    /// What nobody may miss.
    pub(crate) alarm: Option<String>,
    pub(crate) json: Value,
}
