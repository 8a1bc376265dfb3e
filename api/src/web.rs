//! The pages in a browser: the files of `static/`, inside the program. `/assets` serves them as
//! they are; every address below `/ui` answers with the one page that loads them, and its script
//! reads the rest of the address.
use crate::http::gzip::Gzip;
use crate::http::problem::{Code, Problem};
use poem::endpoint::{make, make_sync};
use poem::http::{HeaderName, HeaderValue, StatusCode, header};
use poem::{EndpointExt, IntoResponse, Request, Response, Route, get};
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

/// What the pages may do: run their own scripts, use their own styles and pictures, and talk to
/// their own server. Nothing inline, nothing from elsewhere, no text that becomes a script.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
     connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
     require-trusted-types-for 'script'; trusted-types 'none'";

/// What a page's neighbours may not do to it, and what it never asks a browser for.
const PAGE_HEADERS: [(HeaderName, &str); 3] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=()"),
];

/// The page that every address below `/ui` answers with.
const INDEX: &str = "index.html";

macro_rules! files {
    ($($name:literal,)*) => {
        /// The files by name. A test compares them with the directory.
        const FILES: &[(&str, &[u8])] =
            &[$(($name, include_bytes!(concat!("../../static/", $name)))),*];
    };
}

files! {
    "app.js",
    "css/base.css",
    "css/charts.css",
    "css/forms.css",
    "css/frame.css",
    "css/parts.css",
    "css/tables.css",
    "icon.svg",
    "index.html",
    "lib/api.js",
    "lib/dom.js",
    "lib/events.js",
    "lib/merkle.js",
    "lib/problem.js",
    "lib/router.js",
    "lib/session.js",
    "lib/time.js",
    "lib/world.js",
    "pages/advisories.js",
    "pages/advisory.js",
    "pages/build.js",
    "pages/builds.js",
    "pages/customer.js",
    "pages/customers.js",
    "pages/drills.js",
    "pages/forecast.js",
    "pages/image.js",
    "pages/image/builds.js",
    "pages/image/findings.js",
    "pages/image/lineage.js",
    "pages/image/overview.js",
    "pages/image/usage.js",
    "pages/image/versions.js",
    "pages/images.js",
    "pages/jobs.js",
    "pages/keys.js",
    "pages/logs.js",
    "pages/not-found.js",
    "pages/notifications.js",
    "pages/scenarios.js",
    "pages/sign-in.js",
    "pages/sla.js",
    "pages/sla/board.js",
    "pages/sla/policies.js",
    "pages/sla/timers.js",
    "pages/sla/violations.js",
    "pages/studies.js",
    "pages/study.js",
    "pages/webhooks.js",
    "parts/action.js",
    "parts/badges.js",
    "parts/bands.js",
    "parts/build-table.js",
    "parts/deadline.js",
    "parts/field.js",
    "parts/filters.js",
    "parts/proof.js",
    "parts/save.js",
    "parts/states.js",
    "parts/story.js",
    "parts/survival.js",
    "parts/table.js",
    "parts/tabs.js",
    "parts/world-bar.js",
}

/// Adds the pages to a route: from inside the program or, while they are being written, from a
/// directory.
pub(crate) fn mount(route: Route, directory: Option<PathBuf>) -> Route {
    let files = Arc::new(Files { directory });
    let assets = files.clone();
    let asset = make(move |request: Request| {
        let files = assets.clone();
        async move {
            let name = request.uri().path().strip_prefix("/assets/").unwrap_or_default();
            files.answer(name, &request).await
        }
    });
    let page = Arc::new(make(move |request: Request| {
        let files = files.clone();
        async move {
            let mut page = files.answer(INDEX, &request).await?;
            for (name, value) in PAGE_HEADERS {
                page.headers_mut().insert(name, HeaderValue::from_static(value));
            }
            Ok::<_, poem::Error>(page)
        }
    }));
    let home = make_sync(|_| {
        Response::builder().status(StatusCode::SEE_OTHER).header(header::LOCATION, "/ui/").finish()
    });
    route
        .at("/", get(home))
        .at("/assets/*name", get(asset).with(Gzip))
        .at("/ui", get(page.clone()).with(Gzip))
        .at("/ui/*rest", get(page).with(Gzip))
}

