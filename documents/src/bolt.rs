//! Writes a file of the embedded database bbolt (version 2 of its format), in which Trivy keeps its
//! advisories: a B+ tree of pages for every bucket, and a bucket in a bucket as a value.
//!
//! Own code because the one crate that writes the format brings memory maps and file access into a
//! crate that must have neither, and because a file that is written once needs no transactions,
//! no free pages and no locks. The same buckets give the same bytes.

use std::collections::BTreeMap;

use crate::error::Error;

const PAGE_BYTES: usize = 4096;
/// Identifier, flags, count and overflow.
const HEADER_BYTES: usize = 16;
/// What stands in a page of an entry beside its key and value.
const ELEMENT_BYTES: usize = 16;
/// A nested bucket's root page and sequence.
const BUCKET_BYTES: usize = 16;
/// A nested bucket up to this size, without buckets of its own, stands within its parent's page.
const MAX_INLINE_BYTES: usize = PAGE_BYTES / 4;
/// The longest key: two of them and their elements fit on a page, so that every level of a tree is
/// shorter than the one below.
const MAX_KEY_BYTES: usize = 1024;

const MAGIC: u32 = 0xED0C_DAED;
const VERSION: u32 = 2;
const BRANCH: u16 = 0x01;
const LEAF: u16 = 0x02;
const META: u16 = 0x04;
const FREELIST: u16 = 0x10;
/// The flag of an entry that is a bucket.
const IS_BUCKET: u32 = 0x01;
/// Two pages of meta data, then the (empty) list of free ones.
const FREELIST_PAGE: u64 = 2;

/// Keys in order, each with a value or a bucket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bucket(BTreeMap<String, Item>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Item {
    Value(Vec<u8>),
    Bucket(Bucket),
}

impl Bucket {
    /// Sets a key's value; a bucket of that name is gone then.
    pub fn put(&mut self, key: &str, value: Vec<u8>) {
        self.0.insert(key.to_owned(), Item::Value(value));
    }

    /// The bucket of that name, made if there is none; a value of that name is gone then.
    pub fn bucket(&mut self, name: &str) -> &mut Bucket {
        let item = self.0.entry(name.to_owned()).or_insert_with(|| Item::Bucket(Bucket::default()));
        if let Item::Value(_) = item {
            *item = Item::Bucket(Bucket::default());
        }
        match item {
            Item::Bucket(bucket) => bucket,
            Item::Value(_) => unreachable!("it has just been made a bucket"),
        }
    }
}

/// The database file with the buckets of `root`. Values in `root` itself are not part of the format.
///
/// # Errors
/// [`Error::TooLarge`] for a key of more than 1,024 bytes or a value of 4 GB,
/// [`Error::Malformed`] for an empty key, or a value outside of a bucket.
pub fn file(root: &Bucket) -> Result<Vec<u8>, Error> {
    if let Some((key, _)) = root.0.iter().find(|(_, item)| matches!(item, Item::Value(_))) {
        return Err(malformed(format!("the value {key:?} is in no bucket")));
    }
    let mut pages = Pages(vec![0; PAGE_BYTES * 3]);
    let root = pages.tree(root)?;
    let mut bytes = pages.0;
    let high_water = page_number(bytes.len());
    put(&mut bytes, page_offset(FREELIST_PAGE)?, &page_header(FREELIST_PAGE, FREELIST, 0, 0));
    for page in 0..2_u64 {
        let mut meta = Vec::with_capacity(64);
        for word in [MAGIC, VERSION, u32::try_from(PAGE_BYTES).unwrap_or_default(), 0] {
            meta.extend(word.to_le_bytes());
        }
        // The root bucket and its sequence, the free list, the first page beyond the end, and the
        // transaction, which also says which of the two pages this is.
        for word in [root, 0, FREELIST_PAGE, high_water, page] {
            meta.extend(word.to_le_bytes());
        }
        meta.extend(fnv1a(&meta).to_le_bytes());
        let offset = page_offset(page)?;
        put(&mut bytes, offset, &page_header(page, META, 0, 0));
        put(&mut bytes, offset + HEADER_BYTES, &meta);
    }
    Ok(bytes)
}

/// An entry of a leaf.
struct Entry<'a> {
    flags: u32,
    key: &'a [u8],
    value: Vec<u8>,
}

impl Entry<'_> {
    fn size(&self) -> usize {
        ELEMENT_BYTES + self.key.len() + self.value.len()
    }
}

/// The pages written so far.
struct Pages(Vec<u8>);

impl Pages {
    /// Writes a bucket and all in it; returns its root page.
    fn tree(&mut self, bucket: &Bucket) -> Result<u64, Error> {
        let entries = self.entries(bucket)?;
        let mut level = Vec::new();
        for group in groups(&entries, Entry::size) {
            let first = group.first().map_or(&[][..], |entry| entry.key);
            level.push((first, self.append(LEAF, group.len(), &leaf(group)?)?));
        }
        if level.is_empty() {
            return self.append(LEAF, 0, &[]);
        }
        while level.len() > 1 {
            let mut above = Vec::new();
            for group in groups(&level, |(key, _)| ELEMENT_BYTES + key.len()) {
                let first = group.first().map_or(&[][..], |(key, _)| *key);
                above.push((first, self.append(BRANCH, group.len(), &branch(group)?)?));
            }
            level = above;
        }
        level.first().map(|(_, page)| *page).ok_or_else(|| malformed("no page".to_owned()))
    }

