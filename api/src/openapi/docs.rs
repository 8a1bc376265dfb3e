//! The specification and Swagger UI, from files inside the program: nothing is loaded from
//! elsewhere, and no script stands in a page, so that the policy can be strict.
use crate::http::gzip::Gzip;
use crate::http::middleware::with_content_type;
use crate::http::security_headers::DOCS_POLICY;
use poem::endpoint::make_sync;
use poem::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY};
use poem::{Endpoint, EndpointExt, IntoResponse, Response, Route, get};
use poem_openapi::OpenApiService;
use std::sync::Arc;

const PAGE: &str = r#"<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>Wavetank API</title>
  <link rel="icon" href="data:,">
  <link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
  <div id="ui"></div>
  <noscript>Swagger UI needs JavaScript. The specification is at /openapi.json.</noscript>
  <script src="/docs/swagger-ui.js"></script>
  <script src="/docs/start.js"></script>
</body>
</html>
"#;

const START: &str = include_str!("docs/start.js");

/// The specification as a file.
pub(crate) fn specification(text: String) -> impl Endpoint {
    let text = Arc::<str>::from(text);
    make_sync(move |_| with_content_type(text.to_string(), "application/json")).with(Gzip)
}

/// Swagger UI below `/docs`.
pub(crate) fn swagger_ui() -> impl Endpoint<Output = Response> {
    let Assets { script, style } = assets();
    let cached = |text: String, media_type: &'static str| {
        let text = Arc::<str>::from(text);
        get(make_sync(move |_| {
            with_content_type(text.to_string(), media_type)
                .with_header(CACHE_CONTROL, "public, max-age=3600")
                .into_response()
        }))
    };
    let page = get(make_sync(|_| {
        with_content_type(PAGE, "text/html; charset=utf-8")
            .with_header(CONTENT_SECURITY_POLICY, DOCS_POLICY)
            .into_response()
    }));
    Route::new()
        .at("/", page)
        .at("/swagger-ui.css", cached(style, "text/css; charset=utf-8"))
        .at("/swagger-ui.js", cached(script, "text/javascript; charset=utf-8"))
        .at("/start.js", cached(START.to_owned(), "text/javascript; charset=utf-8"))
        .with(Gzip)
        .map_to_response()
}

struct Assets {
    script: String,
    style: String,
}

/// poem-openapi brings Swagger UI only as one page with everything inline: taken apart here.
fn assets() -> Assets {
    let page = OpenApiService::new((), "", "").swagger_ui_html();
    Assets {
        script: between(&page, "<script charset=\"UTF-8\">", "</script>"),
        style: between(&page, "<style charset=\"UTF-8\">", "</style>"),
    }
}

fn between(text: &str, begin: &str, end: &str) -> String {
    let rest = text.split_once(begin).map_or("", |(_, rest)| rest);
    rest.split_once(end).map_or("", |(inside, _)| inside).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn swagger_ui_comes_apart_whole() {
        let Assets { script, style } = assets();
        assert!(script.len() > 1_000_000 && script.contains("SwaggerUIBundle"));
        assert!(style.len() > 100_000 && style.contains(".swagger-ui"));
    }
}
