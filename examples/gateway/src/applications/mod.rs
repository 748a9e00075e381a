//! The applications through which APIs are called, and what they are subscribed to: a file, read again
//! when it changes.
//!
//! A file that is wrong, or gone, changes nothing: what was read last stays in force, and the log and the
//! admin address say so.

mod directory;
mod document;

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use arc_swap::ArcSwap;
use serde::Serialize;
use tokio::{runtime::Handle, time::MissedTickBehavior};
use tower_backend_jwt::{Application, ApplicationQuery, ApplicationSource, Refusal};

use self::{directory::Directory, document::Document};
use crate::{
    error::{Fault, LoadError},
    yaml,
};

/// How often the file is looked at.
const PERIOD: Duration = Duration::from_secs(2);

/// The largest file, in bytes.
const LARGEST: u64 = 16 * 1024 * 1024;

/// The applications of a file. Clones are of the same.
#[derive(Debug, Clone)]
pub(crate) struct Applications(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    file: PathBuf,
    directory: ArcSwap<Directory>,
    last: Mutex<Last>,
}

/// What was seen of the file last.
#[derive(Debug)]
struct Last {
    /// Whatever was in it, right or wrong; nothing if it could not be read.
    content: Option<Vec<u8>>,
    error: Option<String>,
}

/// How the file is, for an operator to look at.
#[derive(Debug, Serialize)]
pub(crate) struct ApplicationsStatus {
    file: PathBuf,
    applications: usize,
    /// Why the file as it is now is not in force.
    error: Option<String>,
}

impl Applications {
    /// Reads the file.
    pub(crate) fn load(file: &Path) -> Result<Self, LoadError> {
        let content = read(file).map_err(|error| Fault::new("", error).in_file(file))?;
        let directory = parse(&content, file)?;
        Ok(Self(Arc::new(Shared {
            file: file.to_owned(),
            directory: ArcSwap::from_pointee(directory),
            last: Mutex::new(Last {
                content: Some(content),
                error: None,
            }),
        })))
    }

    /// Looks at the file again and again, as long as there is somebody to ask this, in a task of this
    /// runtime.
    pub(crate) fn watch(&self, runtime: &Handle) {
        let watched = Arc::downgrade(&self.0);
        runtime.spawn(async move {
            let mut ticks = tokio::time::interval(PERIOD);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                ticks.tick().await;
                let Some(shared) = watched.upgrade() else {
                    return;
                };
                // Reading may block, on a file of a network.
                let looked = tokio::task::spawn_blocking(move || shared.look());
                if looked.await.is_err() {
                    tracing::error!("the applications are not looked at any more");
                    return;
                }
            }
        });
    }

    pub(crate) fn status(&self) -> ApplicationsStatus {
        ApplicationsStatus {
            file: self.0.file.clone(),
            applications: self.0.directory.load().len(),
            error: self.0.last().error.clone(),
        }
    }
}

impl Shared {
    fn last(&self) -> std::sync::MutexGuard<'_, Last> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes what is in the file, if it is something new and right.
    fn look(&self) {
        let content = match read(&self.file) {
            Ok(content) => content,
            Err(error) => {
                let error = Fault::new("", error).in_file(&self.file).to_string();
                let mut last = self.last();
                if last.error.as_ref() != Some(&error) {
                    tracing::error!(error, "the applications stay as they are");
                    // Were it there again as it was, that would be news.
                    *last = Last {
                        content: None,
                        error: Some(error),
                    };
                }
                return;
            }
        };
        if self.last().content.as_ref() == Some(&content) {
            return;
        }
        let error = match parse(&content, &self.file) {
            Ok(directory) => {
                tracing::info!(
                    file = %self.file.display(),
                    applications = directory.len(),
                    "the applications have changed"
                );
                self.directory.store(Arc::new(directory));
                None
            }
            Err(error) => {
                let error = error.to_string();
                tracing::error!(error, "the applications stay as they are");
                Some(error)
            }
        };
        *self.last() = Last {
            content: Some(content),
            error,
        };
    }
}

fn read(file: &Path) -> io::Result<Vec<u8>> {
    if fs::metadata(file)?.len() > LARGEST {
        return Err(io::Error::other(format!("is larger than {LARGEST} bytes")));
    }
    fs::read(file)
}

fn parse(content: &[u8], file: &Path) -> Result<Directory, LoadError> {
    let text =
        std::str::from_utf8(content).map_err(|_| Fault::new("", "is not UTF-8").in_file(file))?;
    let document: Document = yaml::parse(text, file)?;
    Directory::new(document).map_err(|fault| fault.in_file(file))
}

impl ApplicationSource for Applications {
    async fn application(&self, query: ApplicationQuery) -> Result<Option<Application>, Refusal> {
        let directory = self.0.directory.load();
        Ok(directory.find(query.issuer(), query.client_id(), query.api()))
    }
}

