//! What clients such as s3cmd, rclone and boto3 ask beside what our own asks: the first version of
//! listings, encoded keys, access lists, payloads that are not signed.

use std::{collections::BTreeSet, io::Write as _};

use aws_sdk_s3::{
    Client,
    primitives::ByteStream,
    types::{ChecksumAlgorithm, EncodingType, ObjectCannedAcl},
};

use super::tests::{BUCKET, get, put, refusal, started};

/// All keys and groups by the first version of listings, page by page as its clients go on: with
/// the marker that is told, or else with the last key.
async fn listed(client: &Client, prefix: &str, delimiter: Option<&str>, page: i32) -> Vec<String> {
    let mut found = Vec::new();
    let mut marker = None;
    for _ in 0..100 {
        let request = client.list_objects().bucket(BUCKET).prefix(prefix).max_keys(page);
        let request = request.set_delimiter(delimiter.map(str::to_owned)).set_marker(marker);
        let answer = request.send().await.unwrap();
        let keys = answer.contents().iter().filter_map(|object| object.key());
        let groups = answer.common_prefixes().iter().filter_map(|group| group.prefix());
        let told: BTreeSet<&str> = keys.chain(groups).collect();
        assert!(told.len() <= usize::try_from(page).unwrap());
        found.extend(told.iter().map(|&text| text.to_owned()));
        if answer.is_truncated() != Some(true) {
            return found;
        }
        let last = told.last().map(|&text| text.to_owned());
        marker = answer.next_marker().map(str::to_owned).or(last);
    }
    panic!("the listing does not end: {found:?}");
}

#[tokio::test]
async fn listings_of_the_first_version_have_pages() {
    let dir = tempfile::tempdir().unwrap();
    let (_server, client) = started(dir.path()).await;
    let keys = ["a", "b/1", "b/2", "b/x/1", "c", "d/1", "e", "f/1"];
    for key in keys {
        put(&client, key, key).await;
    }
    for page in [1, 2, 3, 1000] {
        assert_eq!(listed(&client, "", None, page).await, keys, "pages of {page}");
        let groups = ["a", "b/", "c", "d/", "e", "f/"];
        assert_eq!(listed(&client, "", Some("/"), page).await, groups, "pages of {page}");
        assert_eq!(listed(&client, "b/", Some("/"), page).await, ["b/1", "b/2", "b/x/"]);
    }
    // A marker need not be a key.
    let after = client.list_objects().bucket(BUCKET).marker("b/11").send().await.unwrap();
    assert_eq!(after.contents().first().and_then(|object| object.key()), Some("b/2"));
    let nowhere = client.list_objects().bucket("nowhere").send().await;
    assert_eq!(refusal(nowhere), ("NoSuchBucket".into(), 404));
}

#[tokio::test]
async fn keys_are_encoded_when_asked() {
    let dir = tempfile::tempdir().unwrap();
    let (_server, client) = started(dir.path()).await;
    put(&client, "a b+c/\u{e9}&%41", "x").await;
    let encoded = "a%20b%2Bc/%C3%A9%26%2541";
    let first = client.list_objects().bucket(BUCKET).encoding_type(EncodingType::Url);
    let first = first.send().await.unwrap();
    assert_eq!(first.contents()[0].key(), Some(encoded));
    assert_eq!(first.encoding_type(), Some(&EncodingType::Url));
    let second = client.list_objects_v2().bucket(BUCKET).encoding_type(EncodingType::Url);
    let second = second.delimiter("/").prefix("a b").send().await.unwrap();
    assert_eq!(second.common_prefixes()[0].prefix(), Some("a%20b%2Bc/"));
    assert_eq!(second.prefix(), Some("a%20b"));
    assert_eq!(second.encoding_type(), Some(&EncodingType::Url));
    let plain = client.list_objects().bucket(BUCKET).send().await.unwrap();
    assert_eq!(plain.contents()[0].key(), Some("a b+c/\u{e9}&%41"));
    assert_eq!(plain.encoding_type(), None);
    let other = client.list_objects().bucket(BUCKET).encoding_type("base64".into()).send().await;
    assert_eq!(refusal(other), ("InvalidArgument".into(), 400));
}

#[tokio::test]
async fn private_access_lists_are_taken_and_others_are_not() {
    let dir = tempfile::tempdir().unwrap();
    let (_server, client) = started(dir.path()).await;
    let put = |acl: ObjectCannedAcl| {
        let body = ByteStream::from_static(b"x");
        client.put_object().bucket(BUCKET).key("k").acl(acl).body(body).send()
    };
    let public = put(ObjectCannedAcl::PublicRead).await;
    assert_eq!(refusal(public), ("AccessControlListNotSupported".into(), 400));
    assert!(client.head_object().bucket(BUCKET).key("k").send().await.is_err());
    put(ObjectCannedAcl::Private).await.unwrap();
    put(ObjectCannedAcl::BucketOwnerFullControl).await.unwrap();
    let list = client.get_object_acl().bucket(BUCKET).key("k").send().await.unwrap();
    assert_eq!(list.grants().len(), 1);
    assert_eq!(list.grants()[0].permission().map(|one| one.as_str()), Some("FULL_CONTROL"));
    let bucket = client.get_bucket_acl().bucket(BUCKET).send().await.unwrap();
    assert_eq!(bucket.owner(), list.owner());
    let missing = client.get_object_acl().bucket(BUCKET).key("none").send().await;
    assert_eq!(refusal(missing), ("NoSuchKey".into(), 404));
}

#[tokio::test]
async fn payloads_need_not_be_signed() {
    let dir = tempfile::tempdir().unwrap();
    let (_server, client) = started(dir.path()).await;
    // `UNSIGNED-PAYLOAD`, over HTTP.
    let unsigned = client.put_object().bucket(BUCKET).key("unsigned").body(b"1".to_vec().into());
    unsigned.customize().disable_payload_signing().send().await.unwrap();
    assert_eq!(get(&client, "unsigned").await, b"1");
    // `STREAMING-UNSIGNED-PAYLOAD-TRAILER`: from a file, in chunks, with its checksum behind.
    let mut file = tempfile::NamedTempFile::new().unwrap();
    let bytes = vec![7; 300_000];
    file.write_all(&bytes).unwrap();
    let body = ByteStream::from_path(file.path()).await.unwrap();
    let trailer = client.put_object().bucket(BUCKET).key("trailer").content_encoding("gzip");
    let trailer = trailer.checksum_algorithm(ChecksumAlgorithm::Crc32).body(body);
    trailer.send().await.unwrap();
    assert!(get(&client, "trailer").await == bytes);
    // The chunks were the way of sending it, not what it is.
    let head = client.head_object().bucket(BUCKET).key("trailer").send().await.unwrap();
    assert_eq!(head.content_encoding(), Some("gzip"));
}
