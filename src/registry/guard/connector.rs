//! The one place that opens connections for evidence. A host that its row does
//! not list is not looked up; a name is resolved once, everything that it
//! resolves to is checked, and what was checked is connected to: an answer of the
//! DNS that changes afterwards changes nothing.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::net::IpAddr;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::Mutex;
use std::task::Context;
use std::task::Poll;

use futures_util::future::BoxFuture;
use http::Uri;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tower_service::Service;
use url::Url;

use super::address;
use super::host::Authority;
use super::row::Row;

/// Of the addresses of a name, so many are tried.
const MAX_TRIED: usize = 3;

/// What makes addresses of names.
pub trait Names: Send + Sync {
    /// The addresses of a host's name.
    fn look_up<'a>(&'a self, name: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>>;
}

/// The system's resolver.
#[derive(Debug)]
pub(super) struct SystemNames;

impl Names for SystemNames {
    fn look_up<'a>(&'a self, name: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name, 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    }
}

/// How often each host and port was connected to.
pub(super) type Contacts = Arc<Mutex<BTreeMap<Authority, u64>>>;

/// A connection that was not opened, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal(pub(super) String);

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Refusal {}

/// Opens connections to what one row lists.
#[derive(Clone)]
pub(super) struct Connector {
    pub(super) row: Arc<Row>,
    pub(super) names: Arc<dyn Names>,
    pub(super) contacts: Contacts,
}

impl Connector {
    async fn connect(self, uri: Uri) -> Result<TokioIo<TcpStream>, Box<dyn std::error::Error + Send + Sync>> {
        let authority = Url::parse(&uri.to_string()).ok().as_ref().and_then(Authority::of);
        let Some(authority) = authority.filter(|authority| self.row.lists(authority)) else {
            return Err(Refusal(format!(
                "{:?} is not a host of {}",
                uri.host().unwrap_or(""),
                self.row.name
            ))
            .into());
        };
        let addresses = match authority.address() {
            Some(address) => vec![address],
            None => self.names.look_up(&authority.name()).await?,
        };
        // One that leads elsewhere makes the whole answer suspect.
        for address in &addresses {
            address::check(*address, &self.row.addresses)
                .map_err(|why| Refusal(format!("{authority}: {why}")))?;
        }
        let mut failed = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
        for address in addresses.into_iter().take(MAX_TRIED) {
            let count = || {
                let mut contacts = self.contacts.lock().expect("no holder panics");
                *contacts.entry(authority.clone()).or_default() += 1;
            };
            count();
            match TcpStream::connect(SocketAddr::new(address, authority.port())).await {
                Ok(stream) => {
                    stream.set_nodelay(true)?;
                    return Ok(TokioIo::new(stream));
                }
                Err(error) => failed = error,
            }
        }
        Err(failed.into())
    }
}

impl Service<Uri> for Connector {
    type Response = TokioIo<TcpStream>;
    type Error = Box<dyn std::error::Error + Send + Sync>;
    type Future = BoxFuture<'static, Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        Box::pin(self.clone().connect(uri))
    }
}
