//! Gzip whose bytes never change: no time, no name, one named compressor.
//!
//! It uses `miniz_oxide` directly: `flate2` changes its compressor, and with it the bytes and the
//! digests, when any other crate of the program enables one of its features.

mod inflater;

pub use inflater::Inflater;

use crate::error::Error;

/// Magic, deflate, no flags, time 0, no extra flags, unknown operating system (RFC 1952).
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
const TRAILER_BYTES: usize = 8;
/// As small as it gets at a reasonable price: what is compressed once and read by many.
const SMALL: u8 = 6;
/// Half the time for a tenth more bytes: what is compressed for every build.
const FAST: u8 = 2;

/// Compresses `bytes`. The same bytes give the same result on every machine.
pub fn compress(bytes: &[u8]) -> Vec<u8> {
    packed(bytes, SMALL)
}

/// Compresses `bytes` in about half the time, to a tenth more.
pub fn compress_fast(bytes: &[u8]) -> Vec<u8> {
    packed(bytes, FAST)
}

fn packed(bytes: &[u8], level: u8) -> Vec<u8> {
    let body = miniz_oxide::deflate::compress_to_vec(bytes, level);
    let mut packed = Vec::with_capacity(HEADER.len() + body.len() + TRAILER_BYTES);
    packed.extend_from_slice(&HEADER);
    packed.extend_from_slice(&body);
    packed.extend_from_slice(&crc32fast::hash(bytes).to_le_bytes());
    packed.extend_from_slice(&size_modulo(bytes).to_le_bytes());
    packed
}

/// The size as the trailer has it.
#[expect(clippy::cast_possible_truncation, reason = "modulo 2^32, as RFC 1952 says")]
fn size_modulo(bytes: &[u8]) -> u32 {
    bytes.len() as u32
}

/// Decompresses what [`compress`] made.
///
/// # Errors
/// [`Error::Malformed`] for anything that [`compress`] did not make or that was damaged,
/// [`Error::TooLarge`] as soon as the result would pass `limit_bytes`.
pub fn decompress(packed: &[u8], limit_bytes: usize) -> Result<Vec<u8>, Error> {
    let refused = |reason: &str| Error::Malformed { document: "gzip", reason: reason.to_owned() };
    let body = packed.strip_prefix(&HEADER).ok_or_else(|| refused("another header"))?;
    let (body, trailer) = body
        .split_last_chunk::<TRAILER_BYTES>()
        .ok_or_else(|| refused("shorter than its trailer"))?;
    let bytes =
        miniz_oxide::inflate::decompress_to_vec_with_limit(body, limit_bytes).map_err(|error| {
            match error.status {
                miniz_oxide::inflate::TINFLStatus::HasMoreOutput => Error::TooLarge {
                    what: "bytes of a decompressed document",
                    found: limit_bytes as u64 + 1,
                    limit: limit_bytes as u64,
                },
                _ => refused("broken deflate data"),
            }
        })?;
    let [c0, c1, c2, c3, l0, l1, l2, l3] = *trailer;
    let checked = u32::from_le_bytes([c0, c1, c2, c3]) == crc32fast::hash(&bytes)
        && u32::from_le_bytes([l0, l1, l2, l3]) == size_modulo(&bytes);
    if checked { Ok(bytes) } else { Err(refused("checksum or length does not match")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip_and_limits() {
        let bytes = b"wave ".repeat(1000);
        let packed = compress(&bytes);
        assert!(packed.len() < 100, "{}", packed.len());
        assert_eq!(decompress(&packed, 5000).unwrap(), bytes);
        assert!(matches!(decompress(&packed, 4999), Err(Error::TooLarge { .. })));
        assert_eq!(decompress(&compress(b""), 0).unwrap(), b"");
        assert_eq!(decompress(&compress_fast(&bytes), 5000).unwrap(), bytes);
    }

    #[test]
    fn damage_is_refused() {
        let packed = compress(&b"wave ".repeat(100));
        for index in 0..packed.len() {
            let mut damaged = packed.clone();
            damaged[index] ^= 0x10;
            assert!(decompress(&damaged, 500).is_err(), "byte {index}");
            assert!(decompress(&packed[..index], 500).is_err(), "cut at {index}");
        }
    }
}
