//! The endpoint as a client of the trade sees it: Amazon's own, over HTTP, signed.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    time::Duration,
};

use aws_sdk_s3::{
    Client,
    config::{
        BehaviorVersion, Credentials as AwsCredentials, Region, RequestChecksumCalculation,
        ResponseChecksumValidation, retry::RetryConfig,
    },
    error::{ProvideErrorMetadata as _, SdkError},
    presigning::PresigningConfig,
    primitives::ByteStream,
    types::{ChecksumAlgorithm, Delete, ObjectIdentifier},
};
use aws_smithy_http_client::{Builder, tls};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::*;

pub(super) const BUCKET: &str = "world";
const ANY_PORT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

async fn server(dir: &Path) -> EmbeddedS3 {
    EmbeddedS3::start_with(dir, ANY_PORT, Durability::Cached).await.unwrap()
}

fn client_with(server: &EmbeddedS3, secret: &str) -> Client {
    let provider = tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring);
    let credentials = AwsCredentials::new(server.access_key(), secret, None, None, "test");
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(Builder::new().tls_provider(provider).build_https())
        .credentials_provider(credentials)
        .region(Region::new("us-east-1"))
        .endpoint_url(server.endpoint())
        .force_path_style(true)
        .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
        .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
        .retry_config(RetryConfig::disabled())
        .build();
    Client::from_conf(config)
}

fn client(server: &EmbeddedS3) -> Client {
    client_with(server, server.secret_key())
}

pub(super) async fn started(dir: &Path) -> (EmbeddedS3, Client) {
    let server = server(dir).await;
    let client = client(&server);
    client.create_bucket().bucket(BUCKET).send().await.unwrap();
    (server, client)
}

pub(super) async fn put(client: &Client, key: &str, body: impl Into<Vec<u8>>) -> String {
    let body = ByteStream::from(body.into());
    let put = client.put_object().bucket(BUCKET).key(key).body(body).send().await.unwrap();
    put.e_tag.unwrap()
}

pub(super) async fn get(client: &Client, key: &str) -> Vec<u8> {
    let found = client.get_object().bucket(BUCKET).key(key).send().await.unwrap();
    found.body.collect().await.unwrap().to_vec()
}

async fn keys(client: &Client, prefix: &str, page: i32) -> Vec<String> {
    let mut pages = client
        .list_objects_v2()
        .bucket(BUCKET)
        .prefix(prefix)
        .into_paginator()
        .page_size(page)
        .send();
    let mut keys = Vec::new();
    while let Some(page) = pages.next().await {
        keys.extend(page.unwrap().contents.unwrap_or_default().into_iter().filter_map(|o| o.key));
    }
    keys
}

/// The code and HTTP status of a refusal.
pub(super) fn refusal<T: std::fmt::Debug, E>(
    result: Result<T, SdkError<E, aws_sdk_s3::config::http::HttpResponse>>,
) -> (String, u16)
where
    SdkError<E, aws_sdk_s3::config::http::HttpResponse>: aws_sdk_s3::error::ProvideErrorMetadata,
{
    let error = result.map(|_| ()).unwrap_err();
    let status = error.raw_response().map_or(0, |response| response.status().as_u16());
    (error.code().unwrap_or_default().to_owned(), status)
}

fn files_below(dir: &Path) -> usize {
    let entries = std::fs::read_dir(dir).unwrap().map(Result::unwrap);
    entries.map(|e| if e.path().is_dir() { files_below(&e.path()) } else { 1 }).sum()
}

