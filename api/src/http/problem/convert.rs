//! Other people's errors as problems, in one place. What a database says stays in the log.
use super::{Code, Problem, ProblemPart};
use poem::error::{MethodNotAllowedError, NotFoundError, ReadBodyError};
use poem::http::StatusCode;
use poem_openapi::error::{
    ContentTypeError, ParseParamError, ParsePathError, ParseRequestPayloadError,
};
use store::error::is_transient;
use store::objects::ObjectError;
use store::requests::Refusal;

/// Turns whatever a handler, an extractor or the router failed with into a problem.
pub(crate) fn from_poem(error: poem::Error) -> Problem {
    let error = match error.downcast::<Problem>() {
        Ok(problem) => return problem,
        Err(error) => error,
    };
    if let Some(ParseParamError { name, reason }) = error.downcast_ref() {
        return Problem::parameter(name, reason);
    }
    if let Some(ParsePathError { name, reason }) = error.downcast_ref() {
        return Problem::parameter(name, reason);
    }
    if let Some(ParseRequestPayloadError { reason }) = error.downcast_ref() {
        let reason = reason.trim_end_matches('.');
        let part = ProblemPart::at("", "what /docs describes", reason, None);
        let detail = format!("The body cannot be read: {reason}.");
        return Problem::new(Code::InvalidBody, detail).parts(vec![part]);
    }
    if let Some(content_type) = error.downcast_ref::<ContentTypeError>() {
        return Problem::new(
            Code::UnsupportedMediaType,
            match content_type {
                ContentTypeError::NotSupported { content_type } => {
                    format!("The body is declared as {content_type:?}.")
                }
                ContentTypeError::ExpectContentType => "The body has no media type.".to_owned(),
            },
        );
    }
    if let Some(body) = error.downcast_ref::<ReadBodyError>() {
        return match body {
            ReadBodyError::PayloadTooLarge => {
                Problem::new(Code::BodyTooLarge, "The body is longer than the limit.")
            }
            ReadBodyError::Io(_) | ReadBodyError::Utf8(_) => {
                Problem::new(Code::InvalidBody, "The body could not be read to its end.")
            }
            ReadBodyError::BodyHasBeenTaken => Problem::internal(body),
        };
    }
    if error.is::<NotFoundError>() {
        return Problem::new(Code::RouteNotFound, "Nothing is at this path.");
    }
    if error.is::<MethodNotAllowedError>() {
        return Problem::new(Code::MethodNotAllowed, "This path has no such method.");
    }
    by_status(error.status(), &error)
}

/// An error without a type of ours, or a response with an error status and no problem in it.
pub(crate) fn by_status(status: StatusCode, said: &dyn std::fmt::Display) -> Problem {
    let code = match status.as_u16() {
        404 => Code::RouteNotFound,
        405 => Code::MethodNotAllowed,
        413 => Code::BodyTooLarge,
        415 => Code::UnsupportedMediaType,
        429 => Code::RateLimited,
        400..=499 => Code::InvalidParameter,
        _ => return Problem::internal(said),
    };
    Problem::new(code, format!("{}.", code.title()))
}

impl Problem {
    /// A parameter that is wrong, and why.
    pub(crate) fn parameter(name: &str, reason: &str) -> Self {
        let mut reason = reason.trim_end_matches('.');
        if reason.contains("expects an input value") {
            reason = "a value is needed, in valid UTF-8";
        }
        let detail = format!("The parameter `{name}` is wrong: {reason}.");
        Problem::new(Code::InvalidParameter, detail)
    }
}

impl From<sqlx::Error> for Problem {
    fn from(error: sqlx::Error) -> Self {
        let code = match &error {
            sqlx::Error::PoolClosed | sqlx::Error::Tls(_) => Code::DatabaseUnavailable,
            sqlx::Error::Database(database) => match database.code().as_deref() {
                // No such table or schema: nobody has migrated, so there is no world either.
                // The same when the API's roles are missing.
                Some("42P01" | "3F000" | "22023") => Code::NoWorld,
                // Cancelled by a time limit; a lock that was not to be had.
                Some("57014" | "55P03") => Code::Timeout,
                // We are not let in, or the database is not there.
                Some("55000" | "3D000" | "28000" | "28P01") => Code::DatabaseUnavailable,
                // A broken connection; a server that starts, stops or has no room; a deadlock.
                _ if is_transient(&error) => Code::DatabaseUnavailable,
                _ => Code::Internal,
            },
            _ if is_transient(&error) => Code::DatabaseUnavailable,
            _ => Code::Internal,
        };
        Problem::caused_by(code, format!("{}.", code.title()), error)
    }
}

