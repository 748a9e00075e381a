//! The highest epoch that was ever written to a directory.

use super::{fault, replace::replace};
use crate::{KeysUnavailable, secret_file};
use std::{
    io,
    path::{Path, PathBuf},
};

/// A number of 64 bits, and the end of its line.
const MAX_BYTES: u64 = 32;

/// The file with the number.
#[derive(Debug)]
pub(super) struct Mark(PathBuf);

impl Mark {
    pub(super) fn in_directory(path: &Path) -> Self {
        Self(path.join("ring.epoch"))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    pub(super) fn read(&self) -> Result<Option<u64>, KeysUnavailable> {
        let file = match secret_file::read(&self.0, MAX_BYTES) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(fault(&self.0, error)),
        };
        let number = str::from_utf8(&file.bytes).ok();
        match number.and_then(|number| number.trim_ascii_end().parse().ok()) {
            Some(number) => Ok(Some(number)),
            None => Err(fault(
                &self.0,
                "holds no number (remove it if ring.json is the newest that there was)",
            )),
        }
    }

    /// Only for who holds the lock, as of two who do this at once the lower could come last.
    pub(super) fn raise(&self, epoch: u64) -> Result<(), KeysUnavailable> {
        if self.read()?.is_some_and(|mark| mark >= epoch) {
            return Ok(());
        }
        replace(&self.0, format!("{epoch}\n").as_bytes()).map_err(|error| fault(&self.0, error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_directory::TestDirectory;

    #[test]
    fn it_is_never_lowered() {
        let directory = TestDirectory::new("mark-lowered");
        let mark = Mark::in_directory(directory.path());
        assert_eq!(mark.read(), Ok(None));
        for (epoch, expected) in [(5, 5), (4, 5), (6, 6), (6, 6)] {
            mark.raise(epoch).unwrap();
            assert_eq!(mark.read(), Ok(Some(expected)));
        }
    }
}