#[tokio::test]
async fn what_is_put_is_got_also_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let (server, client) = started(dir.path()).await;
    let (access, secret) = (server.access_key().to_owned(), server.secret_key().to_owned());
    let blob = format!("blobs/sha256/{}", "ab".repeat(32));
    let large: Vec<u8> = (0..5_000_000_u32).flat_map(|n| (n % 251).to_le_bytes()).collect();
    let tag = put(&client, &blob, "hello").await;
    put(&client, "exports/large.bin", large.clone()).await;
    put(&client, "empty", "").await;
    // What a directory tree could not hold side by side.
    for key in ["a", "a/b", "a/b/c", "A", "with space/é+&=%2F", &"k".repeat(900)] {
        put(&client, key, key).await;
    }
    let typed = client.put_object().bucket(BUCKET).key("typed").content_type("application/json");
    typed.metadata("note", "n").body(ByteStream::from_static(b"{}")).send().await.unwrap();
    server.stop().await;

    let server = self::server(dir.path()).await;
    assert_eq!((server.access_key(), server.secret_key()), (access.as_str(), secret.as_str()));
    let client = self::client(&server);
    assert_eq!(get(&client, &blob).await, b"hello");
    assert!(get(&client, "exports/large.bin").await == large);
    assert_eq!(get(&client, "empty").await, b"");
    for key in ["a", "a/b", "a/b/c", "A", "with space/é+&=%2F", &"k".repeat(900)] {
        assert_eq!(get(&client, key).await, key.as_bytes());
    }
    let head = client.head_object().bucket(BUCKET).key("typed").send().await.unwrap();
    assert_eq!(head.content_type(), Some("application/json"));
    assert_eq!(head.metadata().unwrap()["note"], "n");
    assert_eq!(head.content_length(), Some(2));
    // Equal bytes, equal tag.
    assert_eq!(put(&client, "other", "hello").await, tag);
    assert!(tag.starts_with('"') && tag.ends_with('"') && tag.len() == 68, "{tag}");
    server.stop().await;
}

#[tokio::test]
async fn ranges() {
    let dir = tempfile::tempdir().unwrap();
    let (_server, client) = started(dir.path()).await;
    let large = vec![7; 1_000_000];
    put(&client, "digits", "0123456789").await;
    put(&client, "large", large).await;
    let range = async |key: &str, range: &str| {
        let request = client.get_object().bucket(BUCKET).key(key).range(range);
        let found = request.send().await.unwrap();
        let range = found.content_range.clone().unwrap();
        (found.body.collect().await.unwrap().to_vec(), range)
    };
    assert_eq!(range("digits", "bytes=2-4").await, (b"234".to_vec(), "bytes 2-4/10".into()));
    assert_eq!(range("digits", "bytes=8-").await, (b"89".to_vec(), "bytes 8-9/10".into()));
    assert_eq!(range("digits", "bytes=-3").await, (b"789".to_vec(), "bytes 7-9/10".into()));
    assert_eq!(range("large", "bytes=10-800009").await.0.len(), 800_000);
    let beyond = client.get_object().bucket(BUCKET).key("digits").range("bytes=10-").send().await;
    assert_eq!(refusal(beyond), ("InvalidRange".into(), 416));
}

#[tokio::test]
async fn listings_are_sorted_paged_and_kept_up_to_date() {
    let dir = tempfile::tempdir().unwrap();
    let (server, client) = started(dir.path()).await;
    let mut wanted: Vec<String> = (0..25).map(|n| format!("blobs/{n:02}")).collect();
    for key in &wanted {
        put(&client, key, key.as_bytes()).await;
    }
    put(&client, "exports/x/1", "1").await;
    assert_eq!(keys(&client, "blobs/", 1000).await, wanted);
    assert_eq!(keys(&client, "blobs/", 7).await, wanted);
    // The set of keys is in memory now.
    put(&client, "blobs/new", "n").await;
    client.delete_object().bucket(BUCKET).key("blobs/03").send().await.unwrap();
    wanted.remove(3);
    wanted.push("blobs/new".into());
    assert_eq!(keys(&client, "blobs/", 10).await, wanted);
    let top = client.list_objects_v2().bucket(BUCKET).delimiter("/").send().await.unwrap();
    let shared: Vec<_> = top.common_prefixes().iter().filter_map(|p| p.prefix()).collect();
    assert_eq!(shared, ["blobs/", "exports/"]);
    let first = client.list_objects_v2().bucket(BUCKET).max_keys(1).send().await.unwrap();
    assert_eq!(first.contents()[0].size(), Some(8));
    assert_eq!(first.is_truncated(), Some(true));
    let identifier = |key: &String| ObjectIdentifier::builder().key(key).build().unwrap();
    let all = Delete::builder().set_objects(Some(wanted.iter().map(identifier).collect()));
    let all = all.build().unwrap();
    client.delete_objects().bucket(BUCKET).delete(all).send().await.unwrap();
    server.stop().await;
    let server = self::server(dir.path()).await;
    assert_eq!(keys(&self::client(&server), "", 1000).await, ["exports/x/1"]);
}

