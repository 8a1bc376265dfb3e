//! Objects in a foreign S3 endpoint: round trips, listings, and the errors of each failure.
use super::support::foreign_s3;
use bytes::Bytes;
use store::objects::{CONTENT_PREFIX, NewObject, ObjectError, ObjectStore, content_key};

#[tokio::test]
async fn content_round_trips() {
    let (endpoint, objects) = foreign_s3::store().await;
    let sha256 = objects.put_content("hello".into(), "text/plain").await.unwrap();
    assert_eq!(sha256, "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824");
    let key = content_key(&sha256);
    assert_eq!(objects.get(&key, 5).await.unwrap(), "hello");
    let again = objects.put_content("hello".into(), "text/plain").await.unwrap();
    assert_eq!(again, sha256);
    let mut reading = objects.open(&key, Some("bytes=1-3")).await.unwrap();
    assert_eq!(reading.bytes, 3);
    assert_eq!(reading.chunk().await.unwrap().unwrap(), "ell");
    assert!(reading.chunk().await.unwrap().is_none());
    // The bucket is there already, and so are its objects.
    let second = ObjectStore::connect(&endpoint.settings).await.unwrap();
    assert_eq!(second.get(&key, 5).await.unwrap(), "hello");
}

#[tokio::test]
async fn reads_are_bounded_and_verified() {
    let (_endpoint, objects) = foreign_s3::store().await;
    let sha256 = objects.put_content("hello".into(), "text/plain").await.unwrap();
    let key = content_key(&sha256);
    let error = objects.get(&key, 4).await.unwrap_err();
    assert!(matches!(error, ObjectError::TooLarge { limit_bytes: 4, .. }), "{error}");
    objects.put(&key, "hullo".into(), "text/plain").await.unwrap();
    let error = objects.get(&key, 100).await.unwrap_err();
    assert!(matches!(error, ObjectError::Corrupt { .. }), "{error}");
    let missing = objects.get(&content_key(&"0".repeat(64)), 100).await.unwrap_err();
    assert!(matches!(missing, ObjectError::Missing { .. }), "{missing}");
}

#[tokio::test]
async fn listing_covers_all_pages_in_order() {
    let (_endpoint, objects) = foreign_s3::store().await;
    let many: Vec<_> = (0..1_100)
        .rev()
        .map(|n| NewObject {
            key: format!("{CONTENT_PREFIX}{n:064}"),
            bytes: Bytes::from(vec![b'x'; n % 7]),
            media_type: "text/plain",
            packed: false,
        })
        .collect();
    objects.put_all(many).await.unwrap();
    objects.put("other", "1".into(), "text/plain").await.unwrap();
    let listed = objects.list(CONTENT_PREFIX).await.unwrap();
    assert_eq!(listed.len(), 1_100);
    assert!(listed.is_sorted());
    assert_eq!(listed[10].key, format!("{CONTENT_PREFIX}{:064}", 10));
    assert_eq!(listed[10].bytes, 3);
    assert_eq!(objects.list("").await.unwrap().len(), 1_101);
}

#[tokio::test]
async fn a_wrong_secret_is_reported() {
    let endpoint = foreign_s3::start().await;
    let mut settings = endpoint.settings.clone();
    settings.secret_key = "wrong".into();
    let error = ObjectStore::connect(&settings).await.unwrap_err();
    assert!(matches!(error, ObjectError::Refused { .. }), "{error}");
    let message = error.to_string();
    assert!(message.contains("refused the credentials"), "{message}");
    assert!(message.contains("hint: check S3_ACCESS_KEY and S3_SECRET_KEY"), "{message}");
    assert!(!format!("{settings:?}{message}").contains("wrong"), "a message contains the secret");
}

#[tokio::test]
async fn an_unreachable_endpoint_is_reported() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let endpoint = foreign_s3::start().await;
    let mut settings = endpoint.settings.clone();
    settings.endpoint = format!("http://{address}");
    let error = ObjectStore::connect(&settings).await.unwrap_err();
    assert!(matches!(error, ObjectError::Unreachable { .. }), "{error:?}");
    let message = error.to_string();
    assert!(message.contains("does not answer: Connection refused"), "{message}");
}
