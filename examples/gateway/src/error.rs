//! What is wrong with a file the gateway was told to load.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use crate::printable::printable;

/// Why the gateway does not start: the file, the place in it, and what is wrong there.
///
/// Prints as `file:line:column: field: message`, without the parts that are not known.
#[derive(Debug)]
pub struct LoadError {
    file: PathBuf,
    position: Option<(u64, u64)>,
    fault: Fault,
}

impl LoadError {
    pub(crate) fn at(file: &Path, position: Option<(u64, u64)>, fault: Fault) -> Self {
        Self {
            file: file.to_path_buf(),
            position,
            fault,
        }
    }

    pub(crate) fn file(&self) -> &Path {
        &self.file
    }

    /// What is wrong, without the file; where it is not a field, at which line.
    pub(crate) fn into_fault(self) -> Fault {
        match self.position {
            Some((line, column)) => Fault {
                message: format!("line {line}, column {column}: {}", self.fault.message),
                ..self.fault
            },
            None => self.fault,
        }
    }
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = self.file.display().to_string();
        write!(f, "{}:", printable(&file))?;
        if let Some((line, column)) = self.position {
            write!(f, "{line}:{column}:")?;
        }
        write!(f, " {}", printable(&self.fault.to_string()))
    }
}

impl std::error::Error for LoadError {}

/// A field and what is wrong with it, before it is known which file it came from.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    field: String,
    message: String,
}

impl Fault {
    /// `field` is the path as it is written in YAML: `operations[0].verb`. Empty: the whole file.
    pub(crate) fn new(field: impl Into<String>, message: impl fmt::Display) -> Self {
        Self {
            field: field.into(),
            message: message.to_string(),
        }
    }

    /// The field is one of this other one's.
    pub(crate) fn within(self, outer: &str) -> Self {
        let field = match self.field.as_str() {
            "" => outer.to_owned(),
            field => format!("{outer}.{field}"),
        };
        Self { field, ..self }
    }

    pub(crate) fn field(&self) -> &str {
        &self.field
    }

    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    pub(crate) fn in_file(self, file: &Path) -> LoadError {
        LoadError::at(file, None, self)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.field.is_empty() {
            f.write_str(&self.message)
        } else {
            write!(f, "{}: {}", self.field, self.message)
        }
    }
}
