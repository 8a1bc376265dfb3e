//! An S3 endpoint inside the process, so that a world needs no object store to be set up first,
//! and so that the code that talks to one is the same in every mode.
//!
//! The protocol (requests, signatures, XML) is `s3s`; what is ours is the storage below it: one
//! file an object, complete or absent.

mod acl;
mod answers;
#[cfg(test)]
mod client_tests;
mod credentials;
mod failure;
mod files;
mod format;
mod index;
mod listing;
mod service;
#[cfg(test)]
mod tests;
mod upload;

use std::{fmt, net::SocketAddr, path::Path, time::Duration};

use hyper_util::rt::{TokioIo, TokioTimer};
use s3s::{auth::SimpleAuth, service::S3Service, service::S3ServiceBuilder};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use self::{credentials::Credentials, files::Files, service::Service};
use super::EmbeddedError;

/// How long a stop waits for requests that are being answered.
const STOP_WAIT: Duration = Duration::from_secs(1);
/// How long a client may take to send a request's head.
const HEAD_WAIT: Duration = Duration::from_secs(30);
/// How long the server rests when the system has no file or socket left for a connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// When a put is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// When the object and its name are on disk: a power cut loses nothing that was answered.
    Synced,
    /// When the operating system has them: a killed process loses nothing, a power cut may lose
    /// the last seconds. Such an object is then absent, never half there.
    Cached,
}

impl Durability {
    fn from_env() -> Self {
        let off = std::env::var_os("WAVETANK_S3_FSYNC").is_some_and(|value| value == "off");
        if off { Self::Cached } else { Self::Synced }
    }
}

/// A running S3 endpoint of this process.
pub struct EmbeddedS3 {
    address: SocketAddr,
    credentials: Credentials,
    stop: CancellationToken,
    connections: TaskTracker,
}

impl EmbeddedS3 {
    /// Serves the objects in `dir`, which is made if it is not there, on `bind` (port 0: any free
    /// one). The caller holds the lock of the data directory.
    ///
    /// Puts are on disk when they are answered, unless `WAVETANK_S3_FSYNC` is `off`.
    ///
    /// # Errors
    /// The directory cannot be made or written, its key is damaged, or the address is taken.
    pub async fn start(dir: &Path, bind: SocketAddr) -> Result<Self, EmbeddedError> {
        Self::start_with(dir, bind, Durability::from_env()).await
    }

    /// The same with puts as durable as the caller says.
    ///
    /// # Errors
    /// As for [`EmbeddedS3::start`].
    pub async fn start_with(
        dir: &Path,
        bind: SocketAddr,
        durability: Durability,
    ) -> Result<Self, EmbeddedError> {
        let files = Files::open(dir, durability)?;
        let credentials = Credentials::load_or_create(&dir.join("credentials.json"))?;
        let bound = |source| EmbeddedError::S3Bind { address: bind, source };
        let listener = TcpListener::bind(bind).await.map_err(bound)?;
        let address = listener.local_addr().map_err(bound)?;
        let mut builder = S3ServiceBuilder::new(Service::new(files));
        builder.set_auth(SimpleAuth::from_single(
            credentials.access_key.as_str(),
            credentials.secret_key.as_str(),
        ));
        let stop = CancellationToken::new();
        let connections = TaskTracker::new();
        let accepting = accept(listener, builder.build(), stop.clone(), connections.clone());
        connections.spawn(accepting);
        Ok(Self { address, credentials, stop, connections })
    }

    /// The URL of the endpoint. Buckets are addressed by path.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The access key that requests are signed with.
    pub fn access_key(&self) -> &str {
        &self.credentials.access_key
    }

    /// The secret key that requests are signed with.
    pub fn secret_key(&self) -> &str {
        &self.credentials.secret_key
    }

    /// Takes no more connections and waits for the answers that are under way.
    pub async fn stop(self) {
        self.stop.cancel();
        self.connections.close();
        if tokio::time::timeout(STOP_WAIT, self.connections.wait()).await.is_err() {
            tracing::warn!("the embedded S3 endpoint stopped while requests were under way");
        }
    }
}

impl fmt::Debug for EmbeddedS3 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmbeddedS3").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Drop for EmbeddedS3 {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn accept(
    listener: TcpListener,
    service: S3Service,
    stop: CancellationToken,
    connections: TaskTracker,
) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => return,
        };
        match accepted {
            Ok((stream, _)) => {
                connections.spawn(serve(stream, service.clone(), stop.clone()));
            }
            Err(error) => {
                tracing::warn!(%error, "the embedded S3 endpoint cannot accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn serve(stream: TcpStream, service: S3Service, stop: CancellationToken) {
    let _ = stream.set_nodelay(true);
    let mut http = hyper::server::conn::http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_WAIT);
    let connection = http.serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection to the embedded S3 endpoint broke");
    }
}
