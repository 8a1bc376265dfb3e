//! One shape for everything that goes wrong: RFC 9457 problem details with a stable code.
//!
//! Handlers return [`Failure`], which names the codes an operation can answer with, so that the
//! specification lists them. Everything else that fails (parsing, routing, a panic) is turned
//! into the same shape by the middleware.
mod code;
mod convert;

pub use code::Code;
pub(crate) use convert::{by_status, from_poem, kernel_mismatch};

use poem::error::ResponseError;
use poem::http::{StatusCode, header};
use poem::{IntoResponse, Response};
use poem_openapi::registry::{MetaMediaType, MetaResponse, MetaResponses, Registry};
use poem_openapi::types::{Example, ToJSON, Type};
use poem_openapi::{ApiResponse, Object};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::marker::PhantomData;
use std::sync::{Mutex, PoisonError};

/// The media type of RFC 9457.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// What went wrong (RFC 9457). `code` is stable: programs decide by it, people read the rest.
#[derive(Clone, Debug, Object)]
#[oai(rename = "Problem", example, skip_serializing_if_is_none)]
pub struct ProblemBody {
    /// Where the code is explained.
    #[oai(rename = "type")]
    pub kind: String,
    /// The code in a few words, always the same for a code.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// A stable name for what went wrong.
    pub code: String,
    /// What went wrong this time.
    pub detail: String,
    /// What to do about it.
    pub hint: String,
    /// The path that was asked for.
    pub instance: String,
    /// The request's id, as in the `X-Request-Id` header and in the server's log.
    pub request_id: String,
    /// The parts that are wrong, when there are several.
    pub errors: Option<Vec<ProblemPart>>,
    #[oai(skip)]
    cause: Option<String>,
    #[oai(skip)]
    allow: Option<String>,
    #[oai(skip)]
    retry_after_seconds: Option<u64>,
}

/// One part of a problem.
#[derive(Clone, Debug, Default, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct ProblemPart {
    /// Which part; in a body, the name of the field.
    pub name: String,
    /// What is wrong with it.
    pub detail: String,
    /// Where it is in the body: a JSON pointer (RFC 6901); empty for the whole body.
    pub pointer: Option<String>,
    /// What was expected there.
    pub expected: Option<String>,
    /// What came; texts of secrets are not repeated.
    pub found: Option<String>,
    /// What is allowed there, where there is a choice.
    pub allowed: Option<Vec<String>>,
}

impl ProblemPart {
    /// A named part.
    pub fn new(name: impl Into<String>, detail: impl Into<String>) -> Self {
        ProblemPart { name: name.into(), detail: detail.into(), ..ProblemPart::default() }
    }

    /// A part of a body, by its JSON pointer.
    pub(crate) fn at(
        pointer: &str,
        expected: impl Into<String>,
        found: impl Into<String>,
        allowed: Option<Vec<String>>,
    ) -> Self {
        let (expected, found) = (expected.into(), found.into());
        let name = pointer.rsplit_once('/').map_or("body", |(_, name)| name);
        ProblemPart {
            name: name.replace("~1", "/").replace("~0", "~"),
            detail: format!("Expected {expected}; found {found}."),
            pointer: Some(pointer.to_owned()),
            expected: Some(expected),
            found: Some(found),
            allowed,
        }
    }

    /// What is wrong in words. What came is left out: it may be long.
    pub(crate) fn sentence(&self) -> String {
        let (Some(pointer), Some(expected)) = (&self.pointer, &self.expected) else {
            return format!("`{}`: {}", self.name, self.detail);
        };
        let place = if pointer.is_empty() { "the body".to_owned() } else { format!("`{pointer}`") };
        let choice = self.allowed.as_ref().map(|allowed| format!(" ({})", allowed.join(", ")));
        format!("At {place}, expected {expected}{}.", choice.unwrap_or_default())
    }
}

impl Example for ProblemBody {
    fn example() -> Self {
        let mut problem = Problem::new(Code::ImageNotFound, "There is no image \"nginy\".");
        problem.place("/v1/images/nginy", "01KBA2Z5W4T0Q3S9V7XJ8M6N1C");
        *problem.0
    }
}

/// A problem on its way to the caller.
#[derive(Clone, Debug)]
pub struct Problem(Box<ProblemBody>);

impl Problem {
    /// A problem with the hint of its code.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Problem(Box::new(ProblemBody {
            kind: format!("/problems/{}", code.as_str()),
            title: code.title().to_owned(),
            status: code.status(),
            code: code.as_str().to_owned(),
            detail: detail.into(),
            hint: code.hint().to_owned(),
            instance: String::new(),
            request_id: String::new(),
            errors: None,
            cause: None,
            allow: None,
            retry_after_seconds: None,
        }))
    }

    /// A defect or an outage: the caller learns the code, the log learns the cause.
    pub fn caused_by(code: Code, detail: impl Into<String>, cause: impl fmt::Display) -> Self {
        let mut problem = Problem::new(code, detail);
        problem.0.cause = Some(cause.to_string());
        problem
    }

    /// An unexpected failure; nothing of its cause reaches the caller.
    pub fn internal(cause: impl fmt::Display) -> Self {
        Problem::caused_by(Code::Internal, "Something failed on our side.", cause)
    }

    /// A body in which one field is wrong.
    pub(crate) fn field(pointer: &str, expected: &str, found: &str) -> Self {
        let part = ProblemPart::at(pointer, expected, found, None);
        Problem::new(Code::InvalidBody, part.sentence()).parts(vec![part])
    }

    /// With a hint that fits better than that of the code.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = hint.into();
        self
    }

    /// With the parts that are wrong.
    #[must_use]
    pub fn parts(mut self, parts: Vec<ProblemPart>) -> Self {
        self.0.errors = Some(parts);
        self
    }

    /// With the methods that would be allowed.
    #[must_use]
    pub(crate) fn allow(mut self, methods: String) -> Self {
        self.0.allow = Some(methods);
        self
    }

    /// With the time after which another try can succeed.
    #[must_use]
    pub(crate) fn retry_after(mut self, seconds: u64) -> Self {
        self.0.retry_after_seconds = Some(seconds);
        self
    }

    /// What the log should say beyond the answer.
    pub(crate) fn cause(&self) -> Option<&str> {
        self.0.cause.as_deref()
    }

    /// The stable code.
    pub fn code(&self) -> &str {
        &self.0.code
    }

    /// What went wrong this time.
    pub fn detail(&self) -> &str {
        &self.0.detail
    }

    /// Fills in which request it was.
    pub(crate) fn place(&mut self, path: &str, request_id: &str) {
        path.clone_into(&mut self.0.instance);
        request_id.clone_into(&mut self.0.request_id);
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.code, self.0.detail)
    }
}

