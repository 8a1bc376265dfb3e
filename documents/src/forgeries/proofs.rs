//! Cases in which something is wrong with the proof that the entry is in the log.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::anew::sign_note;
use super::case::Case;
use super::draft::{
    CHECKPOINT, ENTRY, HASHES, PROOF, PROOF_INDEX, ROOT_HASH, TREE_SIZE, flip, next, read, unusable,
};
use super::rule::Rule;
use crate::checkpoint::Checkpoint;

pub(super) const CASES: &[Case] = &[
    Case::new(
        "proof-missing_fail",
        "There is no inclusion proof.",
        Rule::Bundle,
        "From version 0.2 on a bundle's entries must have one.",
    )
    .changing(&["bundle:/verificationMaterial/tlogEntries/0/inclusionProof"])
    .edited(|draft, _| draft.remove(ENTRY, "inclusionProof")),
    Case::new(
        "proof-index-off_fail",
        "The index in the proof is one too high; the entry's is right.",
        Rule::Inclusion,
        "The path leads from another leaf to the root.",
    )
    .changing(&["bundle:/verificationMaterial/tlogEntries/0/inclusionProof/logIndex"])
    .edited(|draft, _| draft.text(PROOF_INDEX, next)),
    Case::new(
        "proof-hash-flipped_fail",
        "One bit of the first hash of the path is another.",
        Rule::Inclusion,
        "The path does not lead to the root.",
    )
    .changing(&["bundle:/verificationMaterial/tlogEntries/0/inclusionProof/hashes/0"])
    .edited(|draft, _| draft.text(&format!("{HASHES}/0"), flip)),
    Case::new(
        "proof-hash-missing_fail",
        "The last hash of the path is missing.",
        Rule::Inclusion,
        "The path ends below the root.",
    )
    .anew()
    .changing(&["bundle:/verificationMaterial/tlogEntries/0/inclusionProof/hashes/*"])
    .edited(|draft, _| {
        draft.bundle(|bundle| bundle.pointer_mut(HASHES)?.as_array_mut()?.pop().map(|_| ()))
    }),
    Case::new(
        "proof-hash-too-many_fail",
        "The path has its last hash twice.",
        Rule::Inclusion,
        "The path is longer than one in a tree of that size can be.",
    )
    .anew()
    .changing(&["bundle:/verificationMaterial/tlogEntries/0/inclusionProof/hashes/*"])
    .edited(|draft, _| {
        draft.bundle(|bundle| {
            let hashes = bundle.pointer_mut(HASHES)?.as_array_mut()?;
            hashes.push(hashes.last()?.clone());
            Some(())
        })
    }),
    Case::new(
        "proof-hashes-in-reverse_fail",
        "The hashes of the path are in reverse order.",
        Rule::Inclusion,
        "The path goes from the leaf to the root.",
    )
    .anew()
    .changing(&["bundle:/verificationMaterial/tlogEntries/0/inclusionProof/hashes/*"])
    .edited(|draft, _| {
        draft.bundle(|bundle| {
            bundle.pointer_mut(HASHES)?.as_array_mut()?.reverse();
            Some(())
        })
    }),
    Case::new(
        "proof-hashes-of-a-later-tree_fail",
        "The path is that in a later tree of the same log; size, root and checkpoint are as before.",
        Rule::Inclusion,
        "The path leads to the root of another tree.",
    )
    .anew()
    .changing(&["bundle:/verificationMaterial/tlogEntries/0/inclusionProof/hashes/*"])
    .edited(|draft, bench| {
        let name = "proof-hashes-of-a-later-tree_fail";
        let later = bench.bundle(name, bench.later_size())?.to_json()?;
        draft.splice(HASHES, &read(&later)?)
    }),
    Case::new(
        "proof-of-a-later-tree_fail",
        "The whole proof is of a later tree of the same log; only the checkpoint is as before.",
        Rule::Client,
        "Size and root of the proof must be those of the signed checkpoint.",
    )
    .anew()
    .changing(&[
        "bundle:/verificationMaterial/tlogEntries/0/inclusionProof/hashes/*",
        "bundle:/verificationMaterial/tlogEntries/0/inclusionProof/rootHash",
        "bundle:/verificationMaterial/tlogEntries/0/inclusionProof/treeSize",
    ])
    .edited(|draft, bench| {
        let later = bench.bundle("proof-of-a-later-tree_fail", bench.later_size())?.to_json()?;
        let later = read(&later)?;
        [HASHES, ROOT_HASH, TREE_SIZE].iter().try_for_each(|part| draft.splice(part, &later))
    }),
    Case::new(
        "tree-size-off_fail",
        "The size of the tree in the proof is one too high.",
        Rule::Client,
        "Size and root of the proof must be those of the signed checkpoint.",
    )
    .changing(&["bundle:/verificationMaterial/tlogEntries/0/inclusionProof/treeSize"])
    .edited(|draft, _| draft.text(TREE_SIZE, next)),
    Case::new(
        "tree-size-none_fail",
        "The size of the tree in the proof is 0.",
        Rule::Inclusion,
        "No entry is in an empty tree.",
    )
    .changing(&["bundle:/verificationMaterial/tlogEntries/0/inclusionProof/treeSize"])
    .edited(|draft, _| draft.put(TREE_SIZE, "0")),
    Case::new(
        "root-hash-flipped_fail",
        "One bit of the root in the proof is another.",
        Rule::Client,
        "Size and root of the proof must be those of the signed checkpoint.",
    )
    .changing(&["bundle:/verificationMaterial/tlogEntries/0/inclusionProof/rootHash"])
    .edited(|draft, _| draft.text(ROOT_HASH, flip)),
    Case::new(
        "root-hash-short_fail",
        "The root in the proof has 31 bytes.",
        Rule::Inclusion,
        "A root is a SHA-256, which has 32 bytes.",
    )
    .changing(&["bundle:/verificationMaterial/tlogEntries/0/inclusionProof/rootHash"])
    .edited(|draft, _| {
        draft.text(ROOT_HASH, |root| {
            let mut root = STANDARD.decode(root).ok()?;
            root.pop()?;
            Some(STANDARD.encode(root))
        })
    }),
    Case::new(
        "checkpoint-missing_fail",
        "The proof has no checkpoint.",
        Rule::Client,
        "A root that the log has not signed is anybody's.",
    )
    .changing(&["bundle:/verificationMaterial/tlogEntries/0/inclusionProof/checkpoint"])
    .edited(|draft, _| draft.remove(PROOF, "checkpoint")),
    Case::new(
        "checkpoint-flipped_fail",
        "One bit of the checkpoint's signature is another.",
        Rule::SignedNote,
        "The checkpoint must be signed by the log's key.",
    )
    .changing(&["bundle:/verificationMaterial/tlogEntries/0/inclusionProof/checkpoint/envelope"])
    .edited(|draft, _| {
        draft.text(CHECKPOINT, |note| {
            let (start, signature) = note.trim_end().rsplit_once(' ')?;
            Some(format!("{start} {}\n", flip(signature)?))
        })
    }),
    Case::new(
        "checkpoint-unsigned_fail",
        "The checkpoint has no signature.",
        Rule::SignedNote,
        "The checkpoint must be signed by the log's key.",
    )
    .changing(&["bundle:/verificationMaterial/tlogEntries/0/inclusionProof/checkpoint/envelope"])
    .edited(|draft, _| {
        draft.text(CHECKPOINT, |note| Some(format!("{}\n\n", note.split_once("\n\n")?.0)))
    }),
    Case::new(
        "checkpoint-of-another-log_fail",
        "The checkpoint is of another log, of the same size and root, signed by that log.",
        Rule::SignedNote,
        "The checkpoint must be signed by the key of the log that the entry names.",
    )
    .anew()
    .changing(&["bundle:/verificationMaterial/tlogEntries/0/inclusionProof/checkpoint/envelope"])
    .edited(|draft, bench| {
        let origin = bench.stranger.identity.rekor_origin.clone();
        let checkpoint = Checkpoint { origin, ..bench.checkpoint(bench.size)? };
        draft.put(CHECKPOINT, sign_note(&checkpoint, &bench.stranger))
    }),
    Case::new(
        "checkpoint-by-a-stranger_fail",
        "The checkpoint is of this log in all it says, but signed by a stranger's key.",
        Rule::SignedNote,
        "The checkpoint must be signed by the key of the log that the entry names.",
    )
    .anew()
    .changing(&["bundle:/verificationMaterial/tlogEntries/0/inclusionProof/checkpoint/envelope"])
    .edited(|draft, bench| {
        let checkpoint = bench.checkpoint(bench.size)?;
        let name = bench.keys.identity.log_verifier.name();
        draft.put(CHECKPOINT, checkpoint.sign_ecdsa(name, &bench.stranger.log))
    }),
    Case::new(
        "checkpoint-of-a-later-tree_fail",
        "The checkpoint is of a later tree of the same log; the proof is as before.",
        Rule::Client,
        "Size and root of the proof must be those of the signed checkpoint.",
    )
    .anew()
    .changing(&["bundle:/verificationMaterial/tlogEntries/0/inclusionProof/checkpoint/envelope"])
    .edited(|draft, bench| {
        let checkpoint = bench.checkpoint(bench.later_size())?;
        draft.put(CHECKPOINT, bench.note(&checkpoint))
    }),
    Case::new(
        "checkpoint-size-changed_fail",
        "Checkpoint and proof give a size one too high; the checkpoint's signature is as before.",
        Rule::SignedNote,
        "The log has signed another size.",
    )
    .changing(&[
        "bundle:/verificationMaterial/tlogEntries/0/inclusionProof/checkpoint/envelope",
        "bundle:/verificationMaterial/tlogEntries/0/inclusionProof/treeSize",
    ])
    .edited(|draft, _| {
        draft.text(TREE_SIZE, next)?;
        draft.text(CHECKPOINT, |note| {
            let (origin, rest) = note.split_once('\n')?;
            let (size, rest) = rest.split_once('\n')?;
            Some(format!("{origin}\n{}\n{rest}", next(size)?))
        })
    }),
    Case::new(
        "checkpoint-of-a-fork_fail",
        "Proof and checkpoint are of a tree with another first entry, which the log has signed; the \
         path is as before.",
        Rule::Inclusion,
        "The path does not lead to that root.",
    )
    .anew()
    .changing(&[
        "bundle:/verificationMaterial/tlogEntries/0/inclusionProof/checkpoint/envelope",
        "bundle:/verificationMaterial/tlogEntries/0/inclusionProof/rootHash",
    ])
    .edited(|draft, bench| {
        let mut checkpoint = bench.checkpoint(bench.size)?;
        *checkpoint.root.first_mut().ok_or_else(unusable)? ^= 1;
        draft.put(ROOT_HASH, STANDARD.encode(checkpoint.root))?;
        draft.put(CHECKPOINT, bench.note(&checkpoint))
    }),
];
