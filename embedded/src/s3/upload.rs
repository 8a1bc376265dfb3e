//! Takes an object's bytes in: small ones into memory, large ones into a temporary file, hashed
//! on the way and checked against what the client says they should be.

use std::io::{self, Write as _};
use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use futures::StreamExt as _;
use s3s::{
    S3Result, TrailingHeaders,
    checksum::ChecksumHasher,
    crypto::{Checksum as _, Crc32, Crc32c, Crc64Nvme, Md5, Sha1, Sha256},
    dto::{ChecksumAlgorithm, PutObjectInput, StreamingBlob},
    s3_error,
};
use sha2::Digest as _;
use tempfile::NamedTempFile;

use super::{
    failure::{blocking, refused},
    files::Files,
};

/// Bytes that are kept in memory before they go to a file.
const IN_MEMORY: usize = 1024 * 1024;
/// The largest object of a single put, as Amazon has it.
const LARGEST: u64 = 5 * 1024 * 1024 * 1024;

/// The bytes of an object that came in whole.
#[derive(Debug)]
pub(super) struct Upload {
    /// How many.
    pub(super) size: u64,
    /// Their SHA-256 in hex.
    pub(super) sha256: String,
    /// Those that are in memory: all, or the last ones when there is a file.
    pub(super) rest: Vec<u8>,
    /// The file with the others.
    pub(super) file: Option<NamedTempFile>,
}

/// Reads the body to its end. Nothing of it remains if it breaks off or is not what it should be.
pub(super) async fn receive(
    files: &Arc<Files>,
    body: StreamingBlob,
    mut checks: Checks,
) -> S3Result<Upload> {
    let mut upload = Upload { size: 0, sha256: String::new(), rest: Vec::new(), file: None };
    let mut sha256 = sha2::Sha256::new();
    let mut body = body;
    while let Some(chunk) = body.next().await {
        let chunk: Bytes = chunk.map_err(|error| refused(&error))?;
        upload.size += chunk.len() as u64;
        if upload.size > LARGEST {
            return Err(s3_error!(EntityTooLarge));
        }
        sha256.update(&chunk);
        checks.update(&chunk);
        upload.rest.extend_from_slice(&chunk);
        if upload.rest.len() > IN_MEMORY {
            let files = Arc::clone(files);
            upload = blocking(move || upload.spill(&files)).await?;
        }
    }
    checks.verify()?;
    upload.sha256 = hex::encode(sha256.finalize());
    Ok(upload)
}

impl Upload {
    fn spill(mut self, files: &Files) -> io::Result<Self> {
        let mut file = match self.file.take() {
            Some(file) => file,
            None => files.temporary()?,
        };
        file.write_all(&self.rest)?;
        self.rest.clear();
        Ok(Self { file: Some(file), ..self })
    }
}

/// What the client says of the bytes: checked at the end.
pub(super) struct Checks {
    hasher: ChecksumHasher,
    md5: Option<(Md5, String)>,
    length: Option<i64>,
    received: i64,
    stated: s3s::dto::Checksum,
    trailers: Option<TrailingHeaders>,
}

impl Checks {
    /// The promises in the request's head; more may come in its trailers.
    pub(super) fn of(input: &PutObjectInput, trailers: Option<TrailingHeaders>) -> S3Result<Self> {
        let stated = s3s::dto::Checksum {
            checksum_crc32: input.checksum_crc32.clone(),
            checksum_crc32c: input.checksum_crc32c.clone(),
            checksum_crc64nvme: input.checksum_crc64nvme.clone(),
            checksum_sha1: input.checksum_sha1.clone(),
            checksum_sha256: input.checksum_sha256.clone(),
            ..Default::default()
        };
        let mut hasher = ChecksumHasher {
            crc32: stated.checksum_crc32.as_ref().map(|_| Crc32::new()),
            crc32c: stated.checksum_crc32c.as_ref().map(|_| Crc32c::new()),
            crc64nvme: stated.checksum_crc64nvme.as_ref().map(|_| Crc64Nvme::new()),
            sha1: stated.checksum_sha1.as_ref().map(|_| Sha1::new()),
            sha256: stated.checksum_sha256.as_ref().map(|_| Sha256::new()),
        };
        match input.checksum_algorithm.as_ref().map(ChecksumAlgorithm::as_str) {
            None => {}
            Some(ChecksumAlgorithm::CRC32) => hasher.crc32 = Some(Crc32::new()),
            Some(ChecksumAlgorithm::CRC32C) => hasher.crc32c = Some(Crc32c::new()),
            Some(ChecksumAlgorithm::CRC64NVME) => hasher.crc64nvme = Some(Crc64Nvme::new()),
            Some(ChecksumAlgorithm::SHA1) => hasher.sha1 = Some(Sha1::new()),
            Some(ChecksumAlgorithm::SHA256) => hasher.sha256 = Some(Sha256::new()),
            Some(_) => return Err(s3_error!(InvalidArgument, "unknown checksum algorithm")),
        }
        let md5 = input.content_md5.clone().map(|stated| (Md5::new(), stated));
        Ok(Self { hasher, md5, length: input.content_length, received: 0, stated, trailers })
    }

    fn update(&mut self, chunk: &[u8]) {
        self.hasher.update(chunk);
        if let Some((md5, _)) = &mut self.md5 {
            md5.update(chunk);
        }
        self.received += i64::try_from(chunk.len()).unwrap_or(i64::MAX);
    }

    fn verify(mut self) -> S3Result<()> {
        if self.length.is_some_and(|length| length != self.received) {
            return Err(s3_error!(IncompleteBody));
        }
        if let Some((md5, stated)) = self.md5.take()
            && STANDARD.encode(md5.finalize()) != stated
        {
            return Err(s3_error!(BadDigest, "the bytes do not have the Content-MD5"));
        }
        let trailers = self.trailers.as_ref().and_then(TrailingHeaders::take).unwrap_or_default();
        let trailer = |name: &str| trailers.get(name)?.to_str().ok().map(str::to_owned);
        let stated = self.stated;
        let computed = self.hasher.finalize();
        let pairs = [
            (computed.checksum_crc32, stated.checksum_crc32, "x-amz-checksum-crc32"),
            (computed.checksum_crc32c, stated.checksum_crc32c, "x-amz-checksum-crc32c"),
            (computed.checksum_crc64nvme, stated.checksum_crc64nvme, "x-amz-checksum-crc64nvme"),
            (computed.checksum_sha1, stated.checksum_sha1, "x-amz-checksum-sha1"),
            (computed.checksum_sha256, stated.checksum_sha256, "x-amz-checksum-sha256"),
        ];
        for (computed, stated, name) in pairs {
            let stated = stated.or_else(|| trailer(name));
            if let (Some(computed), Some(stated)) = (computed, stated)
                && computed != stated
            {
                return Err(s3_error!(BadDigest, "the bytes do not have the {name}"));
            }
        }
        Ok(())
    }
}
