//! Documents: the list of a build's, and the bytes.
use crate::support::{
    Answer, Api, LOG, LOG_SHA256, NGINX_BUILD, PACKED, SPDX_SHA256, packed_sha256, signed_note,
};
use reqwest::Method;
use store::logs::Log;
use store::objects::NewObject;

#[tokio::test]
async fn a_build_lists_its_documents_once_it_has_ended() {
    let api = Api::start("artifacts_list").await;
    let list = api.get(&format!("/v1/builds/{NGINX_BUILD}/artifacts")).await.json();
    assert_eq!(list["items"][0]["kind"], "log");
    assert_eq!(list["items"][0]["href"], format!("/v1/artifacts/{LOG_SHA256}"));
    assert_eq!(list["items"][1]["media_type"], "application/spdx+json");
    let path = format!("/v1/builds/{NGINX_BUILD}/artifacts?as_of=2026-01-12T02:15:00Z");
    assert_eq!(api.get(&path).await.json()["items"].as_array().unwrap().len(), 0);
    api.get("/v1/builds/99/artifacts").await.problem(404, "build_not_found");
}

#[tokio::test]
async fn a_document_is_what_was_stored() {
    let api = Api::start("artifacts_get").await;
    let path = format!("/v1/artifacts/{LOG_SHA256}");
    let answer = api.get(&path).await;
    assert_eq!((answer.status.as_u16(), answer.text.as_str()), (200, LOG));
    assert_eq!(answer.header("content-type"), "text/plain");
    assert_eq!(answer.header("content-length"), LOG.len().to_string());
    assert_eq!(answer.header("etag"), format!("\"{LOG_SHA256}\""));
    assert_eq!(answer.header("content-disposition"), "inline; filename=\"base-os-1-log.txt\"");
    assert!(answer.header("content-security-policy").contains("sandbox"));
    assert!(answer.header("cache-control").contains("immutable"));

    let request = api.request(Method::GET, &path).header("If-None-Match", answer.header("etag"));
    let unchanged = Answer::of(request.send().await.unwrap()).await;
    assert_eq!((unchanged.status.as_u16(), unchanged.text.as_str()), (304, ""));
    let head = Answer::of(api.request(Method::HEAD, &path).send().await.unwrap()).await;
    assert_eq!((head.status.as_u16(), head.header("content-length")), (200, "31"));
}

#[tokio::test]
async fn unchanged_texts_are_not_sent_again() {
    let api = Api::start("artifacts_texts").await;
    let note = |size| {
        let (objects, text) = (&api.objects, signed_note(Log::Transparency, size));
        async move { objects.put("log/checkpoint", text.into(), "text/plain").await.unwrap() }
    };
    note(1).await;
    let log = format!("/v1/builds/{NGINX_BUILD}/log");
    for path in [log.as_str(), "/v1/logs/transparency/checkpoint"] {
        let first = api.get(path).await;
        assert!(first.header("content-type").starts_with("text/plain"), "{path}");
        let tag = first.header("etag").to_owned();
        assert_eq!((first.status.as_u16(), tag.len()), (200, 34), "{path}");
        assert_eq!(first.header("cache-control"), "private, no-cache");
        let again = api.request(Method::GET, path).header("If-None-Match", &tag);
        let again = Answer::of(again.send().await.unwrap()).await;
        assert_eq!((again.status.as_u16(), again.text.as_str()), (304, ""), "{path}");
        assert_eq!(again.header("etag"), tag);
        let other = api.request(Method::GET, path).header("If-None-Match", "\"other\"");
        assert_eq!(Answer::of(other.send().await.unwrap()).await.text, first.text);
    }
    let path = "/v1/logs/transparency/checkpoint";
    let old = api.get(path).await.header("etag").to_owned();
    note(2).await;
    let newer = api.request(Method::GET, path).header("If-None-Match", old);
    let newer = Answer::of(newer.send().await.unwrap()).await;
    let two = signed_note(Log::Transparency, 2);
    assert_eq!((newer.status.as_u16(), newer.text.as_str()), (200, two.as_str()));
}

