//! A receiver of webhooks: a real HTTP server that keeps what it gets and answers as it is told.
use poem::http::HeaderMap;
use poem::listener::TcpAcceptor;
use poem::{Request, Response, Server};
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::task::AbortHandle;

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

#[derive(Default)]
struct Kept {
    received: Vec<Received>,
    answers: VecDeque<u16>,
}

/// The server; it ends with the test.
pub(crate) struct Receiver {
    pub(crate) address: SocketAddr,
    kept: Arc<Mutex<Kept>>,
    server: AbortHandle,
}

impl Receiver {
    pub(crate) async fn start() -> Receiver {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let kept = Arc::<Mutex<Kept>>::default();
        let keep = kept.clone();
        let endpoint = poem::endpoint::make(move |mut request: Request| {
            let keep = keep.clone();
            async move {
                let body = request.take_body().into_string().await.unwrap();
                let path = request.uri().path_and_query().unwrap().to_string();
                let headers = request.headers().clone();
                let mut kept = keep.lock().unwrap();
                kept.received.push(Received { path, headers, body });
                let status = kept.answers.pop_front().unwrap_or(200);
                let location = "http://127.0.0.1:1/elsewhere";
                let status = poem::http::StatusCode::from_u16(status).unwrap();
                Response::builder().status(status).header("Location", location).finish()
            }
        });
        let acceptor = TcpAcceptor::from_tokio(listener).unwrap();
        let serving = tokio::spawn(async move {
            let _ = Server::new_with_acceptor(acceptor).run(endpoint).await;
        });
        Receiver { address, kept, server: serving.abort_handle() }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The next answers' statuses; 200 after those.
    pub(crate) fn answer_with(&self, statuses: &[u16]) {
        self.kept.lock().unwrap().answers.extend(statuses);
    }

    /// Waits until so many messages have arrived, and returns all of them.
    pub(crate) async fn receives(&self, count: usize) -> Vec<Received> {
        let began = Instant::now();
        loop {
            let received = self.received();
            if received.len() >= count {
                return received;
            }
            let waited = began.elapsed() < Duration::from_secs(60);
            assert!(waited, "{count} messages are awaited, these have arrived: {received:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.kept.lock().unwrap().received.clone()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.server.abort();
    }
}
