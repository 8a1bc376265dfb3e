//! How many small objects the embedded S3 endpoint stores a second, client and server together.
use bytes::Bytes;
use embedded::{EmbeddedS3, S3Durability};
use futures::{StreamExt, stream};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Instant;
use store::objects::{ObjectStore, Settings};

const PUTS: usize = 10_000;

/// Puts of 4 KiB a second, for each durability and several at once.
pub(crate) async fn puts() {
    // Kept to the end: for some seconds ext4 searches long for inodes that were not just freed.
    let mut dirs = Vec::new();
    for durability in [S3Durability::Cached, S3Durability::Synced] {
        for concurrency in [16, 64, 1] {
            let dir = super::directory("wavetank-objects-");
            let any_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
            let server = EmbeddedS3::start_with(dir.path(), any_port, durability).await;
            let server = server.expect("the endpoint starts");
            let settings = Settings {
                endpoint: server.endpoint(),
                region: "us-east-1".into(),
                bucket: "bench".into(),
                access_key: server.access_key().into(),
                secret_key: server.secret_key().into(),
            };
            let objects = ObjectStore::connect(&settings).await.expect("a bucket");
            let puts = if concurrency == 1 { PUTS / 10 } else { PUTS };
            let since = Instant::now();
            let work = stream::iter(0..puts).map(|n| {
                let objects = objects.clone();
                tokio::spawn(async move {
                    let mut body = vec![b'x'; 4096];
                    body[..8].copy_from_slice(&n.to_le_bytes());
                    objects.put(&format!("bench/{n:08}"), Bytes::from(body), "text/plain").await
                })
            });
            let done = work.buffer_unordered(concurrency);
            done.for_each(async |put| put.expect("no panic").expect("a put")).await;
            let rate = puts as f64 / since.elapsed().as_secs_f64();
            println!("{durability:?}, {concurrency} at once: {rate:.0} puts of 4 KiB a second");
            server.stop().await;
            dirs.push(dir);
        }
    }
}
