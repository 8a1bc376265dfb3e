//! A tar archive (POSIX ustar) whose bytes depend on names and contents alone.
//!
//! Own code because it is short, and because the tar crates bring file system access into a crate
//! that must have none. Owner 0, mode 0644 or 0755, modification time 0.

const BLOCK_BYTES: usize = 512;

/// A directory or a regular file of the archive. Paths are relative and under 100 bytes.
pub(crate) enum Entry<'a> {
    /// A directory; the path ends in `/`.
    Directory(&'a str),
    /// A regular file with its contents.
    File(&'a str, &'a [u8]),
}

/// The archive of the entries, in their order, with the closing two zero blocks.
pub(crate) fn archive(entries: &[Entry<'_>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for entry in entries {
        match entry {
            Entry::Directory(path) => bytes.extend(header(path, 0o755, 0, b'5')),
            Entry::File(path, content) => {
                bytes.extend(header(path, 0o644, content.len(), b'0'));
                bytes.extend_from_slice(content);
                bytes.resize(bytes.len().next_multiple_of(BLOCK_BYTES), 0);
            }
        }
    }
    bytes.resize(bytes.len() + 2 * BLOCK_BYTES, 0);
    bytes
}

fn header(path: &str, mode: u32, size_bytes: usize, kind: u8) -> [u8; BLOCK_BYTES] {
    debug_assert!(path.len() < 100, "the path does not fit: {path}");
    let mut block = [0; BLOCK_BYTES];
    let mut put = |offset: usize, text: &[u8]| {
        block[offset..offset + text.len()].copy_from_slice(text);
    };
    put(0, &path.as_bytes()[..path.len().min(100)]);
    put(100, format!("{mode:07o}").as_bytes());
    put(108, b"0000000");
    put(116, b"0000000");
    put(124, format!("{size_bytes:011o}").as_bytes());
    put(136, b"00000000000");
    put(148, b"        ");
    put(156, &[kind]);
    put(257, b"ustar\x0000");
    put(265, b"root");
    put(297, b"root");
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    block
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_and_checksum() {
        let bytes = archive(&[Entry::Directory("etc/"), Entry::File("etc/x", b"hello")]);
        assert_eq!(bytes.len(), 5 * BLOCK_BYTES);
        assert_eq!(&bytes[..5], b"etc/\0");
        assert_eq!(bytes[156], b'5');
        assert_eq!(&bytes[512 + 124..512 + 135], b"00000000005");
        assert_eq!(&bytes[1024..1030], b"hello\0");
        let mut blank = bytes[..512].to_vec();
        blank[148..156].fill(b' ');
        let sum: u32 = blank.iter().map(|byte| u32::from(*byte)).sum();
        assert_eq!(&bytes[148..154], format!("{sum:06o}").as_bytes());
    }
}
