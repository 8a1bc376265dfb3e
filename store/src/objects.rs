//! The object store: any S3, reached in one way by workers, the API and the digest.
//!
//! Content-addressed objects live under [`CONTENT_PREFIX`]; writing one twice is harmless and
//! reading one proves that it is whole.
pub use crate::objects::error::ObjectError;
use crate::objects::error::{Place, classify, incomplete};
use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{
    BehaviorVersion, Credentials, Region, RequestChecksumCalculation, ResponseChecksumValidation,
};
use aws_sdk_s3::primitives::ByteStream;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use bytes::Bytes;
use documents::gzip;
use futures::stream::{self, StreamExt, TryStreamExt};
use sha2::{Digest, Sha256};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

mod delete;
mod error;

/// Where content-addressed objects live: this and the 64 hexadecimal digits of the SHA-256.
pub const CONTENT_PREFIX: &str = "blobs/sha256/";
/// The content encoding of compressed objects.
const GZIP: &str = "gzip";
/// Attempts of one request, with back-off between them.
const ATTEMPTS: u32 = 4;
/// Requests of one caller that are under way at the same time.
const CONCURRENT_PUTS: usize = 8;

/// Where the object store is and who we are to it.
#[derive(Clone)]
pub struct Settings {
    /// Its address, for example `http://127.0.0.1:9000`.
    pub endpoint: String,
    /// The region its signatures name; most stores other than AWS ignore it.
    pub region: String,
    /// The bucket of this world.
    pub bucket: String,
    /// The access key's id.
    pub access_key: String,
    /// The access key's secret.
    pub secret_key: String,
}

impl fmt::Debug for Settings {
    /// Without the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("endpoint", &self.endpoint)
            .field("region", &self.region)
            .field("bucket", &self.bucket)
            .field("access_key", &self.access_key)
            .finish_non_exhaustive()
    }
}

/// An object on its way into the store.
#[derive(Clone, Debug)]
pub struct NewObject {
    /// Its key.
    pub key: String,
    /// What is stored: compressed, if it is packed.
    pub bytes: Bytes,
    /// The media type of what it is once it is unpacked.
    pub media_type: &'static str,
    /// Whether the bytes are gzip, to be told to readers as the content's encoding.
    pub packed: bool,
}

/// An object as a listing shows it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ListedObject {
    /// Its key.
    pub key: String,
    /// Its size.
    pub bytes: u64,
}

/// An object (or a part of one) on its way: never more of it in memory than a chunk.
pub struct Reading {
    /// How many bytes will come.
    pub bytes: u64,
    /// The store's answer to a range request (`bytes 0-9/100`).
    pub content_range: Option<String>,
    /// Whether what comes is compressed (gzip).
    pub packed: bool,
    body: ByteStream,
    key: String,
    store: ObjectStore,
}

impl Reading {
    /// The next chunk; nothing at the end.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, ObjectError> {
        self.body.try_next().await.map_err(|error| ObjectError::Interrupted {
            endpoint: self.store.endpoint().to_owned(),
            key: self.key.clone(),
            reason: error.to_string(),
        })
    }
}

/// A client of the object store, bound to one bucket. Cheap to clone.
#[derive(Clone)]
pub struct ObjectStore {
    inner: Arc<Inner>,
}

struct Inner {
    client: Client,
    endpoint: String,
    bucket: String,
}

impl fmt::Debug for ObjectStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ObjectStore({}/{})", self.inner.endpoint, self.inner.bucket)
    }
}

impl ObjectStore {
    /// Connects, and creates the bucket when it does not exist.
    ///
    /// # Errors
    /// [`ObjectError::Refused`] for wrong credentials, [`ObjectError::Unreachable`] when nobody
    /// answers.
    pub async fn connect(settings: &Settings) -> Result<Self, ObjectError> {
        let store = Self {
            inner: Arc::new(Inner {
                client: client(settings),
                endpoint: settings.endpoint.clone(),
                bucket: settings.bucket.clone(),
            }),
        };
        store.ensure_bucket().await?;
        Ok(store)
    }

