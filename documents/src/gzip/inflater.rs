//! Gzip read piece by piece, so that no more of a document is in memory than a chunk of it.

use miniz_oxide::inflate::stream::{InflateState, inflate};
use miniz_oxide::{DataFormat, MZError, MZFlush, MZStatus};

use super::{HEADER, TRAILER_BYTES};
use crate::error::Error;

/// How much is decompressed at once, bytes.
const PIECE_BYTES: usize = 32 * 1024;

/// What is next in the packed bytes.
enum Part {
    /// So many bytes of the header were seen.
    Header(usize),
    /// Deflate data.
    Body,
    /// So many bytes of the trailer were seen, and these are they.
    Trailer(usize, [u8; TRAILER_BYTES]),
}

/// Decompresses what [`super::compress`] made, piece by piece. What it gives is only known to be
/// whole when [`Inflater::finish`] says so.
pub struct Inflater {
    part: Part,
    state: Box<InflateState>,
    checksum: crc32fast::Hasher,
    bytes: u64,
}

impl Default for Inflater {
    fn default() -> Self {
        Self {
            part: Part::Header(0),
            state: InflateState::new_boxed(DataFormat::Raw),
            checksum: crc32fast::Hasher::new(),
            bytes: 0,
        }
    }
}

impl Inflater {
    /// Takes the next packed bytes and adds what they decompress to.
    ///
    /// # Errors
    /// [`Error::Malformed`] for anything that [`super::compress`] did not make.
    pub fn push(&mut self, mut packed: &[u8], unpacked: &mut Vec<u8>) -> Result<(), Error> {
        while !packed.is_empty() {
            let taken = match &mut self.part {
                Part::Header(seen) => {
                    let wanted = &HEADER[*seen..];
                    let taken = wanted.len().min(packed.len());
                    if packed[..taken] != wanted[..taken] {
                        return Err(refused("another header"));
                    }
                    *seen += taken;
                    if *seen == HEADER.len() {
                        self.part = Part::Body;
                    }
                    taken
                }
                Part::Body => self.inflate(packed, unpacked)?,
                Part::Trailer(seen, trailer) => {
                    let taken = (TRAILER_BYTES - *seen).min(packed.len());
                    if taken == 0 {
                        return Err(refused("bytes behind its trailer"));
                    }
                    trailer[*seen..*seen + taken].copy_from_slice(&packed[..taken]);
                    *seen += taken;
                    taken
                }
            };
            packed = &packed[taken..];
        }
        Ok(())
    }

    fn inflate(&mut self, packed: &[u8], unpacked: &mut Vec<u8>) -> Result<usize, Error> {
        let mut taken = 0;
        loop {
            let begin = unpacked.len();
            unpacked.resize(begin + PIECE_BYTES, 0);
            let result =
                inflate(&mut self.state, &packed[taken..], &mut unpacked[begin..], MZFlush::None);
            unpacked.truncate(begin + result.bytes_written);
            self.checksum.update(&unpacked[begin..]);
            self.bytes += result.bytes_written as u64;
            taken += result.bytes_consumed;
            match result.status {
                Ok(MZStatus::StreamEnd) => {
                    self.part = Part::Trailer(0, [0; TRAILER_BYTES]);
                    return Ok(taken);
                }
                // Nothing more can be made of these bytes.
                Ok(_) | Err(MZError::Buf) if result.bytes_written < PIECE_BYTES => {
                    return Ok(packed.len());
                }
                Ok(_) => {}
                Err(_) => return Err(refused("broken deflate data")),
            }
        }
    }

    /// Whether everything came, and was what its checksum says.
    ///
    /// # Errors
    /// [`Error::Malformed`] if not.
    pub fn finish(self) -> Result<(), Error> {
        let Part::Trailer(TRAILER_BYTES, [c0, c1, c2, c3, l0, l1, l2, l3]) = self.part else {
            return Err(refused("shorter than its trailer"));
        };
        let bytes = u64::from(u32::from_le_bytes([l0, l1, l2, l3]));
        let checked = u32::from_le_bytes([c0, c1, c2, c3]) == self.checksum.finalize()
            && bytes == self.bytes % (1 << 32);
        if checked { Ok(()) } else { Err(refused("checksum or length does not match")) }
    }
}

fn refused(reason: &str) -> Error {
    Error::Malformed { document: "gzip", reason: reason.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::super::{compress, compress_fast};
    use super::*;

    fn unpack(packed: &[u8], piece: usize) -> Result<Vec<u8>, Error> {
        let (mut inflater, mut unpacked) = (Inflater::default(), Vec::new());
        for piece in packed.chunks(piece) {
            inflater.push(piece, &mut unpacked)?;
        }
        inflater.finish().map(|()| unpacked)
    }

    #[test]
    fn pieces_of_any_size_make_the_whole() {
        let mut bytes = b"wave ".repeat(30_000);
        bytes.extend((0..9000_u32).map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()[3]));
        for bytes in [&bytes[..], b"", b"x", &bytes[..PIECE_BYTES]] {
            for packed in [compress(bytes), compress_fast(bytes)] {
                for piece in [1, 7, 1000, usize::MAX] {
                    assert_eq!(unpack(&packed, piece).unwrap(), bytes, "in pieces of {piece}");
                }
            }
        }
    }

    #[test]
    fn damage_is_refused() {
        let packed = compress(&b"wave ".repeat(100));
        for index in 0..packed.len() {
            let mut damaged = packed.clone();
            damaged[index] ^= 0x10;
            assert!(unpack(&damaged, 5).is_err(), "byte {index}");
            assert!(unpack(&packed[..index], 5).is_err(), "cut at {index}");
        }
        assert!(unpack(&[&packed[..], b"x"].concat(), 5).is_err(), "a byte too many");
    }
}
