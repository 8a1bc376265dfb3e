//! Sending over TLS, against a server whose certificate a throw-away authority signed; and what a
//! hostile name, or a hostile receiver, gets out of us.
use super::*;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig, crypto};

const OPEN: AddressPolicy = AddressPolicy { private: true, http: true };

fn message() -> Outgoing {
    Outgoing {
        id: "msg_1".to_owned(),
        timestamp: 1,
        signature: "v1,x".to_owned(),
        body: Bytes::from_static(b"{}"),
    }
}

fn openssl(dir: &Path, arguments: &str) {
    let mut command = Command::new("openssl");
    let output = command.args(arguments.split(' ')).current_dir(dir).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// An authority, and a key and certificate of its for `localhost`.
fn certificates() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
    openssl(
        dir.path(),
        &format!("req -x509 {key} -keyout ca.key -out ca.pem -days 2 -subj /CN=ca"),
    );
    openssl(dir.path(), &format!("req {key} -keyout leaf.key -out leaf.csr -subj /CN=localhost"));
    std::fs::write(dir.path().join("names"), "subjectAltName=DNS:localhost").unwrap();
    openssl(
        dir.path(),
        "x509 -req -in leaf.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names \
         -out leaf.pem",
    );
    dir
}

/// A server that answers every request with 204, and its port.
async fn server(dir: &Path) -> u16 {
    let chain = CertificateDer::pem_file_iter(dir.join("leaf.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(dir.join("leaf.key")).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain.map(Result::unwrap).collect(), key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let _ = stream.read(&mut [0; 4096]).await;
            let _ = stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await;
            let _ = stream.shutdown().await;
        }
    });
    port
}

fn trusting(dir: &Path) -> Sender {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(dir.join("ca.pem")).unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    Sender { policy: OPEN, tls: TlsConnector::from(Arc::new(config)) }
}

#[tokio::test]
async fn only_a_trusted_certificate_of_that_name_is_sent_to() {
    let dir = certificates();
    let port = server(dir.path()).await;
    let sender = trusting(dir.path());
    let send = async |url: String| sender.send(&url, &message()).await;
    assert_eq!(send(format!("https://localhost:{port}/in")).await, Ok(204));
    // The right certificate under another name; and one that nobody trusts.
    assert_eq!(send(format!("https://127.0.0.1:{port}/in")).await, Err(NotSent::Tls));
    let strange = Sender::new(OPEN).unwrap();
    let url = format!("https://localhost:{port}/in");
    assert_eq!(strange.send(&url, &message()).await, Err(NotSent::Tls));
}

#[test]
fn one_private_address_among_public_ones_spoils_the_name() {
    let of = |text: &str| text.split(' ').map(|a| a.parse().unwrap()).collect::<Vec<SocketAddr>>();
    let strict = AddressPolicy::default();
    assert!(checked(of("93.184.215.14:443 [2606:2800:21f::1]:443"), strict).is_ok());
    for found in [
        "93.184.215.14:443 127.0.0.1:443",
        "[2606:2800:21f::1]:443 [::ffff:10.0.0.1]:443",
        "169.254.169.254:80",
    ] {
        assert_eq!(checked(of(found), strict), Err(NotSent::Address), "{found}");
    }
    assert_eq!(checked(Vec::new(), strict), Err(NotSent::Name));
    assert_eq!(checked(of("169.254.169.254:80"), OPEN), Err(NotSent::Address));
}

/// Answers one request with a body that comes in pieces of so many bytes and never ends; gives how
/// many bytes the other side took before it closed the connection.
async fn endless_answer(listener: &TcpListener, piece: usize, pause: Duration) -> usize {
    let (mut stream, _) = listener.accept().await.unwrap();
    let _ = stream.read(&mut [0; 4096]).await;
    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n").await;
    let piece = vec![b'x'; piece];
    let mut taken = 0;
    while let Ok(bytes) = stream.write(&piece).await {
        taken += bytes;
        tokio::time::sleep(pause).await;
    }
    taken
}

/// Neither an answer without end nor one that drips keeps a message waiting: it counts as arrived,
/// and the connection is closed.
#[tokio::test]
async fn a_receiver_cannot_hold_us_or_flood_us() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://127.0.0.1:{}/", listener.local_addr().unwrap().port());
    let sender = Sender::new(OPEN).unwrap();
    let message = message();
    let flood = endless_answer(&listener, 1 << 20, Duration::ZERO);
    let (sent, taken) = tokio::join!(sender.send(&url, &message), flood);
    assert_eq!(sent, Ok(200));
    // What the two sockets hold in between is the system's; we read 16 KiB.
    assert!(taken < 16 << 20, "{taken} bytes were taken of an endless answer");
    let drip = endless_answer(&listener, 1, Duration::from_millis(200));
    let (sent, taken) = tokio::join!(sender.send(&url, &message), drip);
    assert_eq!(sent, Ok(200));
    assert!(taken < ANSWER_BYTES, "all {taken} bytes were waited for");
    // One that takes the request and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", silent.local_addr().unwrap());
    assert_eq!(sender.send(&url, &message).await, Err(NotSent::Timeout));
}
