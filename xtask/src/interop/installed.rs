use std::fs;
use std::path::Path;

/// Whether `directory` was filled, to its end, from this very list of packages.
pub(super) fn is_current(directory: &Path, list: &Path, result: &Path) -> Result<bool, String> {
    let list = fs::read(list).map_err(|error| fault(list, &error))?;
    let installed = fs::read(directory.join("installed"));
    Ok(result.exists() && installed.is_ok_and(|installed| installed == list))
}

pub(super) fn mark_current(directory: &Path, list: &Path) -> Result<(), String> {
    fs::copy(list, directory.join("installed")).map_err(|error| fault(list, &error))?;
    Ok(())
}

pub(super) fn empty(directory: &Path) -> Result<(), String> {
    if directory.exists() {
        fs::remove_dir_all(directory).map_err(|error| fault(directory, &error))?;
    }
    fs::create_dir_all(directory).map_err(|error| fault(directory, &error))
}

pub(super) fn fault(path: &Path, error: &std::io::Error) -> String {
    format!("{}: {error}", path.display())
}