#[tokio::test]
async fn of_many_conditional_puts_one_wins() {
    let dir = tempfile::tempdir().unwrap();
    let (_server, client) = started(dir.path()).await;
    for round in 0..20 {
        let key = format!("blobs/{round}");
        let puts = (0..8).map(|n| {
            let body = ByteStream::from(format!("{n}").into_bytes());
            client.put_object().bucket(BUCKET).key(&key).if_none_match("*").body(body).send()
        });
        let results = futures::future::join_all(puts).await;
        let winner = results.iter().position(Result::is_ok).unwrap();
        assert_eq!(get(&client, &key).await, winner.to_string().as_bytes());
        let lost: Vec<_> = results.into_iter().filter(Result::is_err).map(refusal).collect();
        assert_eq!(lost, vec![("PreconditionFailed".to_owned(), 412); 7]);
    }
    let tag = put(&client, "k", "1").await;
    let swap = |tag: String| {
        let body = ByteStream::from_static(b"2");
        client.put_object().bucket(BUCKET).key("k").if_match(tag).body(body).send()
    };
    swap(tag.clone()).await.unwrap();
    assert_eq!(refusal(swap(tag).await), ("PreconditionFailed".into(), 412));
}

#[tokio::test]
async fn refusals_have_their_names() {
    let dir = tempfile::tempdir().unwrap();
    let (server, client) = started(dir.path()).await;
    let missing = client.get_object().bucket(BUCKET).key("none").send().await;
    assert_eq!(refusal(missing), ("NoSuchKey".into(), 404));
    let nowhere = client.get_object().bucket("nowhere").key("k").send().await;
    assert_eq!(refusal(nowhere), ("NoSuchBucket".into(), 404));
    assert!(client.head_bucket().bucket("nowhere").send().await.is_err());
    client.head_bucket().bucket(BUCKET).send().await.unwrap();
    let again = client.create_bucket().bucket(BUCKET).send().await;
    assert_eq!(refusal(again), ("BucketAlreadyOwnedByYou".into(), 409));
    let wrong = client_with(&server, "not the secret").list_buckets().send().await;
    assert_eq!(refusal(wrong), ("SignatureDoesNotMatch".into(), 403));
    for key in ["a/../../../etc/passwd", "..", "a/./b", "line\nbreak"] {
        let body = ByteStream::from_static(b"x");
        let put = client.put_object().bucket(BUCKET).key(key).body(body).send().await;
        assert_eq!(
            put.map_err(|e| e.raw_response().map(|r| r.status().as_u16())).map(|_| ()),
            Err(Some(400)),
            "{key}"
        );
    }
    let too_long = "k".repeat(1025);
    assert!(client.head_object().bucket(BUCKET).key(too_long).send().await.is_err());
    assert_eq!(keys(&client, "", 1000).await, Vec::<String>::new());
}

#[tokio::test]
async fn unsigned_requests_are_refused_and_presigned_ones_are_not() {
    let dir = tempfile::tempdir().unwrap();
    let (server, client) = started(dir.path()).await;
    put(&client, "k", "secret").await;
    let ask = async |path: &str| {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        let head =
            format!("GET {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n", server.address);
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    };
    let anonymous = ask("/world/k").await;
    assert!(anonymous.starts_with("HTTP/1.1 403") && !anonymous.contains("secret"), "{anonymous}");
    let minute = PresigningConfig::expires_in(Duration::from_secs(60)).unwrap();
    let link = client.get_object().bucket(BUCKET).key("k").presigned(minute).await.unwrap();
    let path = link.uri().strip_prefix(&server.endpoint()).unwrap();
    let signed = ask(path).await;
    assert!(signed.starts_with("HTTP/1.1 200") && signed.ends_with("secret"), "{signed}");
    let forged = ask(&path.replace("/k?", "/other?")).await;
    assert!(forged.starts_with("HTTP/1.1 403"), "{forged}");
}

