//! A blob on its way from the object store to a client, never more of it in memory than a piece: a slow
//! reader holds a connection to the object store, and nothing of the database.
use super::refusal::Failure;
use crate::http::problem::Problem;
use bytes::Bytes;
use documents::gzip::Inflater;
use futures::stream::{self, Stream};
use std::io;
use store::objects::{ObjectError, ObjectStore, Reading};

/// How much of what is compressed is unpacked at a time, bytes.
const PACKED_BYTES: usize = 4096;

/// Which byte of a layer is another one where it is to be damaged: gzip's header names an operating
/// system there, which nobody reads, so that the digest alone tells.
pub(super) const DAMAGED_AT: u64 = 9;

/// Which bytes of which object.
pub(super) struct Extent {
    /// Its key.
    pub(super) key: String,
    /// How many bytes it has, unpacked.
    pub(super) bytes: u64,
    /// The first that is wanted.
    pub(super) from: u64,
    /// The first that is not wanted any more.
    pub(super) until: u64,
    /// Whether the byte at [`DAMAGED_AT`] is to be another one than it is.
    pub(super) damaged: bool,
}

struct Pieces {
    reading: Reading,
    inflater: Option<Inflater>,
    packed: Bytes,
    /// How many bytes of the blob came.
    at: u64,
    extent: Extent,
}

/// Those bytes as a stream.
pub(super) async fn pieces(
    objects: &ObjectStore,
    extent: Extent,
) -> Result<impl Stream<Item = io::Result<Bytes>> + Send + 'static, Failure> {
    let part = extent.from > 0 || extent.until < extent.bytes;
    let range = part.then(|| format!("bytes={}-{}", extent.from, extent.until - 1));
    let mut reading = objects.open(&extent.key, range.as_deref()).await?;
    let mut at = extent.from;
    if reading.packed {
        // A part of what is compressed is none of what it unpacks to.
        at = 0;
        if part {
            reading = objects.open(&extent.key, None).await?;
        }
    } else if reading.bytes != extent.until - extent.from {
        let reason = format!("{} bytes are left of it", reading.bytes);
        return Err(ObjectError::Corrupt { key: extent.key, reason }.into());
    }
    let inflater = reading.packed.then(Inflater::default);
    let pieces = Pieces { reading, inflater, packed: Bytes::new(), at, extent };
    Ok(stream::try_unfold(pieces, |mut pieces| async move {
        match pieces.next().await {
            Ok(Some(piece)) => Ok(Some((piece, pieces))),
            Ok(None) => Ok(None),
            Err(problem) => {
                tracing::warn!("a blob broke off on its way to a client: {problem}");
                Err(io::Error::other("the object store broke off"))
            }
        }
    }))
}

impl Pieces {
    /// The next bytes that are wanted.
    async fn next(&mut self) -> Result<Option<Bytes>, Problem> {
        while self.at < self.extent.until {
            let piece = self.unpacked().await?;
            let length = piece.len() as u64;
            let (begin, end) = (self.at, self.at + length);
            self.at = end;
            let offset = |at: u64| usize::try_from(at.clamp(begin, end) - begin);
            let from = offset(self.extent.from).map_err(Problem::internal)?;
            let until = offset(self.extent.until).map_err(Problem::internal)?;
            if from >= until {
                continue;
            }
            let mut wanted = piece.slice(from..until);
            let first = begin + from as u64;
            if self.extent.damaged
                && let Some(at) = DAMAGED_AT.checked_sub(first)
            {
                wanted = changed(&wanted, usize::try_from(at).map_err(Problem::internal)?);
            }
            return Ok(Some(wanted));
        }
        Ok(None)
    }

    /// The next bytes of the blob, wanted or not; it can be that none come yet.
    async fn unpacked(&mut self) -> Result<Bytes, Problem> {
        let Some(inflater) = &mut self.inflater else {
            return chunk(&mut self.reading, &self.extent.key).await;
        };
        if self.packed.is_empty() {
            self.packed = chunk(&mut self.reading, &self.extent.key).await?;
        }
        let packed = self.packed.split_to(self.packed.len().min(PACKED_BYTES));
        let mut unpacked = Vec::new();
        inflater.push(&packed, &mut unpacked).map_err(Problem::internal)?;
        Ok(unpacked.into())
    }
}

/// The same with another byte at that place, if it has one.
pub(super) fn changed(bytes: &[u8], at: usize) -> Bytes {
    let mut changed = bytes.to_vec();
    if let Some(byte) = changed.get_mut(at) {
        *byte ^= 1;
    }
    changed.into()
}

/// What comes next; there has to be something.
async fn chunk(reading: &mut Reading, key: &str) -> Result<Bytes, Problem> {
    let ended =
        || ObjectError::Corrupt { key: key.to_owned(), reason: "its end is missing".into() };
    Ok(reading.chunk().await.map_err(Problem::from)?.ok_or_else(ended)?)
}
