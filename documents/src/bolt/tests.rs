//! Read back by the rules of the format, with a reader that shares nothing with the writer. That
//! bbolt itself reads the files is shown with Trivy (tests/interop/scanners.rs).

use super::*;

fn number(bytes: &[u8], offset: usize, size: usize) -> usize {
    bytes[offset..offset + size].iter().rev().fold(0, |n, byte| n << 8 | usize::from(*byte))
}

/// All values below a page, by the path of their keys; how many pages it took goes to `pages`.
fn walk(file: &[u8], page: &[u8], path: &str, out: &mut BTreeMap<String, Vec<u8>>) {
    let (flags, count) = (number(page, 8, 2), number(page, 10, 2));
    let mut previous: &[u8] = &[];
    for element in (0..count).map(|index| 16 + index * 16) {
        let (position, key_bytes) = match flags {
            1 => (number(page, element, 4), number(page, element + 4, 4)),
            2 => (number(page, element + 4, 4), number(page, element + 8, 4)),
            other => panic!("page with flags {other}"),
        };
        let key = &page[element + position..][..key_bytes];
        assert!(previous < key, "{path}: keys are not in order");
        previous = key;
        if flags == 1 {
            walk(file, at(file, number(page, element + 8, 8)), path, out);
            continue;
        }
        let value = &page[element + position + key_bytes..][..number(page, element + 12, 4)];
        let path = format!("{path}/{}", String::from_utf8_lossy(key));
        if number(page, element, 4) == 0 {
            out.insert(path, value.to_vec());
            continue;
        }
        out.insert(format!("{path}/"), Vec::new());
        match number(value, 0, 8) {
            0 => walk(file, &value[16..], &path, out),
            root => walk(file, at(file, root), &path, out),
        }
    }
}

/// A page with all that it overflows into; it says its own number.
fn at(file: &[u8], page: usize) -> &[u8] {
    let bytes = &file[page * 4096..];
    assert_eq!(number(bytes, 0, 8), page);
    &bytes[..(number(bytes, 12, 4) + 1) * 4096]
}

fn read(file: &[u8]) -> BTreeMap<String, Vec<u8>> {
    assert_eq!(file.len() % 4096, 0);
    for page in 0..2 {
        let meta = &at(file, page)[16..];
        assert_eq!(number(at(file, page), 8, 2), 4);
        let words = [0, 4, 8, 12].map(|offset| number(meta, offset, 4));
        assert_eq!(words, [0xED0C_DAED, 2, 4096, 0]);
        assert_eq!(number(meta, 40, 8), file.len() / 4096);
        assert_eq!(number(meta, 48, 8), page);
        assert_eq!(number(at(file, number(meta, 32, 8)), 8, 2), 0x10);
    }
    let mut out = BTreeMap::new();
    walk(file, at(file, number(file, 32, 8)), "", &mut out);
    out
}

#[test]
fn the_checksum_is_fnv_1a() {
    // Test vectors of the FNV draft (draft-eastlake-fnv).
    assert_eq!(fnv1a(b""), 0xcbf2_9ce4_8422_2325);
    assert_eq!(fnv1a(b"a"), 0xaf63_dc4c_8601_ec8c);
    assert_eq!(fnv1a(b"foobar"), 0x8594_4171_f739_67e8);
}

#[test]
fn everything_is_read_back_whatever_its_size() {
    let mut root = Bucket::default();
    let mut expected = BTreeMap::new();
    // Empty; small enough to stand in its parent; a page; many pages on three levels.
    for (name, entries) in [("a", 0), ("b", 3), ("c", 100), ("d", 20_000)] {
        let outer = root.bucket(name);
        outer.bucket("inner").put("only", b"value".to_vec());
        expected.insert(format!("/{name}/"), Vec::new());
        expected.insert(format!("/{name}/inner/"), Vec::new());
        expected.insert(format!("/{name}/inner/only"), b"value".to_vec());
        let large = outer.bucket("large");
        expected.insert(format!("/{name}/large/"), Vec::new());
        for entry in 0..entries {
            let value = format!("{entry}").repeat(1 + entry % 40);
            large.put(&format!("key-{entry:06}"), value.clone().into_bytes());
            expected.insert(format!("/{name}/large/key-{entry:06}"), value.into_bytes());
        }
    }
    // Values over several pages, and the longest keys.
    let large = root.bucket("e");
    for (key, size) in [("k".repeat(1024), 0), ("l".repeat(1024), 5_000), ("m".into(), 70_000)] {
        large.put(&key, vec![7; size]);
        expected.insert(format!("/e/{key}"), vec![7; size]);
    }
    expected.insert("/e/".into(), Vec::new());
    let bytes = file(&root).unwrap();
    assert!(read(&bytes) == expected);
    assert_eq!(file(&root).unwrap(), bytes);
    assert_eq!(read(&file(&Bucket::default()).unwrap()), BTreeMap::new());
}

#[test]
fn what_the_format_does_not_allow_is_refused() {
    let with = |key: &str| {
        let mut root = Bucket::default();
        root.bucket("a").put(key, Vec::new());
        file(&root)
    };
    assert!(matches!(with(""), Err(Error::Malformed { .. })));
    assert!(matches!(with(&"k".repeat(1025)), Err(Error::TooLarge { .. })));
    let mut loose = Bucket::default();
    loose.put("value", Vec::new());
    assert!(matches!(file(&loose), Err(Error::Malformed { .. })));
}
