//! distribution-spec 1.1, "Pull" and "Push" (which is refused).
use super::repository::{MANIFEST, Repository, assert_refused, digest};
use crate::support::Answer;
use api::auth::Role;
use reqwest::Method;

#[tokio::test]
async fn determining_support() {
    let repository = Repository::open("registry_ping").await;
    let refused = repository.get("/v2/").await;
    assert_refused(&refused, 401, "UNAUTHORIZED");
    let address = repository.api.address;
    let challenge = format!("Bearer realm=\"http://{address}/v2/token\",service=\"wavetank\"");
    assert_eq!(refused.header("www-authenticate"), challenge);
    let token = repository.api.sign_in(Role::Viewer, None).await;
    let answer = repository.api.get_as(&token, "/v2/").await;
    assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, "application/json"));
    assert_eq!(answer.header("docker-distribution-api-version"), "registry/2.0");
}

#[tokio::test]
async fn pulling_manifests() {
    let repository = Repository::open("registry_manifests").await;
    let (name, text) = (repository.digest(), String::from_utf8_lossy(&repository.manifest));
    for reference in ["latest", "1.1.0", "1.1", "1", &name] {
        let path = format!("/v2/nginx/manifests/{reference}");
        // skopeo sends its media types as so many header lines; none of them changes the answer.
        let request = repository.request(Method::GET, &path);
        let request =
            request.header("Accept", "application/vnd.docker.distribution.manifest.v2+json");
        let request = request.header("Accept", MANIFEST).header("Accept-Encoding", "gzip");
        let answer = Answer::of(request.send().await.unwrap()).await;
        assert_eq!((answer.status.as_u16(), answer.text.as_str()), (200, &*text), "{reference}");
        assert_eq!(answer.header("content-type"), MANIFEST);
        assert_eq!(answer.header("docker-content-digest"), name);
        assert!(!answer.headers.contains_key("content-encoding"));
        let head = repository.head(&path).await;
        assert_eq!((head.status.as_u16(), head.text.as_str()), (200, ""), "{reference}");
        for header in ["content-type", "content-length", "docker-content-digest", "etag"] {
            assert_eq!(head.header(header), answer.header(header), "{header}");
        }
        assert_eq!(head.header("content-length"), text.len().to_string());
        let again =
            repository.request(Method::GET, &path).header("If-None-Match", head.header("etag"));
        let again = Answer::of(again.send().await.unwrap()).await;
        assert_eq!((again.status.as_u16(), again.text.as_str()), (304, ""));
    }
}

#[tokio::test]
async fn pulling_manifests_if_the_manifest_is_not_found_404() {
    let repository = Repository::open("registry_no_manifest").await;
    let token = repository.api.sign_in(Role::Viewer, None).await;
    let other = digest(b"other");
    for reference in ["nosuch", "1.9", &other, &format!("sha512:{}", "0".repeat(128))] {
        let path = format!("/v2/nginx/manifests/{reference}");
        assert_refused(&repository.api.get_as(&token, &path).await, 404, "MANIFEST_UNKNOWN");
        assert_eq!(repository.head(&path).await.status, 404);
    }
    let elsewhere = format!("/v2/redis/manifests/{}", repository.digest());
    assert_refused(&repository.get(&elsewhere).await, 404, "MANIFEST_UNKNOWN");
    let unknown = repository.api.get_as(&token, "/v2/nosuch/manifests/latest").await;
    assert_refused(&unknown, 404, "NAME_UNKNOWN");
}

#[tokio::test]
async fn pulling_blobs() {
    let repository = Repository::open("registry_blobs").await;
    for content in [&repository.config, &repository.layer] {
        let name = digest(content);
        let path = format!("/v2/nginx/blobs/{name}");
        let request = repository.request(Method::GET, &path).header("Accept-Encoding", "gzip");
        let answer = request.send().await.unwrap();
        assert_eq!(answer.headers()["content-length"], content.len().to_string());
        assert_eq!(answer.headers()["docker-content-digest"], name);
        assert!(!answer.headers().contains_key("content-encoding"));
        assert_eq!(answer.bytes().await.unwrap(), *content);
        let head = repository.head(&path).await;
        assert_eq!(head.header("content-length"), content.len().to_string());
        assert_eq!((head.status.as_u16(), head.header("docker-content-digest")), (200, &*name));
        let again =
            repository.request(Method::GET, &path).header("If-None-Match", head.header("etag"));
        assert_eq!(again.send().await.unwrap().status(), 304);
    }
    // What is stored compressed goes out as the bytes of its digest.
    for name in &repository.bundles {
        let path = format!("/v2/nginx/blobs/{name}");
        assert_eq!(digest(&repository.bytes(&path).await), *name);
    }
}

