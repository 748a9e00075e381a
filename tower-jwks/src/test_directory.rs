//! A directory of a test's own.

use std::{
    collections::hash_map::RandomState,
    env, fs,
    hash::BuildHasher,
    path::{Path, PathBuf},
};

/// Removed with its content when it goes out of scope.
pub(crate) struct TestDirectory(PathBuf);

impl TestDirectory {
    pub(crate) fn new(name: &str) -> Self {
        let unique = RandomState::new().hash_one(name);
        let path = env::temp_dir().join(format!("tower-jwks-{name}-{unique:x}"));
        fs::create_dir_all(&path).expect("the system's directory for such files can be written to");
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for TestDirectory {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}
