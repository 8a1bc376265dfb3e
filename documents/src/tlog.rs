//! The transparency log as files: paths and bytes of C2SP tlog-tiles, which any object store or
//! web server can serve.

use crate::error::Error;
use crate::merkle::{Hash, Tree, in_memory};

/// Hashes or entries in a full tile.
pub const TILE_WIDTH: u64 = 256;
const TILE_HEIGHT: usize = 8;
/// The checkpoint's path.
pub const CHECKPOINT_PATH: &str = "checkpoint";
/// The media type of tiles.
pub const TILE_TYPE: &str = "application/octet-stream";
/// The media type of checkpoints.
pub const CHECKPOINT_TYPE: &str = "text/plain; charset=utf-8";
const DOCUMENT: &str = "log entries tile";

/// A file of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tile {
    /// Path below the log's prefix.
    pub path: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// The path of a tile of hashes: `tile/<level>/<index>`, with `.p/<width>` if it is partial.
pub fn hash_tile_path(level: usize, index: u64, width: u64) -> String {
    format!("tile/{level}/{}{}", index_path(index), partial(width))
}

/// The path of a bundle of entries: `tile/entries/<index>`.
pub fn entries_path(index: u64, width: u64) -> String {
    format!("tile/entries/{}{}", index_path(index), partial(width))
}

/// The tiles of hashes that are new or have grown since the log had `old_size` entries and until
/// it has `new_size`: all full ones, and the partial one at the end of each level.
pub fn hash_tiles(tree: &Tree, old_size: u64, new_size: u64) -> Vec<Tile> {
    let mut tiles = Vec::new();
    let new_size = new_size.min(tree.size());
    for level in 0.. {
        let shift = level * TILE_HEIGHT;
        let (old, new) = (old_size >> shift, new_size >> shift);
        if new == 0 || shift >= 64 {
            break;
        }
        let hashes = tree.level(shift);
        for (index, width) in grown(old, new) {
            let start = in_memory(index * TILE_WIDTH);
            let bytes = hashes[start..start + in_memory(width)].concat();
            tiles.push(Tile { path: hash_tile_path(level, index, width), bytes });
        }
    }
    tiles
}

/// The bundles of entries that are new or have grown, as [`hash_tiles`]. `entry` gives the bytes
/// of the entry with an index below `new_size`.
///
/// # Errors
/// [`Error::TooLarge`] for an entry of more than 65,535 bytes, which the format cannot hold.
pub fn entry_tiles<'a>(
    old_size: u64,
    new_size: u64,
    entry: impl Fn(u64) -> &'a [u8],
) -> Result<Vec<Tile>, Error> {
    let mut tiles = Vec::new();
    for (index, width) in grown(old_size, new_size) {
        let mut bytes = Vec::new();
        for at in index * TILE_WIDTH..index * TILE_WIDTH + width {
            let data = entry(at);
            let length = u16::try_from(data.len()).map_err(|_| Error::TooLarge {
                what: "bytes of a log entry",
                found: data.len() as u64,
                limit: u64::from(u16::MAX),
            })?;
            bytes.extend_from_slice(&length.to_be_bytes());
            bytes.extend_from_slice(data);
        }
        tiles.push(Tile { path: entries_path(index, width), bytes });
    }
    Ok(tiles)
}

/// Reads the entries of a bundle.
///
/// # Errors
/// [`Error::Malformed`] if the bundle is cut or holds more than [`TILE_WIDTH`] entries.
pub fn parse_entries(mut bytes: &[u8]) -> Result<Vec<&[u8]>, Error> {
    let malformed =
        |reason: &str| Error::Malformed { document: DOCUMENT, reason: reason.to_owned() };
    let mut entries = Vec::new();
    while !bytes.is_empty() {
        let (length, rest) =
            bytes.split_first_chunk::<2>().ok_or_else(|| malformed("cut in a length"))?;
        let (entry, rest) = rest
            .split_at_checked(usize::from(u16::from_be_bytes(*length)))
            .ok_or_else(|| malformed("cut in an entry"))?;
        entries.push(entry);
        bytes = rest;
        if entries.len() as u64 > TILE_WIDTH {
            return Err(malformed("more than 256 entries"));
        }
    }
    Ok(entries)
}

/// Reads the hashes of a tile.
///
/// # Errors
/// [`Error::Malformed`] if it is not 1 to 256 hashes.
pub fn parse_hashes(bytes: &[u8]) -> Result<&[Hash], Error> {
    match bytes.as_chunks::<32>() {
        (hashes, []) if (1..=TILE_WIDTH).contains(&(hashes.len() as u64)) => Ok(hashes),
        _ => Err(Error::Malformed {
            document: "log hash tile",
            reason: "not 1 to 256 hashes".to_owned(),
        }),
    }
}

/// Index and width of each tile that changed between two numbers of items.
fn grown(old: u64, new: u64) -> impl Iterator<Item = (u64, u64)> {
    let first = old / TILE_WIDTH;
    let end = if new > old { new.div_ceil(TILE_WIDTH) } else { first };
    (first..end).map(move |index| (index, TILE_WIDTH.min(new - index * TILE_WIDTH)))
}

/// An index as groups of three digits, all but the last marked: 1234067 is `x001/x234/067`.
fn index_path(index: u64) -> String {
    let mut path = format!("{:03}", index % 1000);
    let mut rest = index / 1000;
    while rest > 0 {
        path = format!("x{:03}/{path}", rest % 1000);
        rest /= 1000;
    }
    path
}

fn partial(width: u64) -> String {
    if width == TILE_WIDTH { String::new() } else { format!(".p/{width}") }
}

#[cfg(test)]
mod tests;
