//! What a registry says when it does not give what was asked for: the error codes of
//! distribution-spec 1.1, in its JSON.
use crate::http::problem::{Code, Problem};
use poem::Response;
use poem::error::ResponseError;
use poem::http::{HeaderName, HeaderValue, StatusCode, header};
use serde_json::json;
use store::objects::ObjectError;

/// The codes of distribution-spec 1.1, "Error Codes", and those that Docker's registry added for what
/// the specification leaves open (the last four).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OciCode {
    BlobUnknown,
    DigestInvalid,
    ManifestUnknown,
    NameInvalid,
    NameUnknown,
    Unauthorized,
    Unsupported,
    TooManyRequests,
    PaginationNumberInvalid,
    RangeInvalid,
    Unavailable,
    Unknown,
}

impl OciCode {
    fn as_str(self) -> &'static str {
        match self {
            Self::BlobUnknown => "BLOB_UNKNOWN",
            Self::DigestInvalid => "DIGEST_INVALID",
            Self::ManifestUnknown => "MANIFEST_UNKNOWN",
            Self::NameInvalid => "NAME_INVALID",
            Self::NameUnknown => "NAME_UNKNOWN",
            Self::Unauthorized => "UNAUTHORIZED",
            Self::Unsupported => "UNSUPPORTED",
            Self::TooManyRequests => "TOOMANYREQUESTS",
            Self::PaginationNumberInvalid => "PAGINATION_NUMBER_INVALID",
            Self::RangeInvalid => "RANGE_INVALID",
            Self::Unavailable => "UNAVAILABLE",
            Self::Unknown => "UNKNOWN",
        }
    }

    fn status(self) -> StatusCode {
        match self {
            Self::BlobUnknown | Self::ManifestUnknown | Self::NameUnknown => StatusCode::NOT_FOUND,
            Self::DigestInvalid | Self::NameInvalid | Self::PaginationNumberInvalid => {
                StatusCode::BAD_REQUEST
            }
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::Unsupported => StatusCode::METHOD_NOT_ALLOWED,
            Self::TooManyRequests => StatusCode::TOO_MANY_REQUESTS,
            Self::RangeInvalid => StatusCode::RANGE_NOT_SATISFIABLE,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::Unknown => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

/// A refusal on its way to the client.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    pub(super) code: OciCode,
    status: StatusCode,
    message: String,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Refusal {
    pub(super) fn new(code: OciCode, message: impl Into<String>) -> Self {
        let (status, message) = (code.status(), message.into());
        Refusal { code, status, message, headers: Vec::new() }
    }

    /// There is no such repository, or none that the caller may know of.
    pub(super) fn name_unknown(name: &str) -> Self {
        Refusal::new(OciCode::NameUnknown, format!("there is no repository {name}"))
    }

    /// The repository has no such manifest.
    pub(super) fn manifest_unknown(reference: &str) -> Self {
        Refusal::new(OciCode::ManifestUnknown, format!("there is no manifest {reference}"))
    }

    /// With another status than the code's own.
    pub(super) fn status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// With a header.
    pub(super) fn header(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.push((name, value));
        }
        self
    }

    pub(super) fn response(self) -> Response {
        let code = self.code.as_str();
        let body = json!({ "errors": [{ "code": code, "message": self.message, "detail": {} }] });
        let mut response = Response::builder().status(self.status).body(body.to_string());
        response.headers_mut().extend(self.headers);
        let json = HeaderValue::from_static("application/json");
        response.headers_mut().insert(header::CONTENT_TYPE, json);
        response
    }
}

/// Why there is no answer: something to refuse, or a failure on our side.
#[derive(Debug)]
pub(super) enum Failure {
    Refusal(Refusal),
    Problem(Problem),
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Failure::Refusal(refusal)
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Failure::Problem(problem)
    }
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Failure::Problem(error.into())
    }
}

impl From<ObjectError> for Failure {
    fn from(error: ObjectError) -> Self {
        Failure::Problem(error.into())
    }
}

impl From<documents::Error> for Failure {
    fn from(error: documents::Error) -> Self {
        Failure::Problem(Problem::internal(error))
    }
}

/// A problem of the API as a registry says it.
pub(super) fn of_problem(problem: &Problem) -> Refusal {
    let is = |code: Code| problem.code() == code.as_str();
    let code = match problem.status() {
        // It was made, and is lost or damaged: the operator can repair it, the client cannot.
        _ if is(Code::DocumentDamaged) => OciCode::BlobUnknown,
        StatusCode::UNAUTHORIZED => OciCode::Unauthorized,
        StatusCode::TOO_MANY_REQUESTS => OciCode::TooManyRequests,
        StatusCode::SERVICE_UNAVAILABLE => OciCode::Unavailable,
        // An instant that has not come, or that nothing is kept of.
        status if status.is_client_error() => OciCode::NameUnknown,
        _ => OciCode::Unknown,
    };
    let refusal = Refusal::new(code, problem.detail());
    match problem.as_response().headers().get(header::RETRY_AFTER).map(HeaderValue::to_str) {
        Some(Ok(seconds)) => refusal.header(header::RETRY_AFTER, seconds),
        _ => refusal,
    }
}
