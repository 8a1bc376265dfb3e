//! The S3 operations over the files.

use std::{io, os::unix::fs::FileExt as _, sync::Arc};

use s3s::{
    Body, S3, S3Request, S3Response, S3Result,
    dto::{
        Bucket as BucketEntry, BucketCannedACL, CreateBucketInput, CreateBucketOutput,
        DeleteObjectInput, DeleteObjectOutput, DeleteObjectsInput, DeleteObjectsOutput,
        DeletedObject, ETag, ETagCondition, GetBucketAclInput, GetBucketAclOutput,
        GetBucketLocationInput, GetBucketLocationOutput, GetObjectAclInput, GetObjectAclOutput,
        GetObjectInput, GetObjectOutput, HeadBucketInput, HeadBucketOutput, HeadObjectInput,
        HeadObjectOutput, ListBucketsInput, ListBucketsOutput, ListObjectsInput, ListObjectsOutput,
        ListObjectsV2Input, ListObjectsV2Output, ObjectCannedACL, PutObjectInput, PutObjectOutput,
        StreamingBlob, Timestamp,
    },
    s3_error,
};
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};
use tokio_util::io::ReaderStream;

use super::{
    acl, answers,
    failure::{blocking, storage_error},
    files::{Bucket, Condition, Files, Put},
    format::{Meta, Stored},
    upload::{self, Checks},
};

/// Answers up to this size are read at once; longer ones are streamed.
const AT_ONCE: u64 = 256 * 1024;
const STREAM_CHUNK: usize = 64 * 1024;

/// The operations.
#[derive(Debug)]
pub(super) struct Service {
    files: Arc<Files>,
}

impl Service {
    /// Over these files.
    pub(super) fn new(files: Files) -> Self {
        Self { files: Arc::new(files) }
    }

    fn bucket(&self, name: &str) -> S3Result<Arc<Bucket>> {
        self.files.bucket(name).ok_or_else(|| s3_error!(NoSuchBucket))
    }

    async fn stored(&self, bucket: &str, key: &str) -> S3Result<Stored> {
        let bucket = self.bucket(bucket)?;
        let key = checked(key)?;
        blocking(move || bucket.get(&key)).await?.ok_or_else(|| s3_error!(NoSuchKey))
    }
}

/// A key that can be told in XML and that no client rewrites on the way: not empty, at most 1,024
/// bytes (`s3s` sees to that), no control characters, and no path that leads elsewhere.
fn checked(key: &str) -> S3Result<String> {
    let elsewhere = key.starts_with('/') || key.split('/').any(|part| part == "." || part == "..");
    if key.is_empty() || elsewhere || key.chars().any(char::is_control) {
        return Err(s3_error!(
            InvalidArgument,
            "a key is not empty and has no leading slash, no . or .. segment, no control character"
        ));
    }
    Ok(key.to_owned())
}

fn etag(meta: &Meta) -> ETag {
    ETag::Strong(meta.etag.clone())
}

fn length(size: u64) -> Option<i64> {
    i64::try_from(size).ok()
}

fn condition(input: &PutObjectInput) -> S3Result<Condition> {
    match (&input.if_none_match, &input.if_match) {
        (None, None) => Ok(Condition::None),
        (Some(ETagCondition::Any), None) => Ok(Condition::Absent),
        (None, Some(ETagCondition::Any)) => Ok(Condition::Present),
        (None, Some(ETagCondition::ETag(tag))) => Ok(Condition::Tag(tag.value().to_owned())),
        _ => Err(s3_error!(NotImplemented, "of conditions, If-None-Match: * or one If-Match")),
    }
}

/// Whether a reader wants the object that is there.
fn wanted(
    meta: &Meta,
    if_match: Option<&ETagCondition>,
    if_none_match: Option<&ETagCondition>,
) -> S3Result<()> {
    let is = |condition: &ETagCondition| match condition {
        ETagCondition::Any => true,
        ETagCondition::ETag(tag) => tag.value() == meta.etag,
    };
    if if_match.is_some_and(|condition| !is(condition)) {
        return Err(s3_error!(PreconditionFailed));
    }
    if if_none_match.is_some_and(is) {
        return Err(s3_error!(NotModified));
    }
    Ok(())
}

