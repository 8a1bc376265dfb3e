//! The HTTP client of traces: a connection an export, so that a collector that goes away is never
//! noticed by anybody but the log. The SDK exports on a thread of its own; the connection is the
//! runtime's.
use anyhow::{Context, Result};
use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::rt::TokioIo;
use opentelemetry_http::{HttpClient, HttpError};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::runtime::Handle;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;

const TIME_LIMIT: Duration = Duration::from_secs(10);
const ANSWER_BYTES: usize = 64 * 1024;

/// Sends requests from the runtime in which it was made.
pub(super) struct Client {
    runtime: Handle,
    tls: TlsConnector,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Client(..)")
    }
}

impl Client {
    pub(super) fn new() -> Result<Self> {
        let runtime = Handle::try_current().context("traces need the runtime")?;
        Ok(Client { runtime, tls: crate::tls::connector()? })
    }
}

#[async_trait]
impl HttpClient for Client {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let tls = self.tls.clone();
        // The timer too must be made where the runtime is.
        let sent = self
            .runtime
            .spawn(async move { tokio::time::timeout(TIME_LIMIT, send(tls, request)).await });
        sent.await??
    }
}

async fn send(tls: TlsConnector, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
    let uri = request.uri().clone();
    let host = uri.host().ok_or("the address of the collector has no host")?;
    let host = host.trim_matches(['[', ']']).to_owned();
    let encrypted = uri.scheme_str() == Some("https");
    let port = uri.port_u16().unwrap_or(if encrypted { 443 } else { 80 });
    let stream = TcpStream::connect((host.as_str(), port)).await?;
    if encrypted {
        let stream = tls.connect(ServerName::try_from(host)?, stream).await?;
        return exchange(stream, &uri, request).await;
    }
    exchange(stream, &uri, request).await
}

async fn exchange<S>(
    stream: S,
    uri: &Uri,
    request: Request<Bytes>,
) -> Result<Response<Bytes>, HttpError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let driver = tokio_util::task::AbortOnDropHandle::new(tokio::spawn(connection));
    let (mut parts, body) = request.into_parts();
    let authority = uri.authority().ok_or("the address of the collector has no host")?;
    parts.headers.insert(http::header::HOST, authority.as_str().parse()?);
    parts.uri = uri.path_and_query().map_or("/", |path| path.as_str()).parse()?;
    let response = sender.send_request(Request::from_parts(parts, Full::new(body))).await?;
    let (parts, body) = response.into_parts();
    let body = Limited::new(body, ANSWER_BYTES).collect().await?.to_bytes();
    drop(driver);
    Ok(Response::from_parts(parts, body))
}
