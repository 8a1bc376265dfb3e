//! Failures of the file system and of requests' bodies, under the names that S3 has for them.

use std::io;

use s3s::{S3Error, S3ErrorCode, S3Result, s3_error};

/// Does what blocks where it may, and names its failures as S3 does.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> S3Result<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done.map_err(|error| storage_error(&error)),
        Err(_) => Err(s3_error!(InternalError, "the store failed; see the log")),
    }
}

/// A full disk has a name of its own, since the remedy is the reader's; clients do not retry 507.
pub(super) fn storage_error(error: &io::Error) -> S3Error {
    tracing::error!(%error, "the embedded S3 endpoint cannot read or write");
    let full = matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded);
    if !full {
        return S3Error::with_message(S3ErrorCode::InternalError, "the store failed; see the log");
    }
    let message = "the disk is full: the object was not stored, and nothing else has changed";
    let mut answer =
        S3Error::with_message(S3ErrorCode::Custom("InsufficientStorage".into()), message);
    answer.set_status_code(hyper::StatusCode::INSUFFICIENT_STORAGE);
    answer
}

/// The body broke off, or is not what its signature covers.
pub(super) fn refused(error: &s3s::StdError) -> S3Error {
    let text = error.to_string();
    if text.contains("Sha256Mismatch") {
        s3_error!(BadDigest, "the bytes do not have the signed SHA-256")
    } else if text.contains("SignatureMismatch") {
        s3_error!(SignatureDoesNotMatch, "a chunk does not have its signature")
    } else {
        s3_error!(IncompleteBody, "the body ended early")
    }
}
