//! The server side: the APIs' port and, if there is one, that of whoever runs the gateway.

use std::{io, time::Duration};

use tokio::{net::TcpListener, sync::oneshot};

use crate::{
    accept::{Limits, accept},
    gateway::{Addresses, Gateway},
};

/// How long requests in flight may take to finish when the gateway ends.
const GRACE: Duration = Duration::from_secs(10);

/// The same for those about the gateway itself, whose answers are there at once.
const ADMIN_GRACE: Duration = Duration::from_secs(1);

/// The ports of a gateway, which can be connected to from now on.
#[derive(Debug)]
pub struct Listeners {
    apis: TcpListener,
    admin: Option<TcpListener>,
}

impl Listeners {
    /// Binds all addresses that the gateway is set to listen at, and makes the directory for deployed
    /// APIs if there is to be one.
    ///
    /// # Errors
    ///
    /// When one cannot be bound or made; the error names it.
    pub async fn bind(gateway: &Gateway) -> io::Result<Self> {
        gateway.prepare()?;
        let bind = async |address| {
            TcpListener::bind(address).await.map_err(|error| {
                io::Error::new(error.kind(), format!("cannot serve at {address}: {error}"))
            })
        };
        let Addresses { apis, admin } = gateway.addresses();
        let listeners = Self {
            apis: bind(apis).await?,
            admin: match admin {
                Some(admin) => Some(bind(admin).await?),
                None => None,
            },
        };
        gateway.listens_at(listeners.addresses()?);
        Ok(listeners)
    }

    /// Where they are: with a port for each that was set to 0.
    ///
    /// # Errors
    ///
    /// When the system does not say.
    pub fn addresses(&self) -> io::Result<Addresses> {
        Ok(Addresses {
            apis: self.apis.local_addr()?,
            admin: self
                .admin
                .as_ref()
                .map(TcpListener::local_addr)
                .transpose()?,
        })
    }
}

/// Serves until `end` completes, then lets requests in flight finish, for 10 seconds at most.
///
/// How the gateway is can be asked until then; that it is ready is not said any more.
pub async fn serve(gateway: &Gateway, listeners: Listeners, end: impl Future<Output = ()>) {
    let Listeners { apis, admin } = listeners;
    let (ended, apis_ended) = oneshot::channel::<()>();
    let serving = async move {
        let end = async {
            end.await;
            gateway.admin().end();
        };
        accept(apis, gateway.service(), Limits::NONE, end, GRACE).await;
        drop(ended);
    };
    let telling = async {
        if let Some(listener) = admin {
            let end = async {
                // Nothing is sent: it is over when the other end is gone.
                let _ = apis_ended.await;
            };
            accept(
                listener,
                gateway.admin_service(),
                Limits::ADMIN,
                end,
                ADMIN_GRACE,
            )
            .await;
        }
    };
    tokio::join!(serving, telling);
}
