//! The directory of the deployed APIs: `ID.yaml` is an apk-conf, `ID.HASH.definition` its definition.
//!
//! A conf names its definition in a comment, in its first line, so that both change with one rename.
//! Other files, those whose name begins with a dot among them, are nobody's here.

use std::{
    ffi::OsStr,
    fs::{self, File},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use aws_lc_rs::digest::{SHA256, digest};
use tempfile::NamedTempFile;

use super::{
    conf::{self, Conf},
    id,
};
use crate::{
    apk_conf::Api,
    error::{Fault, LoadError},
    table::{Broken, Origin, Served},
};

/// Before the name of the definition's file.
const DEFINITION: &str = "# definition: ";

/// A directory that the gateway alone writes to.
#[derive(Debug, Clone)]
pub(crate) struct Store {
    directory: PathBuf,
}

impl Store {
    pub(crate) const fn new(directory: PathBuf) -> Self {
        Self { directory }
    }

    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Makes the directory if it is not there.
    pub(crate) fn make(&self) -> io::Result<()> {
        let mut builder = fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        match builder.create(&self.directory) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                Err(named(&self.directory, &error))
            }
            Err(_) => {
                self.warn_of_others();
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }

    /// Says in the log if it is not the owner's alone.
    #[cfg(unix)]
    fn warn_of_others(&self) {
        use std::os::unix::fs::PermissionsExt;

        let mode = fs::metadata(&self.directory).map(|metadata| metadata.permissions().mode());
        if mode.is_ok_and(|mode| mode & 0o077 != 0) {
            tracing::warn!(
                directory = %self.directory.display(),
                "others than its owner may read the directory of the deployed APIs, or write to it: who writes there deploys"
            );
        }
    }

    #[cfg(not(unix))]
    fn warn_of_others(&self) {}

    /// All that is kept. None, if the directory is not there yet.
    ///
    /// # Errors
    ///
    /// When it cannot be listed.
    pub(crate) fn read(
        &self,
        environment: Option<&str>,
    ) -> io::Result<Vec<Result<Served, Broken>>> {
        let entries = match fs::read_dir(&self.directory) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(named(&self.directory, &error)),
        };
        let mut files = entries
            .map(|entry| Ok(entry?.path()))
            .collect::<io::Result<Vec<_>>>()?;
        // Of two that collide, the same one is left out each time.
        files.sort();
        Ok(files
            .into_iter()
            .filter(|file| is_conf(file))
            .map(|file| self.read_one(file, environment))
            .collect())
    }

    /// Where the conf of an API is.
    pub(super) fn file(&self, id: &str) -> PathBuf {
        self.directory.join(format!("{id}.yaml"))
    }

    /// Where a definition of an API is.
    pub(super) fn definition_file(&self, id: &str, definition: &[u8]) -> PathBuf {
        let hash = id::hex(digest(&SHA256, definition).as_ref());
        self.directory.join(format!("{id}.{hash}.definition"))
    }

    /// Keeps an API. If it fails, what was kept before is kept still.
    pub(super) fn put(&self, served: &Served, definition: Option<&[u8]>) -> io::Result<()> {
        let mut text = String::new();
        let mut new = None;
        if let (Some(file), Some(bytes)) = (served.definition(), definition) {
            if let Some(name) = file.file_name().and_then(OsStr::to_str) {
                text = format!("{DEFINITION}{name}\n");
            }
            // One that is there already has the same content: its name says so.
            if !file.exists() {
                self.write(file, bytes)?;
                new = Some(file);
            }
        }
        text.push_str(&served.conf);
        if let Err(error) = self.write(&served.file, text.as_bytes()) {
            if let Some(file) = new {
                let _ = fs::remove_file(file);
            }
            return Err(error);
        }
        self.tidy(&served.id, served.definition());
        Ok(())
    }

    /// Keeps an API no more.
    pub(super) fn remove(&self, id: &str) -> io::Result<()> {
        let file = self.file(id);
        match fs::remove_file(&file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(named(&file, &error));
            }
            // Or somebody else has removed it.
            _ => {}
        }
        self.tidy(id, None);
        Ok(())
    }

    /// Removes the definitions that an API has no more, and has all of it outlast a loss of power. What
    /// fails here changes nothing of what is kept.
    fn tidy(&self, id: &str, kept: Option<&Path>) {
        let directory = self.directory.display();
        if let Err(error) = sync(&self.directory) {
            tracing::warn!(%directory, %error, "the directory of the deployed APIs cannot be synced");
        }
        let Ok(entries) = fs::read_dir(&self.directory) else {
            return;
        };
        for file in entries.flatten().map(|entry| entry.path()) {
            let is_own = file
                .file_name()
                .and_then(OsStr::to_str)
                .is_some_and(|name| is_definition_of(id, name));
            if is_own && Some(file.as_path()) != kept {
                let _ = fs::remove_file(file);
            }
        }
    }

    fn write(&self, file: &Path, bytes: &[u8]) -> io::Result<()> {
        // Its mode is 0600 on Unix: a conf may name what is inside. Its name begins with a dot.
        let mut temporary = NamedTempFile::new_in(&self.directory)?;
        temporary.write_all(bytes)?;
        temporary.as_file().sync_all()?;
        temporary
            .persist(file)
            .map_err(|error| named(file, &error.error))?;
        Ok(())
    }

    fn read_one(&self, file: PathBuf, environment: Option<&str>) -> Result<Served, Broken> {
        let id = file.file_stem().and_then(OsStr::to_str).unwrap_or_default();
        let valid = id::check(id);
        let id = id.to_owned();
        let read = match valid {
            Ok(()) => self.conf(&id, &file, environment),
            Err(why) => {
                let fault = Fault::new("", format!("the name of the file {why}"));
                let error = fault.in_file(&file);
                return Err(Broken { id: None, error });
            }
        };
        match read {
            Ok((api, conf, definition)) => Ok(Served {
                id,
                api,
                origin: Origin::Deployed { definition },
                file,
                conf,
            }),
            Err(error) => Err(Broken {
                id: Some(id),
                error,
            }),
        }
    }

    fn conf(
        &self,
        id: &str,
        file: &Path,
        environment: Option<&str>,
    ) -> Result<(Api, String, Option<PathBuf>), LoadError> {
        let text = text(file).map_err(|error| Fault::new("", error).in_file(file))?;
        let definition = text
            .lines()
            .next()
            .and_then(|line| line.strip_prefix(DEFINITION))
            .filter(|name| is_definition_of(id, name))
            .map(|name| self.directory.join(name));
        let mut conf = Conf::parse(&text, file)?;
        let fault = |fault: Fault| fault.in_file(file);
        let api = Api::from_value(conf.node().to_value(), environment).map_err(fault)?;
        if api.id.as_deref().is_some_and(|own| own != id) {
            return Err(fault(Fault::new("id", "is not that of the file's name")));
        }
        // A file that somebody wrote by hand may be without.
        conf.set_id(id);
        let text = conf.to_yaml().map_err(|why| fault(Fault::new("", why)))?;
        Ok((api, text, definition))
    }
}

fn is_conf(file: &Path) -> bool {
    let name = file.file_name().unwrap_or_default();
    file.extension() == Some(OsStr::new("yaml")) && !name.as_encoded_bytes().starts_with(b".")
}

fn is_definition_of(id: &str, name: &str) -> bool {
    let hash = name
        .strip_prefix(id)
        .and_then(|rest| rest.strip_prefix('.'))
        .and_then(|rest| rest.strip_suffix(".definition"));
    hash.is_some_and(|hash| hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// Reads a file that is no longer than one that was written here.
fn text(file: &Path) -> io::Result<String> {
    // To open a pipe is to wait for whoever writes to it.
    if !fs::metadata(file)?.is_file() {
        return Err(io::Error::other("is not a file"));
    }
    let longest = conf::LONGEST + 256;
    let mut text = String::new();
    let mut limited = File::open(file)?.take(longest as u64 + 1);
    limited.read_to_string(&mut text)?;
    if text.len() > longest {
        return Err(io::Error::other("is too long"));
    }
    Ok(text)
}

fn sync(directory: &Path) -> io::Result<()> {
    if cfg!(unix) {
        File::open(directory)?.sync_all()?;
    }
    Ok(())
}

fn named(file: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", file.display()))
}