#[tokio::test]
async fn checksums_are_checked() {
    let dir = tempfile::tempdir().unwrap();
    let (_server, client) = started(dir.path()).await;
    let put = |key: &str| client.put_object().bucket(BUCKET).key(key).body(b"x".to_vec().into());
    for algorithm in [ChecksumAlgorithm::Crc32, ChecksumAlgorithm::Sha256] {
        put("good").checksum_algorithm(algorithm).send().await.unwrap();
    }
    let wrong = put("bad").checksum_crc32("AAAAAA==").send().await;
    assert_eq!(refusal(wrong), ("BadDigest".into(), 400));
    let wrong = put("bad").content_md5("AAAAAAAAAAAAAAAAAAAAAA==").send().await;
    assert_eq!(refusal(wrong), ("BadDigest".into(), 400));
    assert_eq!(keys(&client, "", 1000).await, ["good"]);
}

#[tokio::test]
async fn an_upload_that_breaks_off_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (server, client) = started(dir.path()).await;
    let minute = PresigningConfig::expires_in(Duration::from_secs(60)).unwrap();
    let link = client.put_object().bucket(BUCKET).key("k").presigned(minute).await.unwrap();
    let path = link.uri().strip_prefix(&server.endpoint()).unwrap();
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let head = format!(
        "PUT {path} HTTP/1.1\r\nhost: {}\r\ncontent-length: 9000000\r\n\r\n",
        server.address
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&vec![1; 4_000_000]).await.unwrap();
    drop(stream);
    server.stop().await;
    assert_eq!(files_below(&dir.path().join("tmp")), 0);
    assert_eq!(files_below(&dir.path().join("buckets")), 0);
}

#[tokio::test]
async fn a_file_cut_short_is_no_object_and_can_be_put_again() {
    let dir = tempfile::tempdir().unwrap();
    let (_server, client) = started(dir.path()).await;
    put(&client, "k", "hello").await;
    let file = index::Place::of("k").path(&dir.path().join("buckets").join(BUCKET));
    std::fs::OpenOptions::new().write(true).open(&file).unwrap().set_len(9).unwrap();
    let torn = client.get_object().bucket(BUCKET).key("k").send().await;
    assert_eq!(refusal(torn), ("NoSuchKey".into(), 404));
    let body = ByteStream::from_static(b"hello");
    let again = client.put_object().bucket(BUCKET).key("k").if_none_match("*").body(body);
    again.send().await.unwrap();
    assert_eq!(get(&client, "k").await, b"hello");
}

/// On a disk of 2 MiB, which root can have.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_full_disk_is_told_and_harms_nothing() {
    struct Disk(tempfile::TempDir);
    impl Drop for Disk {
        fn drop(&mut self) {
            let _ = std::process::Command::new("umount").arg(self.0.path()).status();
        }
    }
    let dir = Disk(tempfile::tempdir().unwrap());
    let dir = &dir.0;
    let mounted = std::process::Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=2m", "tmpfs"])
        .arg(dir.path())
        .status();
    if !mounted.is_ok_and(|status| status.success()) {
        println!("skipped: no right to mount a small disk");
        return;
    }
    let (server, client) = started(dir.path()).await;
    put(&client, "before", "kept").await;
    for size in [2_050_000, 3_000_000] {
        put(&client, "before2", vec![1; 100_000]).await;
        let put = client.put_object().bucket(BUCKET).key("large").body(vec![1; size].into());
        let full = put.send().await;
        let message = full.as_ref().unwrap_err().message().unwrap_or_default().to_owned();
        assert!(message.contains("the disk is full"), "{message}");
        assert_eq!(refusal(full), ("InsufficientStorage".into(), 507));
    }
    assert_eq!(files_below(&dir.path().join("tmp")), 0);
    assert_eq!(get(&client, "before").await, b"kept");
    assert_eq!(keys(&client, "", 1000).await, ["before", "before2"]);
    put(&client, "after", vec![1; 100_000]).await;
    server.stop().await;
}

#[tokio::test]
async fn a_taken_port_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let first = server(&dir.path().join("1")).await;
    let second = EmbeddedS3::start(&dir.path().join("2"), first.address).await;
    let message = second.unwrap_err().to_string();
    assert!(message.contains(&first.address.to_string()), "{message}");
    assert!(message.lines().nth(1).unwrap().starts_with("hint: "), "{message}");
}
