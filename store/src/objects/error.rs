//! What can go wrong with the object store, in words that say what to do about it.
use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};

/// Why the object store did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum ObjectError {
    /// It does not accept our credentials, or does not let them do this.
    #[error(
        "the object store at {endpoint} refused the credentials ({code})\n  \
         hint: check S3_ACCESS_KEY and S3_SECRET_KEY, that the key may use bucket {bucket:?}, and \
         that the clocks of both machines agree"
    )]
    Refused {
        /// The store's address.
        endpoint: String,
        /// The bucket.
        bucket: String,
        /// The store's code or HTTP status.
        code: String,
    },
    /// Nobody answers, or not in time.
    #[error(
        "the object store at {endpoint} does not answer: {reason}\n  \
         hint: check S3_ENDPOINT, and that the store runs"
    )]
    Unreachable {
        /// The store's address.
        endpoint: String,
        /// What happened to the connection.
        reason: String,
    },
    /// Its disk or quota is full.
    #[error(
        "the object store at {endpoint} has no space left for {key:?} ({code})\n  \
         hint: make room and run the same command again; what was stored before is whole"
    )]
    NoSpace {
        /// The store's address.
        endpoint: String,
        /// The object that did not fit.
        key: String,
        /// The store's code or HTTP status.
        code: String,
    },
    /// There is no such object (or bucket, when the key is empty).
    #[error("the object store holds no {key:?}")]
    Missing {
        /// The key.
        key: String,
    },
    /// The bytes of a content-addressed object are not those its name promises.
    #[error("the object {key:?} is damaged: {reason}")]
    Corrupt {
        /// The key.
        key: String,
        /// What is wrong with its bytes.
        reason: String,
    },
    /// The object is larger than the caller is ready to read.
    #[error("the object {key:?} has more than {limit_bytes} bytes")]
    TooLarge {
        /// The key.
        key: String,
        /// The caller's limit.
        limit_bytes: u64,
    },
    /// The connection broke while the object was read.
    #[error("reading {key:?} from the object store at {endpoint} broke off: {reason}")]
    Interrupted {
        /// The store's address.
        endpoint: String,
        /// The key.
        key: String,
        /// What happened.
        reason: String,
    },
    /// Anything else the store says.
    #[error("the object store at {endpoint} failed at {operation} of {key:?} ({code}): {reason}")]
    Failed {
        /// The store's address.
        endpoint: String,
        /// The S3 operation.
        operation: &'static str,
        /// The key.
        key: String,
        /// The store's code or HTTP status.
        code: String,
        /// The store's words.
        reason: String,
    },
}

impl ObjectError {
    /// Whether the object is lost, or is not what its key promises: asking again cannot help, and
    /// `wavetank repair` can.
    pub fn is_damage(&self) -> bool {
        match self {
            ObjectError::Missing { key } => !key.is_empty(),
            ObjectError::Corrupt { .. } | ObjectError::TooLarge { .. } => true,
            _ => false,
        }
    }
}

/// Codes that stores use for a full disk or quota; S3 itself has none.
const FULL: [&str; 5] = [
    "StorageFull",
    "XMinioStorageFull",
    "InsufficientStorage",
    "InsufficientCapacity",
    "QuotaExceeded",
];

/// Which store it is, for whoever reads the error.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    pub(super) endpoint: &'a str,
    pub(super) bucket: &'a str,
}

/// An answer that lacks what every store must say.
pub(super) fn incomplete(
    store: Place<'_>,
    operation: &'static str,
    key: &str,
    missing: &str,
) -> ObjectError {
    ObjectError::Failed {
        endpoint: store.endpoint.to_owned(),
        operation,
        key: key.to_owned(),
        code: "IncompleteAnswer".to_owned(),
        reason: format!("the answer does not tell {missing}"),
    }
}

/// Sorts the client's error into one of ours.
pub(super) fn classify<E>(
    store: Place<'_>,
    operation: &'static str,
    key: &str,
    error: SdkError<E, HttpResponse>,
) -> ObjectError
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    let (endpoint, key) = (store.endpoint.to_owned(), key.to_owned());
    let status = error.raw_response().map(|response| response.status().as_u16());
    let code = error.code().map(str::to_owned);
    let code = code.or_else(|| status.map(|status| format!("HTTP {status}")));
    let Some(code) = code else {
        let reason = innermost(&error);
        return ObjectError::Unreachable { endpoint, reason };
    };
    match status {
        _ if FULL.contains(&code.as_str()) => ObjectError::NoSpace { endpoint, key, code },
        Some(507) => ObjectError::NoSpace { endpoint, key, code },
        Some(401 | 403) => ObjectError::Refused { endpoint, bucket: store.bucket.to_owned(), code },
        Some(404) => ObjectError::Missing { key },
        _ => {
            let reason = error.message().map(str::to_owned);
            let reason = reason.unwrap_or_else(|| DisplayErrorContext(&error).to_string());
            ObjectError::Failed { endpoint, operation, key, code, reason }
        }
    }
}

/// The last cause: "Connection refused" says more than "dispatch failure".
fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    let mut cause = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}
