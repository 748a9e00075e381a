//! Who else may read a file.

use std::fs::Metadata;

/// How others than this process's user can come at the file, if they can.
#[cfg(unix)]
pub(crate) fn exposure(metadata: &Metadata) -> Option<String> {
    use std::os::unix::fs::MetadataExt;
    let mode = metadata.mode() & 0o777;
    if mode & 0o077 != 0 {
        return Some(format!("its mode is {mode:o}, not 600"));
    }
    let owner = metadata.uid();
    match effective_user() {
        Some(user) if user != owner => Some(format!("it is owned by user {owner}, not {user}")),
        _ => None,
    }
}

#[cfg(not(unix))]
pub(crate) fn exposure(_: &Metadata) -> Option<String> {
    None
}

/// The standard library does not tell it; Linux does, in a file. Elsewhere it is not known.
#[cfg(unix)]
fn effective_user() -> Option<u32> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let users = status.lines().find_map(|line| line.strip_prefix("Uid:"))?;
    users.split_whitespace().nth(1)?.parse().ok()
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::test_directory::TestDirectory;
    use std::{
        fs::{self, Permissions},
        os::unix::fs::{MetadataExt, PermissionsExt},
    };

    #[test]
    fn a_file_of_our_own_is_exposed_by_its_mode_alone() {
        let directory = TestDirectory::new("exposure");
        let file = directory.path().join("file");
        fs::write(&file, "").unwrap();
        for (mode, exposed) in [(0o600, false), (0o400, false), (0o640, true), (0o604, true)] {
            fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
            let metadata = fs::metadata(&file).unwrap();
            assert_eq!(exposure(&metadata).is_some(), exposed, "{mode:o}");
        }
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn this_process_owns_what_it_makes() {
        let directory = TestDirectory::new("owner");
        let owner = fs::metadata(directory.path()).unwrap().uid();
        assert_eq!(effective_user(), Some(owner));
    }
}
