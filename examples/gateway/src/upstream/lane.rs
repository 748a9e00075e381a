//! The connections to one service behind that are open and have no request.

use std::{
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use http::{HeaderValue, Response, Uri, header, uri::Authority};
use tokio::time::{Instant, sleep};
use tower::ServiceExt;

use super::{
    Failure, Tcp,
    link::{Link, Linked, Outgoing},
};
use crate::body::Progress;

/// How long one may be there unused.
const UNUSED: Duration = Duration::from_secs(90);

/// How often they are looked at, as the other side may have closed them.
const LOOK: Duration = Duration::from_secs(5);

/// The way to one service.
#[derive(Debug)]
pub(super) struct Lane {
    connector: Tcp,
    url: Uri,
    host: HeaderValue,
    unused: Mutex<Unused>,
}

#[derive(Debug, Default)]
struct Unused {
    /// The last one is the next to be used, so that those that are too many get old.
    links: Vec<(Instant, Box<Link>)>,
    is_watched: bool,
}

impl Lane {
    /// Nothing if the name is one that no URL and no header can have.
    pub(super) fn new(connector: Tcp, authority: &Authority) -> Result<Arc<Self>, http::Error> {
        let url = Uri::builder()
            .scheme("http")
            .authority(authority.clone())
            .path_and_query("/")
            .build()?;
        let host = match authority.port_u16() {
            None | Some(80) => authority.host().to_owned(),
            Some(port) => format!("{}:{port}", authority.host()),
        };
        Ok(Arc::new(Self {
            connector,
            host: HeaderValue::try_from(host)?,
            url,
            unused: Mutex::default(),
        }))
    }

    /// Sends a request over a connection that is there, or a new one.
    pub(super) async fn send(
        self: &Arc<Self>,
        mut request: Outgoing,
        progress: &Progress,
    ) -> Result<Response<Linked>, Failure> {
        request
            .headers_mut()
            .insert(header::HOST, self.host.clone());
        loop {
            let reused = self.unused().links.pop();
            let is_reused = reused.is_some();
            let mut link = match reused {
                Some((_, link)) => link,
                None => self.connect().await?,
            };
            match link.exchange(request, progress).await {
                Ok(response) => {
                    return Ok(response.map(|body| {
                        if progress.is_over() {
                            return Linked::new(body, link, Arc::clone(self));
                        }
                        link.drive_on(Arc::clone(self));
                        Linked::alone(body)
                    }));
                }
                Err(unanswered) => match unanswered.unsent {
                    // It was closed while nobody looked.
                    Some(unsent) if is_reused => request = unsent,
                    _ => return Err(unanswered.failure),
                },
            }
        }
    }

    async fn connect(&self) -> Result<Box<Link>, Failure> {
        let connecting = self.connector.clone().oneshot(self.url.clone());
        let stream = connecting.await.map_err(Failure::of)?;
        match Link::new(stream).await {
            Ok(link) => Ok(Box::new(link)),
            Err(error) => Err(Failure::of(error.into())),
        }
    }

    /// Keeps a connection for the next request.
    pub(super) fn put(self: &Arc<Self>, link: Box<Link>) {
        let mut unused = self.unused();
        unused.links.push((Instant::now(), link));
        if !mem::replace(&mut unused.is_watched, true) {
            tokio::spawn(watch(Arc::downgrade(self)));
        }
    }

    fn unused(&self) -> MutexGuard<'_, Unused> {
        self.unused.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Closes the connections of a service that nobody uses, as long as there are any.
async fn watch(lane: Weak<Lane>) {
    loop {
        sleep(LOOK).await;
        let Some(lane) = lane.upgrade() else {
            return;
        };
        let mut unused = lane.unused();
        unused
            .links
            .retain_mut(|(since, link)| since.elapsed() < UNUSED && link.is_idle());
        if unused.links.is_empty() {
            unused.is_watched = false;
            return;
        }
    }
}