#[tokio::test]
async fn a_compressed_document_is_sent_in_an_accepted_encoding() {
    let api = Api::start("artifacts_packed").await;
    let (sha256, path) = (packed_sha256(), format!("/v1/artifacts/{}", packed_sha256()));
    let plain = api.get(&path).await;
    assert_eq!((plain.status.as_u16(), plain.text.as_str()), (200, PACKED));
    assert_eq!(plain.header("etag"), format!("\"{sha256}\""));
    assert!(!plain.headers.contains_key("content-encoding"));
    let asked = api.request(Method::GET, &path).header("Accept-Encoding", "gzip");
    let answer = asked.send().await.unwrap();
    assert_eq!(answer.headers()["content-encoding"], "gzip");
    assert_eq!(answer.headers()["etag"], format!("W/\"{sha256}\""));
    assert_eq!(answer.headers()["vary"], "Accept-Encoding");
    let bytes = answer.bytes().await.unwrap();
    assert_eq!(documents::gzip::decompress(&bytes, 100).unwrap(), PACKED.as_bytes());
}

#[tokio::test]
async fn only_build_artifacts_are_served() {
    let api = Api::start("artifacts_missing").await;
    for address in [
        "0".repeat(64).as_str(),
        "x",
        LOG_SHA256.to_uppercase().as_str(),
        "..%2F..%2Fcredentials.json",
        "%00",
        "%FF",
    ] {
        let answer = api.get(&format!("/v1/artifacts/{address}")).await;
        let code =
            if address == "%FF" { (400, "invalid_parameter") } else { (404, "artifact_not_found") };
        answer.problem(code.0, code.1);
    }
    // In the table, but not in the store: it says nothing about where it looked.
    let lost = api.get(&format!("/v1/artifacts/{SPDX_SHA256}")).await;
    lost.problem(410, "document_damaged");
    assert!(!lost.text.contains("blobs"));
}

/// What is left of an object: its bytes, and whether those are gzip; or nothing.
type Damaged = Option<(Vec<u8>, bool)>;

#[tokio::test]
async fn a_lost_or_damaged_document_is_a_problem_of_its_own() {
    let api = Api::start("artifacts_damaged").await;
    let log = format!("/v1/builds/{NGINX_BUILD}/log");
    let note = "/v1/logs/transparency/checkpoint";
    let whole = signed_note(Log::Transparency, 2);
    api.objects.put("log/checkpoint", whole.clone().into(), "text/plain").await.unwrap();
    assert_eq!(api.get(note).await.status, 200);
    let packed = packed_sha256();
    let flipped = |text: &str, bit: u8| {
        let mut bytes = text.as_bytes().to_vec();
        let middle = bytes.len() / 2;
        bytes[middle] ^= bit;
        bytes
    };
    let gzip = |text: &str| documents::gzip::compress_fast(text.as_bytes());
    let mut torn = gzip(PACKED);
    torn.truncate(torn.len() - 3);
    let cases: [(&str, String, Vec<Damaged>); 3] = [
        (
            &format!("blobs/sha256/{LOG_SHA256}"),
            log,
            vec![
                Some((flipped(LOG, 1), false)),
                Some((LOG.as_bytes()[..9].to_vec(), false)),
                Some((Vec::new(), false)),
                None,
            ],
        ),
        (
            &format!("blobs/sha256/{packed}"),
            format!("/v1/artifacts/{packed}"),
            vec![
                // Good gzip of other bytes, of the same size; gzip that is cut; nothing.
                Some((gzip(std::str::from_utf8(&flipped(PACKED, 1)).unwrap()), true)),
                Some((torn, true)),
                None,
            ],
        ),
        ("log/checkpoint", note.to_owned(), vec![Some((flipped(&whole, 1), false)), None]),
    ];
    sqlx::query("INSERT INTO logs VALUES ('transparency', 'log', 2, $1, 2)")
        .bind([0_u8; 32].as_slice())
        .execute(&api.pool)
        .await
        .unwrap();
    for (key, path, damages) in cases {
        for damage in damages {
            api.objects.delete(key).await.unwrap();
            let what = format!("{key} as {damage:?}");
            if let Some((bytes, packed)) = damage {
                let bytes = bytes.into();
                let new =
                    NewObject { key: key.to_owned(), bytes, media_type: "text/plain", packed };
                api.objects.put_all(vec![new]).await.unwrap();
            }
            for encoding in ["identity", "gzip"] {
                let asked = api.request(Method::GET, &path).header("Accept-Encoding", encoding);
                let answer = Answer::unpacked(asked.send().await.unwrap()).await;
                assert_eq!(answer.status.as_u16(), 410, "{what}: {}", answer.text);
                let problem = answer.problem(410, "document_damaged");
                assert!(problem["hint"].as_str().unwrap().contains("wavetank repair"), "{what}");
                assert!(!answer.text.contains("blobs"), "{what}");
            }
        }
    }
}
