//! Roots against RFC 6962's published vectors and its definition; every proof of all small trees.

use super::*;

fn leaf(index: u64) -> Hash {
    leaf_hash(&index.to_be_bytes())
}

fn tree(size: u64) -> Tree {
    Tree::from_leaf_hashes((0..size).map(leaf))
}

/// The definition in RFC 6962, section 2.1, word for word.
fn by_definition(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => empty_root(),
        [one] => *one,
        _ => {
            let (left, right) = leaves.split_at(split(leaves.len() as u64) as usize);
            node_hash(&by_definition(left), &by_definition(right))
        }
    }
}

#[test]
fn published_roots() {
    // The reference leaves of the certificate-transparency project's test data.
    let leaves = [
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    ];
    let tree = Tree::from_leaf_hashes(leaves.map(|text| leaf_hash(&hex::decode(text).unwrap())));
    for (size, root) in [
        (0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        (1, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"),
        (2, "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"),
        (3, "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"),
        (8, "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"),
    ] {
        assert_eq!(hex::encode(tree.root(size).unwrap()), root, "size {size}");
    }
}

#[test]
fn roots_follow_the_definition() {
    let leaves: Vec<Hash> = (0..130).map(leaf).collect();
    let tree = tree(130);
    for size in 0..=130 {
        assert_eq!(tree.root(size), Some(by_definition(&leaves[..size as usize])));
    }
    assert_eq!(tree.root(131), None);
}

#[test]
fn every_inclusion_proof_holds_and_no_other_does() {
    let tree = tree(70);
    for size in 1..=70 {
        let root = tree.root(size).unwrap();
        for index in 0..size {
            let proof = tree.inclusion_proof(index, size).unwrap();
            assert!(verify_inclusion(&leaf(index), index, size, &proof, &root));
            assert!(!verify_inclusion(&leaf(index + 1), index, size, &proof, &root));
            assert!(!verify_inclusion(&leaf(index), index ^ 1, size, &proof, &root) || size == 1);
            assert!(!verify_inclusion(&leaf(index), index, size, &proof, &leaf(0)) || size == 1);
            let mut longer = proof.clone();
            longer.push(leaf(0));
            assert!(!verify_inclusion(&leaf(index), index, size, &longer, &root));
            for at in 0..proof.len() {
                let mut changed = proof.clone();
                changed[at][7] ^= 1;
                assert!(!verify_inclusion(&leaf(index), index, size, &changed, &root));
            }
            if let Some((_, shorter)) = proof.split_last() {
                assert!(!verify_inclusion(&leaf(index), index, size, shorter, &root));
            }
        }
        assert_eq!(tree.inclusion_proof(size, size), None);
    }
    assert_eq!(tree.inclusion_proof(0, 71), None);
    assert!(!verify_inclusion(&leaf(0), 0, 0, &[], &empty_root()));
}

#[test]
fn every_consistency_proof_holds_and_no_other_does() {
    let (tree, mut forked) = (tree(70), Tree::default());
    for index in 0..70 {
        forked.push(if index == 5 { leaf(99) } else { leaf(index) });
    }
    for new in 0..=70 {
        let new_root = tree.root(new).unwrap();
        for old in 0..=new {
            let old_root = tree.root(old).unwrap();
            let proof = tree.consistency_proof(old, new).unwrap();
            assert!(verify_consistency(old, new, &proof, &old_root, &new_root), "{old} {new}");
            for at in 0..proof.len() {
                let mut changed = proof.clone();
                changed[at][7] ^= 1;
                assert!(!verify_consistency(old, new, &changed, &old_root, &new_root));
            }
            if let Some((_, shorter)) = proof.split_last() {
                assert!(!verify_consistency(old, new, shorter, &old_root, &new_root));
            }
            let mut longer = proof.clone();
            longer.push(leaf(0));
            assert!(!verify_consistency(old, new, &longer, &old_root, &new_root));
            if old > 5 {
                let forked_root = forked.root(old).unwrap();
                assert!(!verify_consistency(old, new, &proof, &forked_root, &new_root));
            }
        }
        assert!(!verify_consistency(new + 1, new, &[], &new_root, &new_root));
    }
    assert_eq!(tree.consistency_proof(1, 71), None);
}

#[test]
fn sizes_at_the_edge_do_not_overflow() {
    assert!(!verify_inclusion(&leaf(0), u64::MAX - 1, u64::MAX, &[leaf(1); 64], &leaf(2)));
    assert!(!verify_consistency(1, u64::MAX, &[leaf(1); 64], &leaf(2), &leaf(3)));
}