    fn place(&self) -> Place<'_> {
        Place { endpoint: self.endpoint(), bucket: self.bucket() }
    }

    /// The address of the store, for messages.
    pub fn endpoint(&self) -> &str {
        &self.inner.endpoint
    }

    /// The bucket of this world.
    pub fn bucket(&self) -> &str {
        &self.inner.bucket
    }

    /// The address of an object as rows keep it: `s3://<bucket>/<key>`.
    pub fn uri(&self, key: &str) -> String {
        format!("s3://{}/{key}", self.inner.bucket)
    }

    /// Asks the store whether it answers and still knows us and the bucket.
    pub async fn ping(&self) -> Result<(), ObjectError> {
        let request = self.inner.client.head_bucket().bucket(self.bucket());
        request.send().await.map_err(|error| classify(self.place(), "head_bucket", "", error))?;
        Ok(())
    }

    /// Stores bytes under the name of their content and gives that name's hexadecimal digits.
    pub async fn put_content(
        &self,
        bytes: Bytes,
        media_type: &'static str,
    ) -> Result<String, ObjectError> {
        let sha256 = hex::encode(Sha256::digest(&bytes));
        self.put(&content_key(&sha256), bytes, media_type).await?;
        Ok(sha256)
    }

    /// Stores several objects at once, a bounded number of them at a time.
    pub async fn put_all(&self, objects: Vec<NewObject>) -> Result<(), ObjectError> {
        let puts = objects.into_iter().map(|new| async move { self.put_new(new).await });
        // Collected first: a lazy iterator of borrowing futures is not `Send` to the compiler.
        let puts: Vec<_> = puts.collect();
        stream::iter(puts).buffer_unordered(CONCURRENT_PUTS).try_collect::<()>().await
    }

    /// Stores an object as it is, over one of the same key.
    pub async fn put(
        &self,
        key: &str,
        bytes: Bytes,
        media_type: &'static str,
    ) -> Result<(), ObjectError> {
        self.put_new(NewObject { key: key.to_owned(), bytes, media_type, packed: false }).await
    }

    async fn put_new(&self, new: NewObject) -> Result<(), ObjectError> {
        self.inner
            .client
            .put_object()
            .bucket(self.bucket())
            .key(&new.key)
            .content_type(new.media_type)
            .set_content_encoding(new.packed.then(|| GZIP.to_owned()))
            .body(ByteStream::from(new.bytes))
            .send()
            .await
            .map_err(|error| classify(self.place(), "put_object", &new.key, error))?;
        Ok(())
    }

    /// Takes an object away; one that is not there is no error.
    pub async fn delete(&self, key: &str) -> Result<(), ObjectError> {
        let request = self.inner.client.delete_object().bucket(self.bucket()).key(key);
        request
            .send()
            .await
            .map_err(|error| classify(self.place(), "delete_object", key, error))?;
        Ok(())
    }

    /// Reads a whole object of at most `limit_bytes`, unpacked; a content-addressed one is checked
    /// against its name.
    ///
    /// # Errors
    /// [`ObjectError::Missing`], [`ObjectError::TooLarge`], [`ObjectError::Corrupt`] and those of
    /// the connection.
    pub async fn get(&self, key: &str, limit_bytes: u64) -> Result<Bytes, ObjectError> {
        let mut reading = self.open(key, None).await?;
        let too_large = || ObjectError::TooLarge { key: key.to_owned(), limit_bytes };
        if reading.bytes > limit_bytes {
            return Err(too_large());
        }
        let mut whole =
            Vec::with_capacity(usize::try_from(reading.bytes).map_err(|_| too_large())?);
        while let Some(chunk) = reading.chunk().await? {
            if (whole.len() + chunk.len()) as u64 > limit_bytes {
                return Err(too_large());
            }
            whole.extend_from_slice(&chunk);
        }
        if reading.packed {
            whole = gzip::decompress(&whole, usize::try_from(limit_bytes).unwrap_or(usize::MAX))
                .map_err(|error| match error {
                    documents::Error::TooLarge { .. } => too_large(),
                    other => ObjectError::Corrupt { key: key.to_owned(), found: other.to_string() },
                })?;
        }
        if let Some(expected) = key.strip_prefix(CONTENT_PREFIX) {
            let found = hex::encode(Sha256::digest(&whole));
            if found != expected {
                return Err(ObjectError::Corrupt { key: key.to_owned(), found });
            }
        }
        Ok(whole.into())
    }

    /// Opens an object for reading piece by piece; `range` is an HTTP range (`bytes=0-99`).
    pub async fn open(&self, key: &str, range: Option<&str>) -> Result<Reading, ObjectError> {
        let request = self.inner.client.get_object().bucket(self.bucket()).key(key);
        let answer = request
            .set_range(range.map(str::to_owned))
            .send()
            .await
            .map_err(|error| classify(self.place(), "get_object", key, error))?;
        let bytes = answer.content_length.and_then(|bytes| u64::try_from(bytes).ok());
        Ok(Reading {
            bytes: bytes.ok_or_else(|| incomplete(self.place(), "get_object", key, "its size"))?,
            content_range: answer.content_range,
            packed: answer.content_encoding.as_deref() == Some(GZIP),
            body: answer.body,
            key: key.to_owned(),
            store: self.clone(),
        })
    }

    /// All objects under a prefix, in the order of their keys' bytes.
    pub async fn list(&self, prefix: &str) -> Result<Vec<ListedObject>, ObjectError> {
        let mut pages = self
            .inner
            .client
            .list_objects_v2()
            .bucket(self.bucket())
            .prefix(prefix)
            .into_paginator()
            .send();
        let mut listed = Vec::new();
        while let Some(page) = pages.next().await {
            let page =
                page.map_err(|error| classify(self.place(), "list_objects_v2", prefix, error))?;
            for object in page.contents.unwrap_or_default() {
                let without =
                    |key: &str, what| incomplete(self.place(), "list_objects_v2", key, what);
                let key = object.key.ok_or_else(|| without(prefix, "a key"))?;
                let bytes = object.size.and_then(|bytes| u64::try_from(bytes).ok());
                let bytes = bytes.ok_or_else(|| without(&key, "its size"))?;
                listed.push(ListedObject { key, bytes });
            }
        }
        // Not every store lists in this order.
        listed.sort_unstable();
        Ok(listed)
    }

    async fn ensure_bucket(&self) -> Result<(), ObjectError> {
        match self.ping().await {
            Err(ObjectError::Missing { .. }) => {}
            other => return other,
        }
        let request = self.inner.client.create_bucket().bucket(self.bucket());
        match request.send().await {
            Ok(_) => Ok(()),
            // Another process was faster.
            Err(error) => match classify(self.place(), "create_bucket", "", error) {
                ObjectError::Failed { code, .. } if code.starts_with("BucketAlready") => Ok(()),
                other => Err(other),
            },
        }
    }
}

/// The key of a content-addressed object.
pub fn content_key(sha256_hex: &str) -> String {
    format!("{CONTENT_PREFIX}{sha256_hex}")
}

fn client(settings: &Settings) -> Client {
    let credentials =
        Credentials::new(&settings.access_key, &settings.secret_key, None, None, "wavetank");
    let http = aws_smithy_http_client::Builder::new();
    let http = if settings.endpoint.starts_with("http://") {
        http.build_http()
    } else {
        http.tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https()
    };
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(settings.region.clone()))
        .endpoint_url(&settings.endpoint)
        .credentials_provider(credentials)
        .force_path_style(true)
        // The default checksums broke stores other than AWS in 2025.
        .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
        .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
        .retry_config(
            RetryConfig::standard()
                .with_max_attempts(ATTEMPTS)
                .with_initial_backoff(Duration::from_millis(50))
                .with_max_backoff(Duration::from_secs(2)),
        )
        .timeout_config(
            TimeoutConfig::builder()
                .connect_timeout(Duration::from_secs(3))
                .operation_attempt_timeout(Duration::from_secs(20))
                .operation_timeout(Duration::from_secs(60))
                .build(),
        )
        .http_client(http)
        .build();
    Client::from_conf(config)
}