/// Why a world stands still that another version of the kernel made.
pub(crate) fn kernel_mismatch(stored: &str, ours: &str) -> String {
    format!(
        "This world was made by version {stored} of the kernel and this program has version \
         {ours}: it can be read, but it cannot go on."
    )
}

impl From<store::error::Error> for Problem {
    fn from(error: store::error::Error) -> Self {
        match error {
            store::error::Error::Database(error) => error.into(),
            store::error::Error::NoWorld => {
                Problem::new(Code::NoWorld, "The database holds no world yet.")
            }
            store::error::Error::KernelMismatch { stored, ours } => {
                Problem::new(Code::KernelMismatch, kernel_mismatch(&stored, ours))
            }
            other => Problem::internal(other),
        }
    }
}

impl From<ObjectError> for Problem {
    fn from(error: ObjectError) -> Self {
        match error {
            error if error.is_damage() => {
                let detail = "It was made, but the object store has lost it, or gives other bytes.";
                Problem::caused_by(Code::DocumentDamaged, detail, error)
            }
            ObjectError::Unreachable { .. }
            | ObjectError::Refused { .. }
            | ObjectError::Interrupted { .. } => {
                let detail = "The object store does not answer, or does not let us in.";
                Problem::caused_by(Code::ObjectStoreUnavailable, detail, error)
            }
            other => Problem::internal(other),
        }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let code = match refusal {
            Refusal::Store(error) => return error.into(),
            Refusal::Vanished { .. } => return Problem::internal(refusal),
            Refusal::NoWorld => Code::NoWorld,
            Refusal::UnknownTenant => Code::UnknownTenant,
            Refusal::UnknownCustomer { .. } => Code::CustomerNotFound,
            Refusal::UnknownImage { .. }
            | Refusal::UndefinedImage { .. }
            | Refusal::UnknownBase { .. }
            | Refusal::UnknownDigest { .. } => Code::UnknownImage,
            Refusal::ImageDiffers { .. } => Code::ImageDiffers,
            Refusal::ImageEndOfLife | Refusal::SourceEndOfLife => Code::ImageEndOfLife,
            Refusal::SharedImage | Refusal::SharedBuild | Refusal::TenantBase => Code::NotYourImage,
            Refusal::NumericName | Refusal::InvalidText(_) => Code::InvalidBody,
            Refusal::NameOutsideNamespace { .. } => Code::NameOutsideNamespace,
            Refusal::WrongPackages(_)
            | Refusal::UnknownPackage { .. }
            | Refusal::UnknownRelease { .. } => Code::UnknownPackage,
            Refusal::DeliveryReplayed => Code::WebhookReplayed,
            Refusal::UnknownRepository { .. } => Code::UnknownRepository,
            Refusal::InvalidVector { .. } => Code::InvalidVector,
            Refusal::Contradiction(_) => Code::Contradiction,
            Refusal::UnknownBuild { .. } => Code::BuildNotFound,
            Refusal::BuildNotExternal { .. } => Code::BuildNotExternal,
            Refusal::BuildEnded { .. } | Refusal::BuildReported { .. } => Code::BuildEnded,
            Refusal::UsageNotFound { .. } => Code::UsageNotFound,
            Refusal::OtherWorld { .. } => Code::OtherWorld,
            Refusal::LoadUnderWay => Code::LoadUnderWay,
        };
        let listed = refusal.listed_packages().iter();
        let listed = listed.map(|package| ProblemPart::new(&package.name, package.reason));
        let mut parts: Vec<_> = listed.collect();
        parts.extend(field(&refusal));
        let problem = Problem::new(code, refusal.to_string());
        if parts.is_empty() { problem } else { problem.parts(parts) }
    }
}

/// The field that a refusal is about, where there is one and no other way to tell.
fn field(refusal: &Refusal) -> Option<ProblemPart> {
    match refusal {
        Refusal::NumericName => {
            Some(ProblemPart::at("/name", "a name that is not a number", "digits alone", None))
        }
        _ => None,
    }
}
