//! The object store: any S3, reached in one way by workers, the API and the digest.
//!
//! Content-addressed objects live under [`CONTENT_PREFIX`]; writing one twice is harmless and
//! reading one proves that it is whole. A bucket holds the objects of one world, and beside them, under
//! [`STUDIES_PREFIX`], the documents of studies, which are no part of it.
pub use crate::objects::client::Settings;
use crate::objects::client::client;
pub use crate::objects::error::ObjectError;
use crate::objects::error::{Place, classify, incomplete};
use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use bytes::Bytes;
use documents::gzip;
use futures::stream::{self, StreamExt, TryStreamExt};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

mod client;
mod delete;
mod error;
pub mod named;

/// Where content-addressed objects live: this and the 64 hexadecimal digits of the SHA-256.
pub const CONTENT_PREFIX: &str = "blobs/sha256/";
/// Where documents of studies live: this, the study's number, and the SHA-256 of the document.
pub const STUDIES_PREFIX: &str = "studies/";
/// The content encoding of compressed objects.
const GZIP: &str = "gzip";
/// Requests of one caller that are under way at the same time.
const CONCURRENT_PUTS: usize = 8;

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

/// A whole object.
#[derive(Clone, Debug)]
pub struct StoredObject {
    /// Its bytes as they are stored.
    pub stored: Bytes,
    /// Whether those are compressed (gzip).
    pub packed: bool,
    /// Its bytes, unpacked.
    pub content: Bytes,
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
    /// The objects that may be written; all when there are none.
    only: Option<Arc<BTreeSet<String>>>,
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
            only: None,
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

    /// The same store for a writer that may write these objects alone: what else it puts or deletes
    /// is passed over.
    pub fn writing_only(&self, keys: BTreeSet<String>) -> Self {
        Self { inner: self.inner.clone(), only: Some(Arc::new(keys)) }
    }

    fn may_write(&self, key: &str) -> bool {
        self.only.as_ref().is_none_or(|only| only.contains(key))
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
        if !self.may_write(&new.key) {
            return Ok(());
        }
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
        if !self.may_write(key) {
            return Ok(());
        }
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
        Ok(self.read(key, limit_bytes).await?.content)
    }

    /// The same, with the bytes as they are stored.
    ///
    /// # Errors
    /// Those of [`ObjectStore::get`].
    pub async fn read(&self, key: &str, limit_bytes: u64) -> Result<StoredObject, ObjectError> {
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
        let stored = Bytes::from(whole);
        let mut content = stored.clone();
        let corrupt = |reason| ObjectError::Corrupt { key: key.to_owned(), reason };
        if reading.packed {
            let limit = usize::try_from(limit_bytes).unwrap_or(usize::MAX);
            let unpacked = gzip::decompress(&stored, limit).map_err(|error| match error {
                documents::Error::TooLarge { .. } => too_large(),
                other => corrupt(other.to_string()),
            });
            content = unpacked?.into();
        }
        if let Some(expected) = promised(key) {
            let found = hex::encode(Sha256::digest(&content));
            if found != expected {
                return Err(corrupt(format!("its bytes have the SHA-256 {found}")));
            }
        }
        Ok(StoredObject { stored, packed: reading.packed, content })
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

    /// All objects of the world, in the order of their keys' bytes: those of studies are none of it.
    ///
    /// # Errors
    /// Those of [`ObjectStore::list`].
    pub async fn list_world(&self) -> Result<Vec<ListedObject>, ObjectError> {
        let mut listed = self.list("").await?;
        listed.retain(|object| !object.key.starts_with(STUDIES_PREFIX));
        Ok(listed)
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

/// The SHA-256 that a key promises.
fn promised(key: &str) -> Option<&str> {
    key.strip_prefix(CONTENT_PREFIX).or_else(|| {
        let (_, sha256) = key.strip_prefix(STUDIES_PREFIX)?.split_once('/')?;
        Some(sha256)
    })
}

/// The key of a document of a study. Two studies share none, so that each can be deleted.
pub fn study_key(study: i64, sha256_hex: &str) -> String {
    format!("{STUDIES_PREFIX}{study}/{sha256_hex}")
}

/// The key of a content-addressed object.
pub fn content_key(sha256_hex: &str) -> String {
    format!("{CONTENT_PREFIX}{sha256_hex}")
}
