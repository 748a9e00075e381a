//! A file that may hold secrets, read whole and within bounds.

use std::{
    fs::{self, File, Metadata},
    io::{self, Read},
    path::Path,
};
use zeroize::Zeroizing;

/// What was read, and of which file.
pub(crate) struct SecretFile {
    pub(crate) bytes: Zeroizing<Vec<u8>>,
    pub(crate) metadata: Metadata,
}

/// Follows symbolic links.
pub(crate) fn read(path: &Path, max_bytes: u64) -> io::Result<SecretFile> {
    // Before it is opened, as to open a pipe waits for whoever writes to it.
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("is no regular file"));
    }
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    let too_large = || io::Error::other(format!("has more than {max_bytes} bytes"));
    let length = usize::try_from(metadata.len().min(max_bytes)).map_err(|_| too_large())?;
    // Of its size from the start, as growing would leave copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(length + 1));
    file.take(max_bytes + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > max_bytes {
        return Err(too_large());
    }
    Ok(SecretFile { bytes, metadata })
}
