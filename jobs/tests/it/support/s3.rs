//! An object store in memory that speaks as much of S3 as our client asks for.
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use store::objects::{ObjectStore, Settings};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

type Objects = Arc<Mutex<HashMap<String, Vec<u8>>>>;

/// A new store; it ends with the runtime.
pub(crate) async fn memory() -> ObjectStore {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let objects = Objects::default();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, objects.clone()));
        }
    });
    let settings = Settings {
        endpoint,
        region: "us-east-1".to_owned(),
        bucket: "test".to_owned(),
        access_key: "key".to_owned(),
        secret_key: "secret".to_owned(),
    };
    ObjectStore::connect(&settings).await.unwrap()
}

async fn serve(stream: TcpStream, objects: Objects) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    let mut stream = BufReader::new(stream);
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.ok().filter(|bytes| *bytes > 0)?;
        let mut words = line.split_whitespace();
        let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
        let path = path.split('?').next()?.to_owned();
        let mut length = 0;
        loop {
            let mut header = String::new();
            stream.read_line(&mut header).await.ok()?;
            if header.trim().is_empty() {
                break;
            }
            let (name, value) = header.split_once(':')?;
            if name.eq_ignore_ascii_case("content-length") {
                length = value.trim().parse().ok()?;
            }
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await.ok()?;
        let found = match method.as_str() {
            "PUT" => {
                objects.lock().unwrap().insert(path, body);
                Some(Vec::new())
            }
            "GET" => objects.lock().unwrap().get(&path).cloned(),
            _ => Some(Vec::new()),
        };
        let (status, body) = found.map_or(("404 Not Found", Vec::new()), |body| ("200 OK", body));
        let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n", body.len());
        stream.write_all(head.as_bytes()).await.ok()?;
        if method != "HEAD" {
            stream.write_all(&body).await.ok()?;
        }
        stream.flush().await.ok()?;
    }
}
