//! A document of a study as an answer: the result as data, the report for people, the rows for other
//! programs.
use poem::http::{HeaderName, HeaderValue, header};
use poem::{IntoResponse, Response};
use poem_openapi::ApiResponse;
use poem_openapi::registry::{
    MetaHeader, MetaMediaType, MetaResponse, MetaResponses, MetaSchema, MetaSchemaRef, Registry,
};
use poem_openapi::types::Type;
use std::marker::PhantomData;
use store::objects::StoredObject;
use store::studies::{DocumentRow, StudyRow};

/// What a report may do where it is shown: have its own styles and pictures, and nothing else. It holds
/// no script, and none would run.
const REPORT_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; \
                             sandbox; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// Data is data, even when somebody opens it.
const DATA_POLICY: &str = "default-src 'none'; sandbox; frame-ancestors 'none'";

/// A kind of document.
pub(super) trait Kind: Send + Sync + 'static {
    /// Its name in the database.
    const NAME: &'static str;
    /// Its media type.
    const MEDIA_TYPE: &'static str;
    /// How the name of its file ends.
    const SUFFIX: &'static str;
    /// What a browser may do with it.
    const POLICY: &'static str;

    /// What the specification says of it.
    fn schema() -> MetaSchemaRef {
        String::schema_ref()
    }
}

/// All figures, with intervals, curves and comparisons.
pub(super) struct ResultData;

impl Kind for ResultData {
    const NAME: &'static str = "result";
    const MEDIA_TYPE: &'static str = "application/json; charset=utf-8";
    const SUFFIX: &'static str = ".json";
    const POLICY: &'static str = DATA_POLICY;

    fn schema() -> MetaSchemaRef {
        MetaSchemaRef::Inline(Box::new(MetaSchema::new("object")))
    }
}

/// One page for people.
pub(super) struct Report;

impl Kind for Report {
    const NAME: &'static str = "report";
    const MEDIA_TYPE: &'static str = "text/html; charset=utf-8";
    const SUFFIX: &'static str = ".html";
    const POLICY: &'static str = REPORT_POLICY;
}

/// A row a replication and arm.
pub(super) struct Replications;

impl Kind for Replications {
    const NAME: &'static str = "replications";
    const MEDIA_TYPE: &'static str = "text/csv; charset=utf-8";
    const SUFFIX: &'static str = ".csv";
    const POLICY: &'static str = DATA_POLICY;
}

/// The bytes of a document.
pub(super) struct Download<K>(Response, PhantomData<fn() -> K>);

impl<K: Kind> Download<K> {
    /// The whole document, compressed if the caller takes that.
    pub(super) fn new(
        study: &StudyRow,
        row: &DocumentRow,
        stored: StoredObject,
        takes_gzip: bool,
    ) -> Self {
        let packed = stored.packed && takes_gzip;
        let body = if packed { stored.stored } else { stored.content };
        let mut response = Response::builder().body(body);
        let plain = |c: char| if c.is_ascii_alphanumeric() || "-_".contains(c) { c } else { '_' };
        let name: String = study.name.chars().map(plain).collect();
        let file = format!("inline; filename=\"{name}-{}-{}{}\"", study.id, K::NAME, K::SUFFIX);
        let weak = if packed { "W/" } else { "" };
        set(&mut response, header::CONTENT_TYPE, K::MEDIA_TYPE);
        set(&mut response, header::CONTENT_DISPOSITION, &file);
        set(&mut response, header::CONTENT_SECURITY_POLICY, K::POLICY);
        set(&mut response, header::VARY, "Accept-Encoding");
        set(&mut response, header::ETAG, &format!("{weak}\"{}\"", row.sha256));
        set(&mut response, header::CACHE_CONTROL, "private, no-cache");
        if packed {
            set(&mut response, header::CONTENT_ENCODING, "gzip");
        }
        Download(response, PhantomData)
    }
}

fn set(response: &mut Response, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

impl<K: Kind> IntoResponse for Download<K> {
    fn into_response(self) -> Response {
        self.0
    }
}

impl<K: Kind> ApiResponse for Download<K> {
    fn meta() -> MetaResponses {
        let text_header = |name: &str, description: &str| MetaHeader {
            name: name.to_owned(),
            description: Some(description.to_owned()),
            required: false,
            deprecated: false,
            schema: String::schema_ref(),
        };
        let whole = MetaResponse {
            description: "The document.",
            status: Some(200),
            status_range: None,
            content: vec![MetaMediaType { content_type: K::MEDIA_TYPE, schema: K::schema() }],
            headers: vec![
                text_header("ETag", "The document's SHA-256, quoted."),
                text_header("Content-Disposition", "A name to save the document under."),
            ],
        };
        MetaResponses { responses: vec![whole] }
    }

    fn register(_registry: &mut Registry) {}
}
