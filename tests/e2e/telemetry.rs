//! Traces reach a collector over OTLP when one is named, and metrics their listener.
use crate::support::{data_dir, figures, run, said};
use poem::listener::TcpAcceptor;
use poem::{Request, Server};
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;

struct Export {
    path: String,
    media_type: String,
    bytes: Vec<u8>,
}

/// A collector that keeps what it is sent.
async fn collector() -> (String, Arc<Mutex<Vec<Export>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    let kept = Arc::<Mutex<Vec<Export>>>::default();
    let keep = kept.clone();
    let endpoint = poem::endpoint::make(move |mut request: Request| {
        let keep = keep.clone();
        async move {
            let path = request.uri().path().to_owned();
            let media_type = request.content_type().unwrap_or_default().to_owned();
            let bytes = request.take_body().into_vec().await.unwrap_or_default();
            keep.lock().expect("no panic").push(Export { path, media_type, bytes });
            poem::Response::builder().content_type("application/x-protobuf").finish()
        }
    });
    let acceptor = TcpAcceptor::from_tokio(listener).expect("a listener");
    tokio::spawn(Server::new_with_acceptor(acceptor).run(endpoint));
    (address, kept)
}

#[tokio::test(flavor = "multi_thread")]
async fn spans_of_jobs_and_windows_reach_a_collector() {
    let (address, kept) = collector().await;
    let data = data_dir();
    let mut command = run("classroom", data.path(), &["--until", "1d"]);
    command.env("OTEL_EXPORTER_OTLP_ENDPOINT", address).env("OTEL_SERVICE_NAME", "tank-7");
    tokio::task::spawn_blocking(|| figures(command)).await.expect("the run ends");
    let exports = kept.lock().expect("no panic");
    assert!(!exports.is_empty(), "nothing was sent");
    for export in exports.iter() {
        let got = (export.path.as_str(), export.media_type.as_str());
        assert_eq!(got, ("/v1/traces", "application/x-protobuf"));
    }
    // Protobuf writes texts as they are.
    let all: Vec<u8> = exports.iter().flat_map(|export| export.bytes.iter().copied()).collect();
    let holds = |text: &str| all.windows(text.len()).any(|window| window == text.as_bytes());
    for text in
        ["tank-7", "service.version", "window", "to_simulated_ms", "job", "queue", "sla_check"]
    {
        assert!(holds(text), "no span says {text:?}");
    }
    assert!(!holds("postgres://") && !holds("SELECT"), "a span tells of connections or statements");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_absent_collector_does_not_stop_the_run() {
    let data = data_dir();
    let mut command = run("classroom", data.path(), &["--until", "1d"]);
    command.env("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1");
    let output = tokio::task::spawn_blocking(move || command.output()).await;
    let output = output.expect("no panic").expect("the program runs");
    assert!(output.status.success() && !said(&output).contains("panicked"), "{}", said(&output));
}
