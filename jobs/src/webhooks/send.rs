//! Sends one message: the name is looked up once, every address it has is checked, and the
//! connection goes to one of those and nowhere else. No proxies, no redirects, no cookies, no
//! connection kept: one request, one answer, within one time limit.
use super::target::{AddressPolicy, Target, is_allowed};
use anyhow::Result;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::header::{CONNECTION, CONTENT_TYPE, HOST, USER_AGENT};
use hyper_util::rt::TokioIo;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;

/// The time from the look-up to the end of the answer.
pub(super) const TIME_LIMIT: Duration = Duration::from_secs(10);
/// How long one address of several may take to connect.
const CONNECT_LIMIT: Duration = Duration::from_secs(4);
/// How long the rest of an answer is read for politeness' sake; nothing in it counts.
const REST_LIMIT: Duration = Duration::from_secs(1);
/// And how much of it.
const ANSWER_BYTES: usize = 16 * 1024;

/// A message ready to be sent.
#[derive(Clone, Debug)]
pub(super) struct Outgoing {
    pub(super) id: String,
    pub(super) timestamp: i64,
    pub(super) signature: String,
    pub(super) body: Bytes,
}

/// Why a message did not arrive. The owner of the endpoint reads this: it says nothing of what is
/// at an address, or which addresses a name has here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum NotSent {
    #[error("the name of the host cannot be looked up")]
    Name,
    #[error("the address is not allowed")]
    Address,
    #[error("there is no connection to the host")]
    Connection,
    #[error("the host's certificate is not trusted, or it speaks no TLS")]
    Tls,
    #[error("the host gave no HTTP answer")]
    Answer,
    #[error("there was no answer within 10 s")]
    Timeout,
}

/// Sends messages.
#[derive(Clone)]
pub(super) struct Sender {
    policy: AddressPolicy,
    tls: TlsConnector,
}

impl Sender {
    /// With the certificates that this machine trusts (`SSL_CERT_FILE` and `SSL_CERT_DIR` count).
    pub(super) fn new(policy: AddressPolicy) -> Result<Self> {
        Ok(Sender { policy, tls: telemetry::tls::connector()? })
    }

    /// Sends a message and returns the status of the answer.
    pub(super) async fn send(&self, url: &str, message: &Outgoing) -> Result<u16, NotSent> {
        tokio::time::timeout(TIME_LIMIT, self.try_send(url, message))
            .await
            .unwrap_or(Err(NotSent::Timeout))
    }

    async fn try_send(&self, url: &str, message: &Outgoing) -> Result<u16, NotSent> {
        // What was allowed when it was stored may not be any more.
        let target = Target::parse(url, self.policy).map_err(|_| NotSent::Address)?;
        let stream = connect(&self.addresses(&target).await?).await?;
        if !target.tls {
            return exchange(stream, &target, message).await;
        }
        let name = ServerName::try_from(target.host.clone()).map_err(|_| NotSent::Tls)?;
        let stream = self.tls.connect(name, stream).await.map_err(|_| NotSent::Tls)?;
        exchange(stream, &target, message).await
    }

    async fn addresses(&self, target: &Target) -> Result<Vec<SocketAddr>, NotSent> {
        let found = tokio::net::lookup_host((target.host.as_str(), target.port)).await;
        checked(found.map_err(|_| NotSent::Name)?.collect(), self.policy)
    }
}

/// The addresses of a host; one that is not allowed spoils them all.
fn checked(found: Vec<SocketAddr>, policy: AddressPolicy) -> Result<Vec<SocketAddr>, NotSent> {
    if found.is_empty() {
        return Err(NotSent::Name);
    }
    let allowed = found.iter().all(|address| is_allowed(address.ip(), policy));
    if allowed { Ok(found) } else { Err(NotSent::Address) }
}

async fn connect(addresses: &[SocketAddr]) -> Result<TcpStream, NotSent> {
    for address in addresses {
        let attempt = tokio::time::timeout(CONNECT_LIMIT, TcpStream::connect(address));
        if let Ok(Ok(stream)) = attempt.await {
            return Ok(stream);
        }
    }
    Err(NotSent::Connection)
}

async fn exchange<S>(stream: S, target: &Target, message: &Outgoing) -> Result<u16, NotSent>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let handshake = hyper::client::conn::http1::handshake(TokioIo::new(stream));
    let (mut sender, connection) = handshake.await.map_err(|_| NotSent::Answer)?;
    // Ends with this exchange, whichever way that ends.
    let driver = tokio_util::task::AbortOnDropHandle::new(tokio::spawn(connection));
    let request = request(target, message).ok_or(NotSent::Answer)?;
    let response = sender.send_request(request).await.map_err(|_| NotSent::Answer)?;
    let status = response.status().as_u16();
    let mut body = response.into_body();
    let mut read = 0;
    let rest = async {
        while read < ANSWER_BYTES {
            match body.frame().await {
                Some(Ok(frame)) => read += frame.data_ref().map_or(0, Bytes::len),
                _ => break,
            }
        }
    };
    // The status says it all: how the rest of the answer ends changes nothing.
    let _ = tokio::time::timeout(REST_LIMIT, rest).await;
    drop(driver);
    Ok(status)
}

fn request(target: &Target, message: &Outgoing) -> Option<Request<Full<Bytes>>> {
    let url = &target.url;
    let host = url.host_str()?;
    let host = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    let path = match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    };
    Request::post(path)
        .header(HOST, host)
        .header(USER_AGENT, concat!("wavetank/", env!("CARGO_PKG_VERSION")))
        .header(CONTENT_TYPE, super::message::MEDIA_TYPE)
        .header(CONNECTION, "close")
        .header("webhook-id", &message.id)
        .header("webhook-timestamp", message.timestamp)
        .header("webhook-signature", &message.signature)
        .body(Full::new(message.body.clone()))
        .ok()
}

#[cfg(test)]
#[path = "send/tests.rs"]
mod tests;