async fn body(stored: Stored, start: u64, size: u64) -> S3Result<StreamingBlob> {
    if size <= AT_ONCE {
        let read = move || {
            let mut bytes = vec![0; usize::try_from(size).map_err(io::Error::other)?];
            stored.file.read_exact_at(&mut bytes, start)?;
            Ok(bytes)
        };
        return Ok(Body::from(blocking(read).await?).into());
    }
    let mut file = tokio::fs::File::from_std(stored.file);
    file.seek(io::SeekFrom::Start(start)).await.map_err(|error| storage_error(&error))?;
    Ok(StreamingBlob::wrap(ReaderStream::with_capacity(file.take(size), STREAM_CHUNK)))
}

/// How an object is encoded, without what was only the way of sending it.
fn content_encoding(given: Option<String>) -> Option<String> {
    let encodings = given?;
    let own = encodings.split(',').map(str::trim).filter(|one| !one.is_empty());
    let own: Vec<&str> = own.filter(|one| !one.eq_ignore_ascii_case("aws-chunked")).collect();
    (!own.is_empty()).then(|| own.join(", "))
}

#[async_trait::async_trait]
impl S3 for Service {
    async fn create_bucket(
        &self,
        req: S3Request<CreateBucketInput>,
    ) -> S3Result<S3Response<CreateBucketOutput>> {
        acl::accept(req.input.acl.as_ref().map(BucketCannedACL::as_str))?;
        let files = Arc::clone(&self.files);
        let name = req.input.bucket;
        let location = Some(format!("/{name}"));
        if !blocking(move || files.create_bucket(&name)).await? {
            return Err(s3_error!(BucketAlreadyOwnedByYou));
        }
        Ok(S3Response::new(CreateBucketOutput { location }))
    }

    async fn head_bucket(
        &self,
        req: S3Request<HeadBucketInput>,
    ) -> S3Result<S3Response<HeadBucketOutput>> {
        self.bucket(&req.input.bucket)?;
        Ok(S3Response::new(HeadBucketOutput::default()))
    }

    async fn get_bucket_location(
        &self,
        req: S3Request<GetBucketLocationInput>,
    ) -> S3Result<S3Response<GetBucketLocationOutput>> {
        self.bucket(&req.input.bucket)?;
        Ok(S3Response::new(GetBucketLocationOutput::default()))
    }

    async fn list_buckets(
        &self,
        _req: S3Request<ListBucketsInput>,
    ) -> S3Result<S3Response<ListBucketsOutput>> {
        let entry = |(name, created)| BucketEntry {
            name: Some(name),
            creation_date: Some(Timestamp::from(created)),
            ..BucketEntry::default()
        };
        let buckets = Some(self.files.buckets().into_iter().map(entry).collect());
        Ok(S3Response::new(ListBucketsOutput { buckets, ..ListBucketsOutput::default() }))
    }

    async fn put_object(
        &self,
        mut req: S3Request<PutObjectInput>,
    ) -> S3Result<S3Response<PutObjectOutput>> {
        let bucket = self.bucket(&req.input.bucket)?;
        let key = checked(&req.input.key)?;
        acl::accept(req.input.acl.as_ref().map(ObjectCannedACL::as_str))?;
        let condition = condition(&req.input)?;
        let checks = Checks::of(&req.input, req.trailing_headers)?;
        let body = req.input.body.take().ok_or_else(|| s3_error!(IncompleteBody))?;
        let mut upload = upload::receive(&self.files, body, checks).await?;
        let input = req.input;
        let meta = Meta {
            key,
            // With a dash it is no MD5: clients such as s3cmd compare what could be one.
            etag: format!("{}-1", upload.sha256),
            content_type: input.content_type,
            content_encoding: content_encoding(input.content_encoding),
            content_disposition: input.content_disposition,
            cache_control: input.cache_control,
            user: input.metadata.filter(|user| !user.is_empty()),
        };
        let e_tag = Some(etag(&meta));
        let put = blocking(move || match upload.file.take() {
            None => bucket.put(&upload.rest, &meta, &condition),
            Some(mut file) => {
                io::Write::write_all(&mut file, &upload.rest)?;
                bucket.finish(file, upload.size, &meta, &condition)
            }
        });
        match put.await? {
            Put::Done => {
                Ok(S3Response::new(PutObjectOutput { e_tag, ..PutObjectOutput::default() }))
            }
            Put::Refused => Err(s3_error!(PreconditionFailed, "the condition does not hold")),
            Put::Missing => Err(s3_error!(NoSuchKey)),
        }
    }

