//! An S3 endpoint that is not ours, on loopback: `s3s-fs`, with signatures checked.
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use store::objects::{ObjectStore, Settings};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A running endpoint; it stops when dropped.
pub struct Endpoint {
    /// How to reach it.
    pub settings: Settings,
    /// Where it keeps its files.
    _root: TempDir,
    server: JoinHandle<()>,
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// Starts an endpoint and connects to it.
pub async fn store() -> (Endpoint, ObjectStore) {
    let endpoint = start().await;
    let objects = ObjectStore::connect(&endpoint.settings).await.expect("an object store");
    (endpoint, objects)
}

/// Starts an endpoint.
pub async fn start() -> Endpoint {
    let root = tempfile::tempdir().expect("a directory");
    let mut service =
        S3ServiceBuilder::new(s3s_fs::FileSystem::new(root.path()).expect("a file system"));
    service.set_auth(SimpleAuth::from_single("wavetank", "secret"));
    let service = service.build();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let server = tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let service = service.clone();
            tokio::spawn(async move {
                let http = Builder::new(TokioExecutor::new());
                let _ = http.serve_connection(TokioIo::new(socket), service).await;
            });
        }
    });
    let settings = Settings {
        endpoint: format!("http://{address}"),
        region: "us-east-1".into(),
        bucket: "world".into(),
        access_key: "wavetank".into(),
        secret_key: "secret".into(),
    };
    Endpoint { settings, _root: root, server }
}
