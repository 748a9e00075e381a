//! The names of the fields that are removed.

use http::HeaderName;
use std::{iter, slice, sync::Arc};

/// Names of fields, which go along with each request: one by itself is copied, and not counted by all
/// threads.
#[derive(Clone, Debug)]
pub(super) enum Names {
    One(HeaderName),
    Several(Arc<[HeaderName]>),
}

impl Names {
    pub(super) fn iter(&self) -> slice::Iter<'_, HeaderName> {
        match self {
            Self::One(name) => slice::from_ref(name),
            Self::Several(names) => names,
        }
        .iter()
    }

    pub(super) fn add(&mut self, name: &HeaderName) {
        *self = Self::Several(self.iter().chain(iter::once(name)).cloned().collect());
    }
}

/// None.
impl Default for Names {
    fn default() -> Self {
        Self::Several(Arc::default())
    }
}
