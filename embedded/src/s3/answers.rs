//! What listings are asked and answer, in both of S3's versions: clients such as s3cmd and rclone ask
//! the first one unless told otherwise.

use std::{io, sync::Arc};

use s3s::{
    S3Result,
    dto::{
        CommonPrefix, ETag, EncodingType, ListObjectsInput, ListObjectsOutput, ListObjectsV2Input,
        ListObjectsV2Output, Object, Timestamp,
    },
    s3_error,
};

use super::{
    failure::blocking,
    files::Bucket,
    listing::{self, After, LARGEST_PAGE, Page, Request},
};

/// How keys are written in an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encoding {
    /// As they are.
    Plain,
    /// Percent-encoded, but slashes: what XML cannot hold, and what parsers change, comes through.
    Url,
}

impl Encoding {
    fn asked(encoding: Option<&EncodingType>) -> S3Result<Self> {
        match encoding.map(EncodingType::as_str) {
            None => Ok(Self::Plain),
            Some(EncodingType::URL) => Ok(Self::Url),
            Some(_) => Err(s3_error!(InvalidArgument, "the encoding type is url, or none")),
        }
    }

    fn told(self) -> Option<EncodingType> {
        (self == Self::Url).then(|| EncodingType::from_static(EncodingType::URL))
    }

    fn write(self, text: String) -> String {
        if self == Self::Plain {
            return text;
        }
        let mut written = String::with_capacity(text.len());
        for byte in text.bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
                written.push(char::from(byte));
            } else {
                written.push_str(&format!("%{byte:02X}"));
            }
        }
        written
    }
}

/// A page, ready to be told.
struct Told {
    objects: Vec<Object>,
    prefixes: Vec<CommonPrefix>,
    next: Option<After>,
}

/// Answers the first version.
pub(super) async fn version_1(
    bucket: Arc<Bucket>,
    input: ListObjectsInput,
) -> S3Result<ListObjectsOutput> {
    let encoding = Encoding::asked(input.encoding_type.as_ref())?;
    let prefix = input.prefix.clone().unwrap_or_default();
    let delimiter = input.delimiter.clone().filter(|delimiter| !delimiter.is_empty());
    let marker = input.marker.clone().filter(|marker| !marker.is_empty());
    let after = marker.map(|marker| after_marker(marker, &prefix, delimiter.as_deref()));
    let limit = limit(input.max_keys)?;
    let told = read(bucket, Request { prefix, delimiter, after, limit }, encoding).await?;
    let write = |text| encoding.write(text);
    Ok(ListObjectsOutput {
        name: Some(input.bucket),
        prefix: input.prefix.map(write).or(Some(String::new())),
        marker: input.marker.map(write).or(Some(String::new())),
        delimiter: input.delimiter.map(write),
        max_keys: i32::try_from(limit).ok(),
        is_truncated: Some(told.next.is_some()),
        next_marker: told.next.map(|after| match after {
            After::Key(text) | After::Prefix(text) => write(text),
        }),
        contents: Some(told.objects),
        common_prefixes: Some(told.prefixes),
        encoding_type: encoding.told(),
        ..ListObjectsOutput::default()
    })
}

/// Where a page begins whose marker is the last entry of the page before: a key, or what the keys of
/// a group share, and then the group has been told.
fn after_marker(marker: String, prefix: &str, delimiter: Option<&str>) -> After {
    let group = delimiter.is_some_and(|delimiter| {
        let rest = marker.strip_prefix(prefix).unwrap_or_default();
        rest.find(delimiter).is_some_and(|at| at + delimiter.len() == rest.len())
    });
    if group { After::Prefix(marker) } else { After::Key(marker) }
}

/// Answers the second version.
pub(super) async fn version_2(
    bucket: Arc<Bucket>,
    input: ListObjectsV2Input,
) -> S3Result<ListObjectsV2Output> {
    let encoding = Encoding::asked(input.encoding_type.as_ref())?;
    let after = match (&input.continuation_token, &input.start_after) {
        (Some(token), _) => {
            let bad = || s3_error!(InvalidArgument, "the continuation token is not one of ours");
            Some(After::from_token(token).ok_or_else(bad)?)
        }
        (None, Some(key)) => Some(After::Key(key.clone())),
        (None, None) => None,
    };
    let limit = limit(input.max_keys)?;
    let request = Request {
        prefix: input.prefix.clone().unwrap_or_default(),
        delimiter: input.delimiter.clone().filter(|delimiter| !delimiter.is_empty()),
        after,
        limit,
    };
    let told = read(bucket, request, encoding).await?;
    let write = |text| encoding.write(text);
    Ok(ListObjectsV2Output {
        name: Some(input.bucket),
        prefix: input.prefix.map(write),
        delimiter: input.delimiter.map(write),
        start_after: input.start_after.map(write),
        continuation_token: input.continuation_token,
        max_keys: i32::try_from(limit).ok(),
        key_count: i32::try_from(told.objects.len() + told.prefixes.len()).ok(),
        is_truncated: Some(told.next.is_some()),
        next_continuation_token: told.next.map(|after| after.to_token()),
        contents: Some(told.objects),
        common_prefixes: Some(told.prefixes),
        encoding_type: encoding.told(),
        ..ListObjectsV2Output::default()
    })
}

fn limit(max_keys: Option<i32>) -> S3Result<usize> {
    let limit = usize::try_from(max_keys.unwrap_or(1000))
        .map_err(|_| s3_error!(InvalidArgument, "max-keys is negative"))?;
    Ok(limit.min(LARGEST_PAGE))
}

async fn read(bucket: Arc<Bucket>, request: Request, encoding: Encoding) -> S3Result<Told> {
    let read = move || {
        let page = bucket.list(|keys| listing::page(keys, &request))?;
        let objects = describe(&bucket, &page.keys, encoding)?;
        Ok((page, objects))
    };
    let (Page { prefixes, next, .. }, objects) = blocking(read).await?;
    let shared = |prefix| CommonPrefix { prefix: Some(encoding.write(prefix)) };
    let prefixes = prefixes.into_iter().map(shared).collect();
    Ok(Told { objects, prefixes, next })
}

/// What a page tells of each of its objects. One that went since is left out.
fn describe(bucket: &Bucket, keys: &[String], encoding: Encoding) -> io::Result<Vec<Object>> {
    let mut objects = Vec::with_capacity(keys.len());
    for key in keys {
        if let Some(stored) = bucket.get(key)? {
            objects.push(Object {
                key: Some(encoding.write(key.clone())),
                e_tag: Some(ETag::Strong(stored.meta.etag.clone())),
                size: i64::try_from(stored.size).ok(),
                last_modified: Some(Timestamp::from(stored.modified)),
                ..Object::default()
            });
        }
    }
    Ok(objects)
}
