//! A small connection pooler, as PgBouncer is one: clients share two sessions of a server.
use sqlx::postgres::PgConnectOptions;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::{OnceCell, Semaphore};

/// Which session a transaction gets, and what becomes of settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// The session that has rested longest.
    Longest,
    /// The session that was used last.
    Last,
    /// Each client has a session of its own, without the settings that it asked for.
    Session,
}

/// Where sessions come from.
struct Pooler {
    mode: Mode,
    socket: PathBuf,
    /// How the shared sessions greeted, once they are open.
    greeting: OnceCell<Vec<u8>>,
    sessions: Mutex<VecDeque<UnixStream>>,
    free: Semaphore,
}

/// Starts one before the server of a database; none when that is not reached over a socket, where
/// nobody is asked for a password. Gives its URL. It ends with the test.
pub(crate) async fn pooler(url: &str, mode: Mode) -> Option<String> {
    let options: PgConnectOptions = url.parse().expect("a URL");
    let directory = options.get_socket()?;
    let socket = directory.join(format!(".s.PGSQL.{}", options.get_port()));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address: SocketAddr = listener.local_addr().expect("an address");
    let (greeting, sessions, free) = (OnceCell::new(), Mutex::default(), Semaphore::new(2));
    let pooler = Arc::new(Pooler { mode, socket, greeting, sessions, free });
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let pooler = pooler.clone();
            tokio::spawn(async move { pooler.serve(client).await });
        }
    });
    let (user, database) = (options.get_username(), options.get_database().expect("a database"));
    Some(format!("postgres://{user}@{address}/{database}?sslmode=disable"))
}

impl Pooler {
    async fn serve(&self, mut client: TcpStream) -> std::io::Result<()> {
        let startup = body(&mut client).await?;
        if self.mode == Mode::Session {
            let (mut session, greeting) = self.open(&without_settings(&startup)).await?;
            client.write_all(&greeting).await?;
            loop {
                transaction(&mut client, &mut session).await?;
            }
        }
        let greeting = self.greeting.get_or_try_init(|| self.open_shared(&startup)).await?;
        client.write_all(greeting).await?;
        // A client that asks for nothing holds no session.
        while client.peek(&mut [0]).await? > 0 {
            let _permit = self.free.acquire().await.expect("never closed");
            let mut session = self.lock().pop_front().expect("one is free");
            let ended = transaction(&mut client, &mut session).await;
            match self.mode {
                Mode::Longest => self.lock().push_back(session),
                _ => self.lock().push_front(session),
            }
            ended?;
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<UnixStream>> {
        self.sessions.lock().expect("no panic holds it")
    }

    async fn open_shared(&self, startup: &[u8]) -> std::io::Result<Vec<u8>> {
        let (first, _) = self.open(startup).await?;
        let (second, greeting) = self.open(startup).await?;
        self.lock().extend([first, second]);
        Ok(greeting)
    }

    /// A new session, and how it greets.
    async fn open(&self, startup: &[u8]) -> std::io::Result<(UnixStream, Vec<u8>)> {
        let mut stream = UnixStream::connect(&self.socket).await?;
        stream.write_u32(u32::try_from(startup.len() + 4).expect("a short message")).await?;
        stream.write_all(startup).await?;
        let mut greeting = Vec::new();
        loop {
            let (kind, text) = message(&mut stream).await?;
            append(&mut greeting, kind, &text);
            if kind == b'Z' {
                return Ok((stream, greeting));
            }
        }
    }
}

/// Passes questions and answers on, up to the end of a transaction.
async fn transaction(client: &mut TcpStream, server: &mut UnixStream) -> std::io::Result<()> {
    loop {
        let (kind, text) = message(client).await?;
        if kind == b'X' {
            return Err(std::io::ErrorKind::ConnectionAborted.into());
        }
        let mut question = Vec::new();
        append(&mut question, kind, &text);
        server.write_all(&question).await?;
        if kind != b'S' && kind != b'Q' {
            continue;
        }
        let mut answer = Vec::new();
        loop {
            let (kind, text) = message(server).await?;
            append(&mut answer, kind, &text);
            if kind == b'Z' {
                client.write_all(&answer).await?;
                if text == b"I" {
                    return Ok(());
                }
                break;
            }
        }
    }
}

/// The startup message with the user and the database alone.
fn without_settings(startup: &[u8]) -> Vec<u8> {
    let mut kept = startup[..4].to_vec();
    let words: Vec<&[u8]> = startup[4..].split(|byte| *byte == 0).collect();
    for pair in words.chunks_exact(2) {
        if pair[0] == b"user" || pair[0] == b"database" {
            for word in pair {
                kept.extend_from_slice(word);
                kept.push(0);
            }
        }
    }
    kept.push(0);
    kept
}

fn append(to: &mut Vec<u8>, kind: u8, text: &[u8]) {
    to.push(kind);
    to.extend_from_slice(&u32::try_from(text.len() + 4).expect("a short message").to_be_bytes());
    to.extend_from_slice(text);
}

async fn message(stream: &mut (impl AsyncReadExt + Unpin)) -> std::io::Result<(u8, Vec<u8>)> {
    let kind = stream.read_u8().await?;
    Ok((kind, body(stream).await?))
}

async fn body(stream: &mut (impl AsyncReadExt + Unpin)) -> std::io::Result<Vec<u8>> {
    let size = stream.read_u32().await?;
    let mut text = vec![0; usize::try_from(size).expect("a short message") - 4];
    stream.read_exact(&mut text).await?;
    Ok(text)
}
