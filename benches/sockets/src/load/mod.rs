//! Requests as fast as they are answered, over connections that stay.

mod http1;
mod http2;

use crate::Fault;
use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio::task::JoinSet;

pub(crate) use self::http1::{Exchange, request as http1_request, status as http1_status};

/// Requests that are in flight at a time.
pub(crate) const CONCURRENCY: usize = 32;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// A connection for each request in flight.
    Http1,
    /// By prior knowledge, a few connections.
    Http2,
}

/// What is asked for.
#[derive(Debug, Clone)]
pub(crate) struct Work {
    pub(crate) path: &'static str,
    /// They are sent one after the other, and then again; none at all for requests without.
    pub(crate) tokens: Arc<[String]>,
    pub(crate) requests: usize,
    /// What each request is answered with.
    pub(crate) status: u16,
}

/// Work that several connections share.
#[derive(Debug)]
struct Shared {
    work: Work,
    next: AtomicUsize,
}

impl Shared {
    /// The number of the next request.
    fn next(&self) -> Option<usize> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        (number < self.work.requests).then_some(number)
    }

    fn token(&self, number: usize) -> Option<&str> {
        let tokens = &self.work.tokens;
        tokens.get(number % tokens.len().max(1)).map(String::as_str)
    }

    fn check(&self, status: u16) -> Result<(), Fault> {
        if status == self.work.status {
            return Ok(());
        }
        let Work {
            path,
            status: expected,
            ..
        } = self.work;
        Err(format!("{path} is answered {status} instead of {expected}").into())
    }
}

#[derive(Debug)]
pub(crate) enum Connections {
    Http1(Vec<Exchange>),
    Http2(Vec<http2::Stream>),
}

impl Connections {
    pub(crate) async fn open(protocol: Protocol, address: SocketAddr) -> Result<Self, Fault> {
        match protocol {
            Protocol::Http1 => {
                let mut connections = Vec::new();
                for _ in 0..CONCURRENCY {
                    connections.push(Exchange::connect(address).await?);
                }
                Ok(Self::Http1(connections))
            }
            Protocol::Http2 => Ok(Self::Http2(http2::connect(address, CONCURRENCY).await?)),
        }
    }

    /// Has all the work done.
    pub(crate) async fn drive(&mut self, work: Work) -> Result<(), Fault> {
        let next = AtomicUsize::new(0);
        let shared = Arc::new(Shared { work, next });
        match self {
            Self::Http1(all) => each(all, &shared, http1::drive).await,
            Self::Http2(all) => each(all, &shared, http2::drive).await,
        }
    }
}

/// One task for each, which gives it back at the end.
async fn each<T, F>(
    all: &mut Vec<T>,
    shared: &Arc<Shared>,
    drive: impl Fn(T, Arc<Shared>) -> F,
) -> Result<(), Fault>
where
    T: 'static,
    F: Future<Output = Result<T, Fault>> + Send + 'static,
    T: Send,
{
    let mut tasks = JoinSet::new();
    for one in all.drain(..) {
        tasks.spawn(drive(one, Arc::clone(shared)));
    }
    while let Some(done) = tasks.join_next().await {
        all.push(done??);
    }
    Ok(())
}