    async fn get_object(
        &self,
        req: S3Request<GetObjectInput>,
    ) -> S3Result<S3Response<GetObjectOutput>> {
        let input = req.input;
        let stored = self.stored(&input.bucket, &input.key).await?;
        wanted(&stored.meta, input.if_match.as_ref(), input.if_none_match.as_ref())?;
        let whole = stored.size;
        let range = input.range.map(|range| range.check(whole)).transpose()?;
        let (start, size) =
            range.map_or((0, whole), |range| (range.start, range.end - range.start));
        let meta = stored.meta.clone();
        let output = GetObjectOutput {
            accept_ranges: Some("bytes".to_owned()),
            content_length: length(size),
            content_range: input
                .range
                .map(|_| format!("bytes {start}-{}/{whole}", (start + size).saturating_sub(1))),
            last_modified: Some(Timestamp::from(stored.modified)),
            e_tag: Some(etag(&meta)),
            content_type: meta.content_type,
            content_encoding: meta.content_encoding,
            content_disposition: meta.content_disposition,
            cache_control: meta.cache_control,
            metadata: meta.user,
            body: Some(body(stored, start, size).await?),
            ..GetObjectOutput::default()
        };
        Ok(S3Response::new(output))
    }

    async fn head_object(
        &self,
        req: S3Request<HeadObjectInput>,
    ) -> S3Result<S3Response<HeadObjectOutput>> {
        let input = req.input;
        let stored = self.stored(&input.bucket, &input.key).await?;
        wanted(&stored.meta, input.if_match.as_ref(), input.if_none_match.as_ref())?;
        Ok(S3Response::new(HeadObjectOutput {
            accept_ranges: Some("bytes".to_owned()),
            content_length: length(stored.size),
            last_modified: Some(Timestamp::from(stored.modified)),
            e_tag: Some(etag(&stored.meta)),
            content_type: stored.meta.content_type,
            content_encoding: stored.meta.content_encoding,
            content_disposition: stored.meta.content_disposition,
            cache_control: stored.meta.cache_control,
            metadata: stored.meta.user,
            ..HeadObjectOutput::default()
        }))
    }

    async fn delete_object(
        &self,
        req: S3Request<DeleteObjectInput>,
    ) -> S3Result<S3Response<DeleteObjectOutput>> {
        let bucket = self.bucket(&req.input.bucket)?;
        let key = checked(&req.input.key)?;
        blocking(move || bucket.delete(&key)).await?;
        Ok(S3Response::new(DeleteObjectOutput::default()))
    }

    async fn delete_objects(
        &self,
        req: S3Request<DeleteObjectsInput>,
    ) -> S3Result<S3Response<DeleteObjectsOutput>> {
        let bucket = self.bucket(&req.input.bucket)?;
        let keys = req.input.delete.objects.iter().map(|object| checked(&object.key));
        let keys: Vec<String> = keys.collect::<S3Result<_>>()?;
        let quiet = req.input.delete.quiet.unwrap_or(false);
        let gone = blocking(move || {
            keys.iter().try_for_each(|key| bucket.delete(key))?;
            Ok(keys)
        });
        let told = |key| DeletedObject { key: Some(key), ..DeletedObject::default() };
        let deleted = gone.await?.into_iter().filter(|_| !quiet).map(told).collect();
        let output = DeleteObjectsOutput { deleted: Some(deleted), ..Default::default() };
        Ok(S3Response::new(output))
    }

    async fn list_objects_v2(
        &self,
        req: S3Request<ListObjectsV2Input>,
    ) -> S3Result<S3Response<ListObjectsV2Output>> {
        let bucket = self.bucket(&req.input.bucket)?;
        Ok(S3Response::new(answers::version_2(bucket, req.input).await?))
    }

    async fn list_objects(
        &self,
        req: S3Request<ListObjectsInput>,
    ) -> S3Result<S3Response<ListObjectsOutput>> {
        let bucket = self.bucket(&req.input.bucket)?;
        Ok(S3Response::new(answers::version_1(bucket, req.input).await?))
    }

    async fn get_bucket_acl(
        &self,
        req: S3Request<GetBucketAclInput>,
    ) -> S3Result<S3Response<GetBucketAclOutput>> {
        self.bucket(&req.input.bucket)?;
        let (owner, grants) = (Some(acl::owner()), Some(acl::grants()));
        Ok(S3Response::new(GetBucketAclOutput { owner, grants }))
    }

    async fn get_object_acl(
        &self,
        req: S3Request<GetObjectAclInput>,
    ) -> S3Result<S3Response<GetObjectAclOutput>> {
        self.stored(&req.input.bucket, &req.input.key).await?;
        let (owner, grants) = (Some(acl::owner()), Some(acl::grants()));
        Ok(S3Response::new(GetObjectAclOutput { owner, grants, ..GetObjectAclOutput::default() }))
    }
}
