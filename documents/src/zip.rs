//! A ZIP archive whose bytes depend on names and contents alone: no times, one named compressor.

use crate::error::Error;

/// Version 2.0 of the format: deflate and directories.
const VERSION: u16 = 20;
const DEFLATE: u16 = 8;
/// Names are UTF-8.
const UTF_8: u16 = 1 << 11;
/// 1980-01-01, the first day that the format knows.
const FIRST_DAY: u16 = (1 << 5) | 1;
const LEVEL: u8 = 6;

/// The archive of the files, by name, in their order.
///
/// # Errors
/// [`Error::TooLarge`] for more than the format holds without its extension of 64 bits.
pub fn archive<'a>(files: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Result<Vec<u8>, Error> {
    let (mut bytes, mut directory, mut count) = (Vec::new(), Vec::new(), 0_usize);
    for (name, content) in files {
        let packed = miniz_oxide::deflate::compress_to_vec(content, LEVEL);
        let offset = word(bytes.len())?;
        let mut common = Vec::with_capacity(26);
        for half in [VERSION, UTF_8, DEFLATE, 0, FIRST_DAY] {
            common.extend(half.to_le_bytes());
        }
        for value in [crc32fast::hash(content), word(packed.len())?, word(content.len())?] {
            common.extend(value.to_le_bytes());
        }
        common.extend(half(name.len())?.to_le_bytes());
        common.extend([0; 2]); // no extra field
        bytes.extend(b"PK\x03\x04");
        bytes.extend(&common);
        bytes.extend(name.as_bytes());
        bytes.extend(packed);
        directory.extend(b"PK\x01\x02");
        directory.extend(VERSION.to_le_bytes());
        directory.extend(common);
        directory.extend([0; 10]); // no comment, first disk, no attributes
        directory.extend(offset.to_le_bytes());
        directory.extend(name.as_bytes());
        count += 1;
    }
    let (start, size, count) = (word(bytes.len())?, word(directory.len())?, half(count)?);
    bytes.extend(directory);
    bytes.extend(b"PK\x05\x06\0\0\0\0");
    bytes.extend(count.to_le_bytes());
    bytes.extend(count.to_le_bytes());
    bytes.extend(size.to_le_bytes());
    bytes.extend(start.to_le_bytes());
    bytes.extend([0; 2]); // no comment
    Ok(bytes)
}

fn word(value: usize) -> Result<u32, Error> {
    u32::try_from(value).map_err(|_| too_large(value, u64::from(u32::MAX)))
}

fn half(value: usize) -> Result<u16, Error> {
    u16::try_from(value).map_err(|_| too_large(value, u64::from(u16::MAX)))
}

fn too_large(found: usize, limit: u64) -> Error {
    Error::TooLarge { what: "bytes or files of a ZIP archive", found: found as u64, limit }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An empty archive is its end record alone (APPNOTE.TXT 4.3.16). That others read the files is
    /// shown with Python's zipfile (tests/interop/scanners.rs).
    #[test]
    fn records_stand_where_the_format_wants_them() {
        let empty = archive([]).unwrap();
        assert_eq!((empty.len(), &empty[..4]), (22, &b"PK\x05\x06"[..]));
        let bytes = archive([("a.json", &b"{}"[..]), ("b.json", b"{\"a\":1}")]).unwrap();
        let end = bytes.len() - 22;
        let at = |offset: usize| u32::from_le_bytes(bytes[offset..offset + 4].try_into().unwrap());
        let start = at(end + 16) as usize;
        assert_eq!(
            (&bytes[start..start + 4], &bytes[..4]),
            (&b"PK\x01\x02"[..], &b"PK\x03\x04"[..])
        );
        assert_eq!(start + at(end + 12) as usize, end);
        assert_eq!(bytes[end + 8..end + 12], [2, 0, 2, 0]);
        assert_eq!(
            archive([("a.json", &b"{}"[..])]).unwrap(),
            archive([("a.json", &b"{}"[..])]).unwrap()
        );
    }
}