    fn entries<'a>(&mut self, bucket: &'a Bucket) -> Result<Vec<Entry<'a>>, Error> {
        let mut entries = Vec::with_capacity(bucket.0.len());
        for (key, item) in &bucket.0 {
            check_key(key)?;
            let (flags, value) = match item {
                Item::Value(value) => (0, value.clone()),
                Item::Bucket(bucket) => (IS_BUCKET, self.nested(bucket)?),
            };
            entries.push(Entry { flags, key: key.as_bytes(), value });
        }
        Ok(entries)
    }

    /// A bucket as the value of its key: where its root page is, or that page itself.
    fn nested(&mut self, bucket: &Bucket) -> Result<Vec<u8>, Error> {
        let is_flat = bucket.0.values().all(|item| matches!(item, Item::Value(_)));
        if is_flat {
            let entries = self.entries(bucket)?;
            let body = leaf(&entries)?;
            if HEADER_BYTES + body.len() <= MAX_INLINE_BYTES {
                let mut value = vec![0; BUCKET_BYTES];
                value.extend(page_header(0, LEAF, count(entries.len())?, 0));
                value.extend(body);
                return Ok(value);
            }
        }
        let root = self.tree(bucket)?;
        let mut value = root.to_le_bytes().to_vec();
        value.resize(BUCKET_BYTES, 0);
        Ok(value)
    }

    /// Writes a page behind the others, over as many as it needs; returns its number.
    fn append(&mut self, flags: u16, entries: usize, body: &[u8]) -> Result<u64, Error> {
        let page = page_number(self.0.len());
        let pages = (HEADER_BYTES + body.len()).div_ceil(PAGE_BYTES);
        let overflow = short(pages - 1)?;
        self.0.extend(page_header(page, flags, count(entries)?, overflow));
        self.0.extend_from_slice(body);
        self.0.resize(self.0.len().next_multiple_of(PAGE_BYTES), 0);
        Ok(page)
    }
}

/// Neighbours that fit on a page together; what does not fit alone gets pages of its own.
fn groups<T>(items: &[T], size: impl Fn(&T) -> usize) -> Vec<&[T]> {
    let mut groups = Vec::new();
    let (mut start, mut used) = (0, HEADER_BYTES);
    for (index, item) in items.iter().enumerate() {
        let more = size(item);
        if index > start && used + more > PAGE_BYTES {
            groups.push(&items[start..index]);
            (start, used) = (index, HEADER_BYTES);
        }
        used += more;
    }
    if start < items.len() {
        groups.push(&items[start..]);
    }
    groups
}

/// The elements of a leaf, then keys and values. Positions count from their element.
fn leaf(entries: &[Entry<'_>]) -> Result<Vec<u8>, Error> {
    let mut elements = Vec::with_capacity(entries.iter().map(Entry::size).sum());
    let mut data = Vec::new();
    for (index, entry) in entries.iter().enumerate() {
        let position = (entries.len() - index) * ELEMENT_BYTES + data.len();
        elements.extend(entry.flags.to_le_bytes());
        elements.extend(short(position)?.to_le_bytes());
        elements.extend(short(entry.key.len())?.to_le_bytes());
        elements.extend(short(entry.value.len())?.to_le_bytes());
        data.extend_from_slice(entry.key);
        data.extend_from_slice(&entry.value);
    }
    elements.extend(data);
    Ok(elements)
}

/// The elements of a branch (the first key below each page, and the page), then the keys.
fn branch(children: &[(&[u8], u64)]) -> Result<Vec<u8>, Error> {
    let mut elements = Vec::new();
    let mut data = Vec::new();
    for (index, (key, page)) in children.iter().enumerate() {
        let position = (children.len() - index) * ELEMENT_BYTES + data.len();
        elements.extend(short(position)?.to_le_bytes());
        elements.extend(short(key.len())?.to_le_bytes());
        elements.extend(page.to_le_bytes());
        data.extend_from_slice(key);
    }
    elements.extend(data);
    Ok(elements)
}

fn page_header(page: u64, flags: u16, count: u16, overflow: u32) -> [u8; HEADER_BYTES] {
    let mut header = [0; HEADER_BYTES];
    header[..8].copy_from_slice(&page.to_le_bytes());
    header[8..10].copy_from_slice(&flags.to_le_bytes());
    header[10..12].copy_from_slice(&count.to_le_bytes());
    header[12..].copy_from_slice(&overflow.to_le_bytes());
    header
}

fn put(bytes: &mut [u8], offset: usize, part: &[u8]) {
    bytes[offset..offset + part.len()].copy_from_slice(part);
}

fn page_number(offset: usize) -> u64 {
    (offset / PAGE_BYTES) as u64
}

fn page_offset(page: u64) -> Result<usize, Error> {
    let page = usize::try_from(page).map_err(|_| too_large("pages", page))?;
    Ok(page * PAGE_BYTES)
}

fn count(entries: usize) -> Result<u16, Error> {
    u16::try_from(entries).map_err(|_| too_large("entries on a page", entries as u64))
}

fn short(bytes: usize) -> Result<u32, Error> {
    u32::try_from(bytes).map_err(|_| too_large("bytes of a page", bytes as u64))
}

fn too_large(what: &'static str, found: u64) -> Error {
    Error::TooLarge { what, found, limit: u64::from(u32::MAX) }
}

fn malformed(reason: String) -> Error {
    Error::Malformed { document: "bbolt database", reason }
}

fn check_key(key: &str) -> Result<(), Error> {
    match key.len() {
        0 => Err(malformed("a key is empty".to_owned())),
        1..=MAX_KEY_BYTES => Ok(()),
        found => Err(Error::TooLarge {
            what: "bytes of a key",
            found: found as u64,
            limit: MAX_KEY_BYTES as u64,
        }),
    }
}

/// FNV-1a of 64 bits, the checksum of the meta pages.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests;
