//! An object store behind a gate that can say that the disk is full.
use embedded::{EmbeddedS3, S3Durability};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use store::objects::{ObjectStore, Settings};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

/// The gate; it ends with the test.
pub(super) struct Gate {
    /// Whether every request is refused.
    pub(super) is_full: Arc<AtomicBool>,
    settings: Settings,
    _files: TempDir,
    _endpoint: EmbeddedS3,
}

const FULL: &str = "<Error><Code>InsufficientStorage</Code><Message>full</Message></Error>";

impl Gate {
    pub(super) async fn new() -> Self {
        let files = tempfile::tempdir().unwrap();
        let any_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let endpoint = EmbeddedS3::start_with(files.path(), any_port, S3Durability::Cached).await;
        let endpoint = endpoint.unwrap();
        let behind = endpoint.endpoint().replace("http://", "");
        let listener = TcpListener::bind(any_port).await.unwrap();
        let settings = Settings {
            endpoint: format!("http://{}", listener.local_addr().unwrap()),
            region: "us-east-1".into(),
            bucket: "test".into(),
            access_key: endpoint.access_key().into(),
            secret_key: endpoint.secret_key().into(),
        };
        let is_full: Arc<AtomicBool> = Arc::default();
        let full = Arc::clone(&is_full);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, behind.clone(), Arc::clone(&full)));
            }
        });
        Gate { is_full, settings, _files: files, _endpoint: endpoint }
    }

    pub(super) async fn objects(&self) -> ObjectStore {
        ObjectStore::connect(&self.settings).await.unwrap()
    }
}

/// One connection: it is closed when the gate changes, so that nothing slips through.
async fn serve(mut stream: TcpStream, behind: String, full: Arc<AtomicBool>) {
    if !full.load(Ordering::Relaxed) {
        let mut store = TcpStream::connect(behind).await.unwrap();
        let through = copy_bidirectional(&mut stream, &mut store);
        let shut = async {
            while !full.load(Ordering::Relaxed) {
                tokio::time::sleep(std::time::Duration::from_millis(2)).await;
            }
        };
        tokio::select! {
            _ = through => {}
            () = shut => {}
        }
        return;
    }
    let mut request = vec![0; 1 << 16];
    let _ = stream.read(&mut request).await;
    let answer = format!(
        "HTTP/1.1 507 Insufficient Storage\r\nContent-Type: application/xml\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{FULL}",
        FULL.len()
    );
    let _ = stream.write_all(answer.as_bytes()).await;
    // What is still to be read is read, or the answer could be lost.
    let _ = stream.shutdown().await;
    while stream.read(&mut request).await.is_ok_and(|read| read > 0) {}
}