#[cfg(test)]
mod tests {
    use tower_backend_jwt::Api;

    use super::*;

    const FILE: &str = "
applications:
  - name: Web shop
    uuid: 45101ccb
    owner: carol
    tier: Unlimited
    attributes: {cost-centre: '17'}
    clients:
      - {issuer: https://idp.example.com, clientId: shop}
    subscriptions:
      - {api: Orders, version: 1.0.0, tier: Gold}
      - {api: Stock, version: 1.0.0, status: blocked}
";

    fn file(content: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("applications.yaml");
        fs::write(&file, content).unwrap();
        (folder, file)
    }

    fn shop() -> Application {
        Application::new("45101ccb", "Web shop")
            .subscriber("carol")
            .application_tier("Unlimited")
            .attribute("cost-centre", "17")
    }

    fn found(
        applications: &Applications,
        issuer: &str,
        client: &str,
        api: &str,
    ) -> Option<Application> {
        let directory = applications.0.directory.load();
        directory.find(issuer, client, Some(&Api::new(api, "1.0.0")))
    }

    #[test]
    fn an_application_is_found_by_its_client_with_its_subscription() {
        use tower_backend_jwt::Subscription::{Active, Blocked};
        let (_folder, file) = file(FILE);
        let applications = Applications::load(&file).unwrap();
        let idp = "https://idp.example.com";
        let of = |api| found(&applications, idp, "shop", api);
        assert_eq!(of("Orders"), Some(shop().tier("Gold").subscription(Active)));
        assert_eq!(of("Stock"), Some(shop().subscription(Blocked)));
        assert_eq!(of("Mail"), Some(shop()));
        assert_eq!(found(&applications, idp, "other", "Orders"), None);
        // The same id of another issuer is another client's.
        assert_eq!(
            found(&applications, "https://other.example.com", "shop", "Orders"),
            None
        );
    }

    #[test]
    fn a_change_is_taken_and_a_mistake_changes_nothing() {
        let (_folder, file) = file(FILE);
        let applications = Applications::load(&file).unwrap();
        let idp = "https://idp.example.com";
        let known = || found(&applications, idp, "shop", "Mail").is_some();
        let error = || {
            applications.0.look();
            applications.status().error
        };
        assert_eq!(error(), None);

        fs::write(&file, "applications: [{nam: x}]").unwrap();
        assert!(
            error()
                .unwrap()
                .contains("applications[0].nam: unknown field")
        );
        assert!(known());
        fs::remove_file(&file).unwrap();
        assert!(error().unwrap().contains("No such file"));
        assert!(known());
        fs::write(&file, "").unwrap();
        let said = error().unwrap();
        assert!(said.contains("unexpected end of input"), "{said}");
        assert!(known());
        fs::write(&file, [0xff]).unwrap();
        assert!(error().unwrap().contains("UTF-8"));
        assert!(known());
        fs::write(&file, FILE).unwrap();
        assert_eq!(error(), None);
        assert!(known());
        fs::write(&file, "applications: []").unwrap();
        assert_eq!(error(), None);
        assert!(!known());
    }

    #[tokio::test(start_paused = true)]
    async fn the_file_is_looked_at_as_long_as_somebody_asks() {
        let (_folder, file) = file(FILE);
        let applications = Applications::load(&file).unwrap();
        applications.watch(&Handle::current());
        let count = || applications.status().applications;
        // The first look is at once.
        tokio::time::sleep(PERIOD / 2).await;
        assert_eq!(count(), 1);
        fs::write(&file, "applications: []").unwrap();
        tokio::time::sleep(PERIOD / 4).await;
        assert_eq!(count(), 1);
        tokio::time::sleep(PERIOD / 2).await;
        assert_eq!(count(), 0);

        let watched = Arc::downgrade(&applications.0);
        drop(applications);
        tokio::time::sleep(PERIOD * 2).await;
        assert_eq!(Handle::current().metrics().num_alive_tasks(), 0);
        assert!(watched.upgrade().is_none());
    }

    #[test]
    fn what_is_said_twice_is_refused_by_its_place() {
        for (wrong, place) in [
            (
                FILE.replace(
                    "clientId: shop}",
                    "clientId: shop}\n      - {issuer: https://idp.example.com, clientId: shop}",
                ),
                "applications[0].clients[1].clientId",
            ),
            (
                FILE.replace("api: Stock", "api: Orders"),
                "applications[0].subscriptions[1]",
            ),
            (
                FILE.replace("name: Web shop", "name: ''"),
                "applications[0].name",
            ),
        ] {
            let (_folder, file) = file(&wrong);
            let error = Applications::load(&file).unwrap_err().to_string();
            assert!(error.contains(place), "{error}");
        }
    }
}