#[tokio::test]
async fn pulling_blobs_if_the_blob_is_not_found_404() {
    let repository = Repository::open("registry_no_blob").await;
    let layer = digest(&repository.layer);
    for path in [
        format!("/v2/nginx/blobs/{}", digest(b"other")),
        format!("/v2/nginx/blobs/sha512:{}", "0".repeat(128)),
        // Of another repository, or of later than is asked about.
        format!("/v2/redis/blobs/{layer}"),
        format!("/v2/as-of/20260112t020000z/nginx/blobs/{layer}"),
    ] {
        assert_refused(&repository.get(&path).await, 404, "BLOB_UNKNOWN");
        assert_eq!(repository.head(&path).await.status, 404, "{path}");
    }
    let bad = repository.get("/v2/nginx/blobs/sha256:xyz").await;
    assert_refused(&bad, 400, "DIGEST_INVALID");
    // Lost: it is in a row, and not in the store.
    repository.api.objects.delete(&store::objects::content_key(&layer[7..])).await.unwrap();
    let lost = repository.get(&format!("/v2/nginx/blobs/{layer}")).await;
    assert_refused(&lost, 404, "BLOB_UNKNOWN");
}

#[tokio::test]
async fn pulling_blobs_in_ranges() {
    let repository = Repository::open("registry_ranges").await;
    for content in [&repository.config, &repository.layer] {
        let (name, bytes) = (digest(content), content.len());
        let path = format!("/v2/nginx/blobs/{name}");
        let ask = async |range: &str, tag: &str| {
            let request = repository.request(Method::GET, &path).header("Range", range);
            let answer = request.header("If-Range", tag).send().await.unwrap();
            let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
            let range =
                headers.get("content-range").map(|range| range.to_str().unwrap().to_owned());
            (status, range.unwrap_or_default(), answer.bytes().await.unwrap())
        };
        let tag = format!("\"{name}\"");
        for (range, from, until) in [
            ("bytes=0-0".to_owned(), 0, 1),
            ("bytes=10-".to_owned(), 10, bytes),
            ("bytes=-5".to_owned(), bytes - 5, bytes),
            ("bytes=3-18446744073709551615".to_owned(), 3, bytes),
            (format!("bytes={}-{}", bytes - 1, bytes - 1), bytes - 1, bytes),
        ] {
            let (status, told, part) = ask(&range, &tag).await;
            assert_eq!((status, &part[..]), (206, &content[from..until]), "{range}");
            assert_eq!(told, format!("bytes {from}-{}/{bytes}", until - 1));
        }
        let (status, told, _) = ask(&format!("bytes={bytes}-"), &tag).await;
        assert_eq!((status, told), (416, format!("bytes */{bytes}")));
        for (range, tag) in [("bytes=0-0", "\"other\""), ("bytes=0-1,3-4", &*tag), ("x=0-1", &*tag)]
        {
            let (status, _, whole) = ask(range, tag).await;
            assert_eq!((status, &whole[..]), (200, &content[..]), "{range}");
        }
    }
    // A part of what is stored compressed.
    let whole = repository.bytes(&format!("/v2/nginx/blobs/{}", repository.bundles[0])).await;
    let path = format!("/v2/nginx/blobs/{}", repository.bundles[0]);
    let request = repository.request(Method::GET, &path).header("Range", "bytes=100-199");
    assert_eq!(request.send().await.unwrap().bytes().await.unwrap(), whole[100..200]);
}

/// The registry is read-only: "Error Codes", UNSUPPORTED.
#[tokio::test]
async fn pushing_deleting_and_mounting_are_unsupported() {
    let repository = Repository::open("registry_push").await;
    let (name, layer) = (repository.digest(), digest(&repository.layer));
    for (method, path) in [
        (Method::POST, "/v2/nginx/blobs/uploads/".to_owned()),
        (Method::POST, format!("/v2/redis/blobs/uploads/?mount={layer}&from=nginx")),
        (Method::PATCH, "/v2/nginx/blobs/uploads/1".to_owned()),
        (Method::PUT, format!("/v2/nginx/blobs/uploads/1?digest={layer}")),
        (Method::PUT, "/v2/nginx/manifests/latest".to_owned()),
        (Method::DELETE, format!("/v2/nginx/manifests/{name}")),
        (Method::DELETE, format!("/v2/nginx/blobs/{layer}")),
        (Method::PUT, "/v2/nosuch/manifests/latest".to_owned()),
        (Method::POST, "/v2/token".to_owned()),
    ] {
        let request = repository.request(method.clone(), &path).body(vec![0; 100_000]);
        let answer = Answer::of(request.send().await.unwrap()).await;
        assert_refused(&answer, 405, "UNSUPPORTED");
        assert_eq!(answer.header("allow"), "GET, HEAD", "{method} {path}");
    }
}
