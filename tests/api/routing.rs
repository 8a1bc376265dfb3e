//! Odd paths: whatever a path looks like, an operation is answered only to those who may call it, and
//! nothing fails on our side.
use crate::operations::document;
use crate::support::Api;
use api::auth::Role;
use std::collections::BTreeSet;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What stands in the place of a segment, or between two.
const ODD: &[&str] = &[
    "", ".", "..", "%2F", "%2f%2f", "%2E%2E", "%2e", "%00", "%20", "%FF", "%25", "*", ":image",
    "{image}", "nginx", "NGINX", "1", "0", "-1", "a;b", "a=b", "v1", "V1", "latest", "health", "~",
];

/// A path as it is sent, byte for byte: clients of HTTP tidy paths up.
async fn ask(api: &Api, method: &str, path: &str, token: Option<&str>) -> (u16, String) {
    let mut stream = TcpStream::connect(api.address).await.unwrap();
    let token = token.map(|token| format!("Authorization: Bearer {token}\r\n"));
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: x\r\n{}Connection: close\r\nContent-Length: 0\r\n\r\n",
        token.unwrap_or_default()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let mut part = vec![0; 16 * 1024];
    loop {
        let read = stream.read(&mut part).await.unwrap();
        answer.extend_from_slice(&part[..read]);
        // A stream of events has no end.
        let text = String::from_utf8_lossy(&answer);
        if read == 0 || (text.contains("text/event-stream") && text.contains("\r\n\r\n")) {
            break;
        }
    }
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
    (status.unwrap_or_else(|| panic!("{method} {path}: {answer:?}")), answer)
}

/// The paths of the specification with something odd in one place, and everything that two odd
/// segments make.
fn odd_paths() -> BTreeSet<String> {
    let document = document();
    let mut paths = BTreeSet::new();
    for path in document["paths"].as_object().unwrap().keys() {
        let segments: Vec<String> = path
            .split('/')
            .map(|segment| if segment.starts_with('{') { "nginx".into() } else { segment.into() })
            .collect();
        for place in 1..segments.len() {
            // One segment of all kinds at one place, and another kind at each of the others.
            for odd in ODD.iter().cycle().skip(place * 5).take(9) {
                let mut changed = segments.clone();
                changed[place] = (*odd).to_owned();
                paths.insert(changed.join("/"));
                let mut longer = segments.clone();
                longer.insert(place, (*odd).to_owned());
                paths.insert(longer.join("/"));
            }
            let mut empty = segments.clone();
            empty[place] = String::new();
            paths.insert(empty.join("/"));
        }
        let plain = segments.join("/");
        paths.extend([
            format!("{plain}/"),
            format!("{plain}//"),
            format!("/{plain}"),
            plain.to_uppercase(),
            plain.replace('/', "//"),
            plain.replacen("/v1", "/v1/.", 1),
            plain.replacen("/v1", "/v1/x/..", 1),
            plain.replace('/', "%2F").replacen("%2F", "/", 1),
        ]);
    }
    paths.extend(ODD.iter().flat_map(|one| ODD.iter().map(move |other| format!("/{one}/{other}"))));
    paths.retain(|path| path.starts_with('/'));
    paths
}

/// The paths that are answered without a token: operations without roles, and what is no operation.
fn is_public(path: &str) -> bool {
    let document = document();
    let open = document["paths"].as_object().unwrap().iter().filter(|(_, item)| {
        item.as_object().unwrap().values().any(|operation| operation["x-roles"].is_null())
    });
    let matches = |template: &str| {
        let (mut one, mut other) = (template.split('/'), path.split('/'));
        loop {
            match (one.next(), other.next()) {
                (None, None) => return true,
                (Some(wanted), Some(given)) if wanted == given => {}
                (Some(wanted), Some(given)) if wanted.starts_with('{') && !given.is_empty() => {}
                _ => return false,
            }
        }
    };
    let page =
        ["/ui", "/docs", "/assets", "/openapi.json"].iter().any(|page| path.starts_with(page));
    path == "/" || page || open.into_iter().any(|(template, _)| matches(template))
}

#[tokio::test]
async fn odd_paths_never_fail_and_never_pass_the_gate() {
    let api = Api::start("routing_odd").await;
    let viewer = api.sign_in(Role::Viewer, None).await;
    let paths = odd_paths();
    assert!(paths.len() > 1_500, "{}", paths.len());
    for path in &paths {
        let (status, answer) = ask(&api, "GET", path, None).await;
        let refused = ["unauthenticated", "route_not_found", "method_not_allowed"];
        let is_refused = refused.iter().any(|code| answer.contains(code));
        assert!(status < 500 && (is_refused || is_public(path)), "{path}: {answer}");
        let (status, answer) = ask(&api, "GET", path, Some(&viewer)).await;
        assert!(status < 500, "{path}: {answer}");
    }
    for path in paths.iter().step_by(7) {
        for method in ["POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE"] {
            let (status, answer) = ask(&api, method, path, None).await;
            assert!(status < 500, "{method} {path}: {answer}");
            assert!(status >= 400 || is_public(path), "{method} {path}: {answer}");
        }
    }
}

/// The fault that was seen: the gate did not know the path, and the router did.
#[tokio::test]
async fn an_empty_segment_is_no_path() {
    let api = Api::start("routing_empty").await;
    for path in ["/v1/images//findings", "/v1/images//versions/1", "/v1/builds//log", "/v1//images"]
    {
        let (status, answer) = ask(&api, "GET", path, None).await;
        assert!(status == 404 && answer.contains("route_not_found"), "{path}: {answer}");
        let (status, _) = ask(&api, "GET", path, Some(&api.token)).await;
        assert_eq!(status, 404, "{path}");
    }
}