struct Files {
    directory: Option<PathBuf>,
}

impl Files {
    async fn answer(&self, name: &str, request: &Request) -> poem::Result<Response> {
        let bytes = self.find(name).await.ok_or_else(|| {
            let shown: String = name.chars().take(64).collect();
            Problem::new(Code::RouteNotFound, format!("There is no file {shown:?}."))
        })?;
        // Weak, because the same file also goes out compressed.
        let tag = format!("W/\"{}\"", hex::encode(&Sha256::digest(&bytes)[..16]));
        let known = request.header(header::IF_NONE_MATCH).unwrap_or_default();
        let mut response = if known.split(',').any(|known| known.trim() == tag) {
            Response::builder().status(StatusCode::NOT_MODIFIED).finish()
        } else {
            let builder = Response::builder().header(header::CONTENT_TYPE, media_type(name));
            builder.body(bytes.into_owned())
        };
        let headers = response.headers_mut();
        if let Ok(tag) = HeaderValue::from_str(&tag) {
            headers.insert(header::ETAG, tag);
        }
        // Asked for again every time, and sent again only when it has changed: a new program
        // never meets an old page.
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        Ok(response.into_response())
    }

    async fn find(&self, name: &str) -> Option<Cow<'static, [u8]>> {
        let Some(directory) = &self.directory else {
            let found = FILES.iter().find(|(known, _)| *known == name);
            return found.map(|(_, bytes)| Cow::Borrowed(*bytes));
        };
        let inside = Path::new(name).components().all(|c| matches!(c, Component::Normal(_)));
        if !inside || name.is_empty() {
            return None;
        }
        tokio::fs::read(directory.join(name)).await.ok().map(Cow::Owned)
    }
}

fn media_type(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("css") => "text/css; charset=utf-8",
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn walk(directory: &Path, below: &str, found: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            let name = format!("{below}{}", path.file_name().unwrap().to_str().unwrap());
            if path.is_dir() {
                walk(&path, &format!("{name}/"), found);
            } else {
                found.insert(name);
            }
        }
    }

    #[test]
    fn every_file_of_static_is_in_the_program() {
        let mut found = BTreeSet::new();
        walk(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../static")), "", &mut found);
        let known: BTreeSet<String> = FILES.iter().map(|(name, _)| (*name).to_owned()).collect();
        assert_eq!(known, found, "api/src/web.rs lists the files of static/");
        for name in &found {
            assert_ne!(media_type(name), "application/octet-stream", "{name}");
        }
    }

    #[test]
    fn the_pages_hold_no_inline_code_and_nothing_from_elsewhere() {
        for (name, bytes) in FILES {
            let text = std::str::from_utf8(bytes).unwrap();
            for bad in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("] {
                assert!(!text.contains(bad), "{name} holds {bad}");
            }
            let rest = text.replace("http://www.w3.org/2000/svg", "");
            for elsewhere in ["from 'http", "import('http", "url(http", "src=\"http", "href=\"http"]
            {
                assert!(!rest.contains(elsewhere), "{name} holds {elsewhere}");
            }
            let longest = text.lines().map(|line| line.chars().count()).max().unwrap_or_default();
            assert!(longest <= 100, "{name} has a line of {longest} characters");
            assert!(text.lines().count() <= 400, "{name} is longer than 400 lines");
        }
        let index = FILES.iter().find(|(name, _)| *name == INDEX).unwrap().1;
        let index = std::str::from_utf8(index).unwrap();
        assert!(!index.contains("<style") && !index.contains("style=") && !index.contains(" on"));
    }

    #[tokio::test]
    async fn a_directory_of_files_is_never_left() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("a.js"), "1").unwrap();
        let files = Files { directory: Some(directory.path().join(".")) };
        assert!(files.find("a.js").await.is_some());
        for name in ["", "..", "../a.js", "/etc/passwd", "./../a.js", "b.js"] {
            assert!(files.find(name).await.is_none(), "{name:?}");
        }
    }
}
