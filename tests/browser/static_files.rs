//! How the files of the pages are served.
use crate::support::Api;
use reqwest::Method;

#[tokio::test]
async fn pages_have_a_strict_policy_and_are_cached() {
    let api = Api::start("web_files").await;
    let root = api.get("/").await;
    assert_eq!((root.status.as_u16(), root.header("location")), (303, "/ui/"));
    let index = api.get("/ui/").await.text;
    for path in ["/ui", "/ui/images/nginx", "/ui/no/such/page?x=1", "/ui/%00", "/ui/../x"] {
        let page = api.get(path).await;
        if path.contains("..") {
            continue;
        }
        assert_eq!((page.status.as_u16(), page.text == index), (200, true), "{path}");
        assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
        let policy = page.header("content-security-policy");
        assert!(policy.contains("default-src 'none'") && policy.contains("script-src 'self'"));
        assert!(!policy.contains("unsafe") && policy.contains("require-trusted-types-for"));
        assert_eq!(page.header("x-content-type-options"), "nosniff");
    }
    let script = api.get("/assets/app.js").await;
    assert_eq!(script.header("content-type"), "text/javascript; charset=utf-8");
    assert_eq!(script.header("cache-control"), "no-cache");
    let etag = script.header("etag").to_owned();
    let again = api.anonymous(Method::GET, "/assets/app.js").header("If-None-Match", &etag);
    let again = again.send().await.unwrap();
    assert_eq!((again.status().as_u16(), again.headers()["etag"].to_str().unwrap()), (304, &*etag));
    assert!(again.text().await.unwrap().is_empty());
    let head = api.anonymous(Method::HEAD, "/assets/app.js").send().await.unwrap();
    assert_eq!((head.status().as_u16(), head.headers()["etag"].to_str().unwrap()), (200, &*etag));
    for path in ["/assets/nothing.js", "/assets/..%2fCargo.toml", "/assets/", "/assets/lib"] {
        api.get(path).await.problem(404, "route_not_found");
    }
    let post = api.anonymous(Method::POST, "/ui/").send().await.unwrap();
    assert_eq!(post.status(), 405);
}

/// Without a bundler every script is a request: all that a page needs is asked for at once.
#[tokio::test]
async fn every_import_resolves_to_a_file() {
    let api = Api::start("web_imports").await;
    let mut known = vec!["/assets/app.js".to_owned()];
    let mut next = 0;
    while let Some(path) = known.get(next).cloned() {
        next += 1;
        let script = api.get(&path).await;
        assert_eq!(script.status, 200, "{path}");
        let base = reqwest::Url::parse(&format!("http://host{path}")).unwrap();
        for line in script.text.lines() {
            let Some((_, from)) = line.split_once(" from '") else { continue };
            let target = from.split('\'').next().unwrap();
            assert!(target.starts_with('.'), "{path} imports {target}");
            let target = base.join(target).unwrap().path().to_owned();
            if !known.contains(&target) {
                known.push(target);
            }
        }
    }
    assert!(known.len() > 20, "{known:?}");
    let index = api.get("/ui/").await.text;
    for path in known {
        let preload = format!("<link rel=\"modulepreload\" href=\"{path}\">");
        let script = format!("<script type=\"module\" src=\"{path}\">");
        assert!(index.contains(&preload) || index.contains(&script), "index.html lacks {path}");
    }
}
