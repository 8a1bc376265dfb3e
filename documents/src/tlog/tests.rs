//! Paths as the specification spells them, and a log that can be read back from its tiles alone.

use std::collections::BTreeMap;

use super::*;
use crate::merkle::{leaf_hash, node_hash};

#[test]
fn paths() {
    assert_eq!(hash_tile_path(0, 1_234_067, 256), "tile/0/x001/x234/067");
    assert_eq!(hash_tile_path(1, 0, 3), "tile/1/000.p/3");
    assert_eq!(entries_path(999, 256), "tile/entries/999");
    assert_eq!(entries_path(1000, 17), "tile/entries/x001/000.p/17");
}

fn entries(count: u64) -> Vec<Vec<u8>> {
    (0..count).map(|index| format!("entry {index}").into_bytes()).collect()
}

#[test]
fn tiles_written_in_steps_are_those_of_the_whole() {
    let entries = entries(70_000);
    let mut tree = Tree::default();
    let mut stored = BTreeMap::new();
    let mut old = 0;
    for new in [1, 1, 255, 256, 257, 600, 65_536, 70_000] {
        for entry in &entries[old as usize..new as usize] {
            tree.push(leaf_hash(entry));
        }
        let mut tiles = hash_tiles(&tree, old, new);
        tiles.extend(entry_tiles(old, new, |index| &entries[index as usize]).unwrap());
        stored.extend(tiles.into_iter().map(|tile| (tile.path, tile.bytes)));
        old = new;
    }
    for tile in hash_tiles(&tree, 0, 70_000) {
        assert_eq!(stored[&tile.path], tile.bytes, "{}", tile.path);
    }
    let mut read = Vec::new();
    for index in 0..70_000_u64.div_ceil(TILE_WIDTH) {
        let width = TILE_WIDTH.min(70_000 - index * TILE_WIDTH);
        read.extend(parse_entries(&stored[&entries_path(index, width)]).unwrap());
    }
    assert!(read.iter().zip(&entries).all(|(read, entry)| read == entry));
    assert_eq!(read.len(), entries.len());
    // A hash of level 1 is the root over a full tile of level 0.
    let mut row = parse_hashes(&stored["tile/0/000"]).unwrap().to_vec();
    while row.len() > 1 {
        row = row.chunks(2).map(|pair| node_hash(&pair[0], &pair[1])).collect();
    }
    assert_eq!(parse_hashes(&stored["tile/1/000"]).unwrap()[0], row[0]);
    assert_eq!(parse_hashes(&stored["tile/2/000.p/1"]).unwrap().len(), 1);
    assert_eq!(hash_tiles(&tree, 70_000, 70_000), vec![]);
}

#[test]
fn hostile_tiles() {
    assert!(parse_entries(&[0]).is_err());
    assert!(parse_entries(&[0, 5, 1, 2]).is_err());
    assert!(parse_entries(&[0; 514]).is_err());
    assert_eq!(parse_entries(&[0; 512]).unwrap().len(), 256);
    assert!(parse_hashes(&[]).is_err());
    assert!(parse_hashes(&[0; 33]).is_err());
    assert!(parse_hashes(&[0; 32 * 257]).is_err());
    let large = vec![0; 65_536];
    assert!(entry_tiles(0, 1, |_| &large).is_err());
}
