//! Clients that mean no good: the specification's errors, no failure of ours, and others are served
//! meanwhile.
use super::repository::{Repository, digest};
use futures::future::join_all;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Sends a request line as it stands, with headers, and reads the whole answer.
async fn raw(repository: &Repository, target: &str, headers: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(repository.api.address).await.unwrap();
    let request = format!("GET {target} HTTP/1.1\r\nHost: a\r\n{headers}Connection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let text = String::from_utf8_lossy(&answer).into_owned();
    let status = text.split(' ').nth(1).unwrap().parse().unwrap();
    (status, text)
}

#[tokio::test]
async fn tricks_with_paths_are_refused_in_the_specifications_form() {
    let repository = Repository::open("registry_paths").await;
    let long = "a".repeat(5000);
    let deep = "a/".repeat(200);
    for target in [
        "/v2/../v1/images".to_owned(),
        "/v2/..%2f..%2fetc/tags/list".to_owned(),
        "/v2/%2e%2e/tags/list".to_owned(),
        "/v2//tags/list".to_owned(),
        "/v2/nginx/../nginx/tags/list".to_owned(),
        "/v2/nginx%00/tags/list".to_owned(),
        "/v2/nginx%ff/tags/list".to_owned(),
        "/v2/nginx'--/tags/list".to_owned(),
        "/v2/NGINX/tags/list".to_owned(),
        "/v2/nginx/blobs/".to_owned(),
        "/v2/nginx/blobs/sha256:../../x".to_owned(),
        "/v2/nginx/blobs/md5:d41d8cd98f00b204e9800998ecf8427e".to_owned(),
        "/v2/nginx/manifests/..".to_owned(),
        "/v2/nginx/manifests/sha256:%00".to_owned(),
        "/v2/as-of/99999999t999999z/nginx/tags/list".to_owned(),
        "/v2/as-of/as-of/nginx/tags/list".to_owned(),
        "/v2/_catalog/x".to_owned(),
        "/v2/tags/list".to_owned(),
        format!("/v2/{long}/tags/list"),
        format!("/v2/{deep}tags/list"),
        format!("/v2/nginx/manifests/{long}"),
        format!("/v2/nginx/blobs/sha256:{long}"),
        format!("/v2/nginx/referrers/sha512:{long}"),
    ] {
        let (status, text) = raw(&repository, &target, "").await;
        assert!((400..500).contains(&status), "{target}: {text}");
        let body = text.split_once("\r\n\r\n").unwrap().1;
        let body: Value = serde_json::from_str(body).unwrap_or_else(|_| panic!("{target}: {text}"));
        let code = body["errors"][0]["code"].as_str().unwrap();
        assert!(code.bytes().all(|b| b.is_ascii_uppercase() || b == b'_'), "{target}: {code}");
    }
}

#[tokio::test]
async fn odd_headers_never_fail() {
    let repository = Repository::open("registry_headers").await;
    let path = format!("/v2/nginx/blobs/{}", digest(&repository.layer));
    let many = format!("Range: bytes={}\r\n", "0-0,".repeat(1500));
    for headers in [
        "Range: bytes=0-99999999999999999999999999\r\n",
        "Range: bytes=99999999999999999999999999-\r\n",
        "Range: bytes=-18446744073709551616\r\n",
        "Range: bytes=--1\r\n",
        "Authorization: Basic \u{1}\r\n",
        "Authorization: Bearer x.y.z\r\n",
        "Accept-Encoding: gzip, identity;q=0\r\n",
        "If-None-Match: \"\r\n",
        "Host: \"><script>\r\n",
        &many,
    ] {
        let mut stream = TcpStream::connect(repository.api.address).await.unwrap();
        let request = format!("HEAD {path} HTTP/1.1\r\n{headers}Connection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        let text = String::from_utf8_lossy(&answer).into_owned();
        let status: u16 = text.split(' ').nth(1).unwrap().parse().unwrap();
        assert!(status < 500, "{headers}: {text}");
        assert!(!text.contains("script"), "{text}");
    }
}

#[tokio::test]
async fn sixty_four_pulls_at_once_are_served_beside_slow_readers() {
    let repository = Repository::open("registry_parallel").await;
    let path = format!("/v2/nginx/blobs/{}", digest(&repository.layer));
    // These ask and never read.
    let mut slow = Vec::new();
    for _ in 0..32 {
        let mut stream = TcpStream::connect(repository.api.address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        slow.push(stream);
    }
    let pulls = join_all((0..64).map(|_| repository.bytes(&path))).await;
    assert!(pulls.iter().all(|pulled| *pulled == repository.layer));
    // Whoever reads at last gets everything.
    let mut stream = slow.pop().unwrap();
    let (mut answer, mut piece) = (Vec::new(), vec![0; 1000]);
    while answer.len() < repository.layer.len() {
        let read = stream.read(&mut piece).await.unwrap();
        assert!(read > 0);
        answer.extend_from_slice(&piece[..read]);
    }
}