impl std::error::Error for Problem {}

impl ResponseError for Problem {
    fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn as_response(&self) -> Response {
        let mut response = poem::web::Json(self.0.to_json()).into_response();
        response.set_status(self.status());
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static(MEDIA_TYPE));
        if matches!(self.0.status, 429 | 503) {
            let seconds = self.0.retry_after_seconds.unwrap_or(1);
            headers.insert(header::RETRY_AFTER, header::HeaderValue::from(seconds));
        }
        if self.0.status == 401 {
            headers.insert(header::WWW_AUTHENTICATE, header::HeaderValue::from_static("Bearer"));
        }
        if let Some(Ok(allow)) = self.0.allow.as_deref().map(header::HeaderValue::from_str) {
            headers.insert(header::ALLOW, allow);
        }
        response
    }
}

/// The codes that one kind of operation answers with, beside those every operation has.
pub trait Codes: Send + Sync + 'static {
    /// The codes, in any order.
    const CODES: &'static [Code];
    /// Whether the operation can fail at all because of the database or a defect.
    const COMMON: &'static [Code] =
        &[Code::Internal, Code::NoWorld, Code::DatabaseUnavailable, Code::Timeout];
}

/// Answers nothing but 200.
#[derive(Debug)]
pub(crate) struct Never;

impl Codes for Never {
    const CODES: &'static [Code] = &[];
    const COMMON: &'static [Code] = &[Code::Internal];
}

/// A [`Problem`] of an operation that answers with the codes of `S`.
#[derive(Debug)]
pub struct Failure<S>(Problem, PhantomData<fn() -> S>);

impl<S> From<Problem> for Failure<S> {
    fn from(problem: Problem) -> Self {
        Failure(problem, PhantomData)
    }
}

impl<S> From<sqlx::Error> for Failure<S> {
    fn from(error: sqlx::Error) -> Self {
        Failure(error.into(), PhantomData)
    }
}

impl<S> From<store::error::Error> for Failure<S> {
    fn from(error: store::error::Error) -> Self {
        Failure(error.into(), PhantomData)
    }
}

impl<S> From<store::requests::Refusal> for Failure<S> {
    fn from(refusal: store::requests::Refusal) -> Self {
        Failure(refusal.into(), PhantomData)
    }
}

impl<S> From<Failure<S>> for poem::Error {
    fn from(failure: Failure<S>) -> Self {
        failure.0.into()
    }
}

impl<S: Codes> ApiResponse for Failure<S> {
    fn meta() -> MetaResponses {
        let mut by_status = BTreeMap::<u16, BTreeSet<Code>>::new();
        for code in S::CODES.iter().chain(implied(S::CODES)).chain(S::COMMON) {
            by_status.entry(code.status()).or_default().insert(*code);
        }
        let responses = by_status
            .into_iter()
            .map(|(status, codes)| MetaResponse {
                description: interned(describe(&codes)),
                status: Some(status),
                status_range: None,
                content: vec![MetaMediaType {
                    content_type: MEDIA_TYPE,
                    schema: ProblemBody::schema_ref(),
                }],
                headers: Vec::new(),
            })
            .collect();
        MetaResponses { responses }
    }

    fn register(registry: &mut Registry) {
        ProblemBody::register(registry);
    }
}

/// What else an operation can answer: an instant that is asked about can be too late or too early.
fn implied(codes: &[Code]) -> &'static [Code] {
    if codes.contains(&Code::AsOfInFuture) { &[Code::AsOfBeforeHistory] } else { &[] }
}

fn describe(codes: &BTreeSet<Code>) -> String {
    let lines = codes.iter().map(|code| format!("- `{}`: {}.", code.as_str(), code.title()));
    lines.collect::<Vec<_>>().join("\n")
}

/// The specification wants texts that live for ever: each is kept once, however often it is made.
fn interned(text: String) -> &'static str {
    static TEXTS: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    let mut texts = TEXTS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = texts.get(text.as_str()) {
        return known;
    }
    let kept: &'static str = text.leak();
    texts.insert(kept);
    kept
}

/// Declares a set of codes for [`Failure`].
macro_rules! failures {
    ($(#[$doc:meta])* $name:ident: $($code:ident),* $(,)?) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub(crate) struct $name;

        impl $crate::http::problem::Codes for $name {
            const CODES: &'static [$crate::http::problem::Code] =
                &[$($crate::http::problem::Code::$code),*];
        }
    };
}
pub(crate) use failures;
