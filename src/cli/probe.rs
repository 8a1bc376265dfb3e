//! `wavetank probe`: whether an address answers with success, for the health checks of containers,
//! which have no other program that could ask.
use anyhow::{Context, Result, bail};
use bytes::Bytes;
use http_body_util::Empty;
use hyper::header::HOST;
use hyper::{Request, Uri};
use hyper_util::rt::TokioIo;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use tokio::net::TcpStream;

/// How long one answer may take.
const PATIENCE: Duration = Duration::from_secs(3);
const PAUSE: Duration = Duration::from_millis(500);

#[derive(clap::Args, Debug)]
pub(super) struct Options {
    /// What to ask, such as http://127.0.0.1:8080/health; plain HTTP only.
    #[arg(value_name = "URL")]
    url: Uri,
    /// Ask again for so many seconds until there is success.
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    wait: u64,
}

pub(super) async fn probe(options: Options) -> Result<ExitCode> {
    let until = Instant::now() + Duration::from_secs(options.wait);
    loop {
        let asked = tokio::time::timeout(PATIENCE, ask(&options.url)).await;
        let error = match asked.unwrap_or_else(|_| bail!("no answer within {PATIENCE:?}")) {
            Ok(()) => return Ok(ExitCode::SUCCESS),
            Err(error) => error,
        };
        if Instant::now() >= until {
            return Err(error.context(format!("{} does not answer with success", options.url)));
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn ask(url: &Uri) -> Result<()> {
    let authority = url.authority().context("the URL has no host")?;
    if url.scheme_str() != Some("http") {
        bail!("only http:// can be asked");
    }
    let port = authority.port_u16().unwrap_or(80);
    let stream = TcpStream::connect((authority.host().trim_matches(['[', ']']), port)).await?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let _driver = tokio_util::task::AbortOnDropHandle::new(tokio::spawn(connection));
    let path = url.path_and_query().map_or("/", |path| path.as_str());
    let request = Request::get(path).header(HOST, authority.as_str()).body(Empty::<Bytes>::new())?;
    let status = sender.send_request(request).await?.status();
    if !status.is_success() {
        bail!("it answered {status}");
    }
    Ok(())
}
