//! An object store in memory that speaks as much of S3 as our client asks for.
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use store::objects::{ObjectStore, Settings};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// Headers of an answer, and its body.
type Object = (String, Vec<u8>);
type Objects = Arc<Mutex<HashMap<String, Object>>>;

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
        let (path, query) = path.split_once('?').unwrap_or((&path, ""));
        let (path, query) = (path.to_owned(), query.to_owned());
        let (mut length, mut kept) = (0, String::new());
        loop {
            let mut header = String::new();
            stream.read_line(&mut header).await.ok()?;
            if header.trim().is_empty() {
                break;
            }
            let (name, value) = header.split_once(':')?;
            if name.eq_ignore_ascii_case("content-length") {
                length = value.trim().parse().ok()?;
            } else if name.eq_ignore_ascii_case("content-encoding") {
                kept = header.clone();
            }
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await.ok()?;
        let found = match method.as_str() {
            "PUT" => {
                objects.lock().unwrap().insert(path, (kept, body));
                Some(Object::default())
            }
            "DELETE" => {
                objects.lock().unwrap().remove(&path);
                Some(Object::default())
            }
            "GET" if query.contains("list-type=2") => Some(listing(&objects, &path, &query)),
            "GET" => objects.lock().unwrap().get(&path).cloned(),
            _ => Some(Object::default()),
        };
        let status = if found.is_some() { "200 OK" } else { "404 Not Found" };
        let (kept, body) = found.unwrap_or_default();
        let length = body.len();
        let head = format!("HTTP/1.1 {status}\r\n{kept}content-length: {length}\r\n\r\n");
        stream.write_all(head.as_bytes()).await.ok()?;
        if method != "HEAD" {
            stream.write_all(&body).await.ok()?;
        }
        stream.flush().await.ok()?;
    }
}

/// The keys of a bucket that begin as the query says, in one page.
fn listing(objects: &Objects, path: &str, query: &str) -> Object {
    let bucket = format!("{}/", path.trim_end_matches('/'));
    let prefix = query.split('&').find_map(|pair| pair.strip_prefix("prefix="));
    let prefix = prefix.unwrap_or("").replace("%2F", "/");
    let objects = objects.lock().unwrap();
    let found = objects.iter().filter_map(|(path, (_, body))| {
        let key = path.strip_prefix(&bucket).filter(|key| key.starts_with(&prefix))?;
        Some(format!("<Contents><Key>{key}</Key><Size>{}</Size></Contents>", body.len()))
    });
    let found: String = found.collect();
    let list =
        format!("<ListBucketResult><IsTruncated>false</IsTruncated>{found}</ListBucketResult>");
    (String::new(), list.into())
}
