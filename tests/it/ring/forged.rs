//! Documents that somebody has changed who knows how they are made.

use super::*;
use serde_json::Value;
use tests::openssl;

/// The parts of a document.
#[derive(Clone)]
pub(super) struct Forged {
    stored_epoch: u64,
    pub(super) json: Value,
}

impl Forged {
    pub(super) fn of(ring: &StoredRing) -> Self {
        Self {
            stored_epoch: ring.epoch(),
            json: serde_json::from_slice(ring.secret_document()).unwrap(),
        }
    }

    /// With something changed in it.
    pub(super) fn with(mut self, change: impl FnOnce(&mut Value)) -> Self {
        change(&mut self.json);
        self
    }

    /// Of another epoch, by the store and by itself.
    pub(super) fn of_epoch(mut self, epoch: u64) -> Self {
        self.stored_epoch = epoch;
        self.json["epoch"] = epoch.into();
        self
    }

    /// With the tag that it ought to have.
    pub(super) fn tagged(self) -> Self {
        let text = |name: &str| self.json[name].as_str().unwrap().to_owned();
        let (epoch, contents) = (&self.json["epoch"], &self.json["contents"]);
        let signed = format!("{}\n{epoch}\n{}\n{contents}", text("format"), text("ring"));
        let tag = BASE64_STANDARD.encode(openssl::run("dgst -sha256 -binary", signed));
        self.with(|json| json["tag"] = tag.into())
    }

    pub(super) fn write(self) -> StoredRing {
        StoredRing::new(self.stored_epoch, self.json.to_string().into())
    }
}

/// The dates of the first key.
pub(super) fn dates(json: &mut Value) -> &mut Value {
    &mut json["contents"]["state"]["keys"][0]
}

/// What is written of the keys themselves.
pub(super) fn keys(json: &mut Value) -> &mut Vec<Value> {
    json["contents"]["keys"].as_array_mut().unwrap()
}
