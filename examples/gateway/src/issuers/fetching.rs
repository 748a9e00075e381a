//! Keys that are fetched from their issuers: one client for all of them.

use std::{
    fmt::Display,
    fs,
    path::{Path, PathBuf},
};

use tower_jwks::{HttpClient, RemoteJwks, RemoteJwksBuilder};

use crate::{
    error::Fault,
    settings::{FetchSettings, IssuerSettings},
};

/// Begins to fetch keys, and remembers what issuers share.
#[derive(Debug)]
pub(super) struct Fetching<'s> {
    settings: &'s FetchSettings,
    folder: &'s Path,
    /// Made for the first issuer that needs it: who fetches nothing needs no certificate authorities.
    client: Option<HttpClient>,
    /// The copies so far, and whose they are.
    copies: Vec<(PathBuf, String)>,
}

impl<'s> Fetching<'s> {
    /// Paths are relative to `folder`.
    pub(super) const fn new(settings: &'s FetchSettings, folder: &'s Path) -> Self {
        Self {
            settings,
            folder,
            client: None,
            copies: Vec::new(),
        }
    }

    /// The keys at the URL that the issuer's metadata names.
    pub(super) fn discover(
        &mut self,
        settings: &IssuerSettings,
        field: &str,
    ) -> Result<RemoteJwks, Fault> {
        let keys = RemoteJwks::discover(&settings.issuer);
        self.begin(keys, settings, field)
    }

    /// The keys at this URL.
    pub(super) fn fetch(
        &mut self,
        settings: &IssuerSettings,
        field: &str,
        url: &str,
    ) -> Result<RemoteJwks, Fault> {
        let keys = RemoteJwks::at(&settings.issuer, url);
        self.begin(keys, settings, field)
    }

    fn begin(
        &mut self,
        mut keys: RemoteJwksBuilder,
        settings: &IssuerSettings,
        field: &str,
    ) -> Result<RemoteJwks, Fault> {
        if !settings.algorithms.is_empty() {
            keys = keys.algorithms(settings.algorithms.iter().copied());
        }
        if let Some(file) = &settings.keys_copy {
            keys = keys.last_good_copy(self.copy(file, field)?);
        }
        let discovered = settings.jwks.is_none();
        keys.client(self.client()?)
            .build()
            .map_err(|error| match error.field() {
                "jwks_uri" => Fault::new(format!("{field}.jwks.url"), error),
                "issuer" if discovered => Fault::new(
                    format!("{field}.issuer"),
                    format!("{error}; without `jwks` or `certificate` its keys are discovered"),
                ),
                "issuer" => Fault::new(format!("{field}.issuer"), error),
                _ => Fault::new(field, error),
            })
    }

    /// The place of a copy: no other issuer's, and in a folder that is there, as nobody would see
    /// that the copy is missing before it is needed.
    fn copy(&mut self, file: &Path, field: &str) -> Result<PathBuf, Fault> {
        let place = format!("{field}.keysCopy");
        let file = self.folder.join(file);
        if let Some((_, other)) = self.copies.iter().find(|(copy, _)| *copy == file) {
            return Err(Fault::new(place, format!("is that of {other} already")));
        }
        let folder = match file.parent() {
            Some(folder) if folder != Path::new("") => folder,
            _ => Path::new("."),
        };
        if !folder.is_dir() {
            return Err(Fault::new(
                place,
                format!("{}: is no folder", folder.display()),
            ));
        }
        self.copies.push((file.clone(), field.to_owned()));
        Ok(file)
    }

    fn client(&mut self) -> Result<HttpClient, Fault> {
        if let Some(client) = &self.client {
            return Ok(client.clone());
        }
        let mut client = HttpClient::builder();
        if self.settings.public_addresses_only {
            client = client.public_addresses_only();
        }
        if let Some(file) = &self.settings.root_certificates {
            let file = self.folder.join(file);
            let pem = fs::read(&file).map_err(|error| roots(&file, &error))?;
            client = client.root_certificate_pem(pem);
        }
        let client = client
            .build()
            .map_err(|error| match &self.settings.root_certificates {
                Some(file) if error.field() == "root_certificate_pem" => {
                    roots(&self.folder.join(file), &error)
                }
                _ => Fault::new("fetch", error),
            })?;
        Ok(self.client.insert(client).clone())
    }
}

fn roots(file: &Path, error: &dyn Display) -> Fault {
    Fault::new(
        "fetch.rootCertificates",
        format!("{}: {error}", file.display()),
    )
}
