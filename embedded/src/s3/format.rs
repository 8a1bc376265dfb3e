//! How an object lies in its file: the bytes, then a trailer with everything else. One file, so
//! that one rename makes the whole object appear; a trailer, so that the bytes can be written while
//! their hash is still being computed; and a length in it, so that a file cut short by a power cut
//! is recognized and never served.

use std::{
    collections::HashMap, fs::File, io, os::unix::fs::FileExt as _, path::Path, time::SystemTime,
};

use serde::{Deserialize, Serialize};

const MAGIC: &[u8; 8] = b"WTOBJ\0\0\x01";
/// The length of the metadata, the length of the object, the magic.
const FIXED: usize = 4 + 8 + 8;
/// Metadata longer than this was not written by us.
const LONGEST_META: u64 = 64 * 1024;
/// The last bytes of a file, read in one go: nearly always the whole trailer.
const GUESS: u64 = 1024;

/// What is kept beside an object's bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Meta {
    /// The object's key, for names that do not spell it out.
    pub(super) key: String,
    /// SHA-256 of the bytes, in hex: equal bytes, equal tag. Not MD5's length on purpose, since
    /// clients take a tag of 32 digits for one.
    pub(super) etag: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) content_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) content_encoding: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) content_disposition: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cache_control: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) user: Option<HashMap<String, String>>,
}

/// An object on disk, open.
#[derive(Debug)]
pub(super) struct Stored {
    /// Its file; the object is the first `size` bytes of it.
    pub(super) file: File,
    /// How many bytes it has.
    pub(super) size: u64,
    /// When it was put.
    pub(super) modified: SystemTime,
    /// The rest.
    pub(super) meta: Meta,
}

/// The trailer of an object of that size.
pub(super) fn trailer(meta: &Meta, size: u64) -> io::Result<Vec<u8>> {
    let mut bytes = serde_json::to_vec(meta)?;
    let length = u32::try_from(bytes.len())
        .ok()
        .filter(|length| u64::from(*length) <= LONGEST_META)
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "metadata too long"))?;
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(&size.to_be_bytes());
    bytes.extend_from_slice(MAGIC);
    Ok(bytes)
}

/// Opens an object. A file that is not whole is `InvalidData`.
pub(super) fn open(path: &Path) -> io::Result<Stored> {
    let file = File::open(path)?;
    let found = file.metadata()?;
    let whole = found.len();
    let mut tail = read_tail(&file, whole, GUESS)?;
    let (meta_length, size) = fixed(&tail).ok_or_else(torn)?;
    let trailer_length = meta_length + FIXED as u64;
    if meta_length > LONGEST_META || size.checked_add(trailer_length) != Some(whole) {
        return Err(torn());
    }
    if trailer_length > tail.len() as u64 {
        tail = read_tail(&file, whole, trailer_length)?;
    }
    let end = tail.len() - FIXED;
    let start = end - usize::try_from(meta_length).map_err(|_| torn())?;
    let meta = serde_json::from_slice(&tail[start..end]).map_err(|_| torn())?;
    Ok(Stored { file, size, modified: found.modified()?, meta })
}

fn read_tail(file: &File, whole: u64, wanted: u64) -> io::Result<Vec<u8>> {
    let length = whole.min(wanted);
    let mut tail = vec![0; usize::try_from(length).map_err(|_| torn())?];
    file.read_exact_at(&mut tail, whole - length)?;
    Ok(tail)
}

fn fixed(tail: &[u8]) -> Option<(u64, u64)> {
    let tail = tail.strip_suffix(MAGIC)?;
    let (rest, size) = tail.split_last_chunk::<8>()?;
    let (_, meta_length) = rest.split_last_chunk::<4>()?;
    Some((u64::from(u32::from_be_bytes(*meta_length)), u64::from_be_bytes(*size)))
}

fn torn() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the object's file is not whole")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_any_shorter_file_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("o");
        let long = HashMap::from([("note".to_owned(), "n".repeat(3000))]);
        for user in [None, Some(long)] {
            let meta = Meta { key: "a/b".into(), etag: "e".into(), user, ..Meta::default() };
            let mut bytes = b"hello".to_vec();
            bytes.extend(trailer(&meta, 5).unwrap());
            std::fs::write(&path, &bytes).unwrap();
            let stored = open(&path).unwrap();
            assert_eq!((stored.size, &stored.meta), (5, &meta));
            for length in 0..bytes.len() {
                std::fs::write(&path, &bytes[..length]).unwrap();
                assert_eq!(open(&path).unwrap_err().kind(), io::ErrorKind::InvalidData);
            }
            // A file of the right length that was never filled.
            std::fs::write(&path, vec![0; bytes.len()]).unwrap();
            assert_eq!(open(&path).unwrap_err().kind(), io::ErrorKind::InvalidData);
        }
    }
}
