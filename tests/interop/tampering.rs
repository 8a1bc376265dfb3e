//! Ways to tamper with an export, and what must be reported for each.
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use documents::checkpoint::Checkpoint;
use documents::merkle::{Tree, leaf_hash};
use documents::rekor;
use documents::tlog::{self, TILE_WIDTH};
use documents::world_keys::WorldKeys;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

/// A change to an export.
pub(crate) struct Change {
    pub(crate) name: &'static str,
    pub(crate) make: fn(&Scene<'_>),
    /// The beginning of the place that `wavetank verify` must name; VICTIM is a version's directory.
    pub(crate) place: &'static str,
    /// What it must say there.
    pub(crate) reason: &'static str,
    /// The kinds of checks of `check.py` that must refuse it.
    pub(crate) refused_by: &'static [&'static str],
}

impl Change {
    /// Whether it is the predicate type that is wrong, and nothing else.
    pub(crate) fn is_of_type(&self) -> bool {
        self.reason.contains("predicate type")
    }
}

pub(crate) const CHANGES: &[Change] = &[
    Change {
        name: "a flipped signature byte",
        make: |scene| {
            scene.edit_bundle("provenance", |bundle| {
                flip(bundle, "/dsseEnvelope/signatures/0/sig");
            });
        },
        place: "VICTIM/bundles/provenance.sigstore.json",
        reason: "the signature is not by this key over this payload",
        refused_by: &["dsse", "openssl", "cosign provenance"],
    },
    Change {
        name: "the bundle of another image",
        make: |scene| {
            let name = "bundles/provenance.sigstore.json";
            scene.copy(scene.path.join(&scene.other).join(name), &scene.in_victim(name));
        },
        place: "VICTIM/bundles/provenance.sigstore.json",
        reason: "its subject is sha256:",
        refused_by: &["subject", "cosign provenance"],
    },
    Change {
        name: "a bundle of another predicate type",
        make: |scene| {
            let from = scene.path.join(scene.in_victim("bundles/spdx.sigstore.json"));
            scene.copy(from, &scene.in_victim("bundles/cyclonedx.sigstore.json"));
        },
        place: "VICTIM/bundles/cyclonedx.sigstore.json",
        reason: "its predicate type is https://spdx.dev/Document",
        refused_by: &["predicate-type", "cosign cyclonedx"],
    },
    Change {
        name: "the key of another world",
        make: |scene| {
            scene.copy(scene.another_world.join("keys/signer.pem"), "keys/signer.pem");
        },
        place: "VICTIM/bundles/image-signature.sigstore.json",
        reason: "the signature is not by this key over this payload",
        refused_by: &["dsse", "openssl", "cosign image-signature", "world"],
    },
    Change {
        name: "a tampered log entry",
        make: |scene| {
            scene.edit_bytes(&scene.entries_tile("log"), |tile| {
                let at = tile.windows(12).position(|window| window == b"envelopeHash");
                tile[at.expect("an entry of a bundle")] = b'E';
            })
        },
        place: "log/tile/entries: entry 1",
        reason: "was edited",
        refused_by: &["log", "log-entry"],
    },
    Change {
        name: "a bad inclusion proof",
        make: |scene| {
            scene.edit_bundle("vuln", |bundle| {
                flip(bundle, "/verificationMaterial/tlogEntries/0/inclusionProof/hashes/0");
            });
        },
        place: "VICTIM/bundles/vuln.sigstore.json",
        reason: "the inclusion proof does not lead to the root",
        refused_by: &["log-entry", "cosign vuln"],
    },
    Change {
        name: "a key that is younger than its entries",
        make: |scene| {
            let file = scene.path.join("trusted_root.json");
            let mut root = json(&file);
            root["tlogs"][0]["publicKey"]["validFor"]["start"] = "2036-01-01T00:00:00Z".into();
            fs::write(file, root.to_string()).expect("a write");
        },
        place: "VICTIM/bundles/provenance.sigstore.json",
        reason: "before its key: 2036-01-01T00:00:00Z",
        refused_by: &["log-entry", "cosign provenance"],
    },
    Change {
        // Promised by the log itself: protobuf takes 0 for no time.
        name: "an entry without a time",
        make: |scene| {
            let keys = scene.keys();
            scene.edit_bundle("provenance", |bundle| {
                let entry = &mut bundle["verificationMaterial"]["tlogEntries"][0];
                let text = |value: &Value| value.as_str().expect("text").to_owned();
                let body = STANDARD.decode(text(&entry["canonicalizedBody"])).expect("base64");
                let index = text(&entry["logIndex"]).parse().expect("a number");
                let promise = rekor::promise(&keys.log, &body, index, 0).expect("a promise");
                entry["integratedTime"] = "0".into();
                entry["inclusionPromise"]["signedEntryTimestamp"] = STANDARD.encode(promise).into();
            });
        },
        place: "VICTIM/bundles/provenance.sigstore.json",
        reason: "it has no integrated time",
        refused_by: &["log-entry", "cosign provenance"],
    },
    Change {
        name: "an entry without a promise",
        make: |scene| {
            scene.edit_bundle("provenance", |bundle| {
                let entry = &mut bundle["verificationMaterial"]["tlogEntries"][0];
                entry.as_object_mut().expect("an entry").remove("inclusionPromise");
            });
        },
        place: "VICTIM/bundles/provenance.sigstore.json",
        reason: "inclusionPromise",
        refused_by: &["log-entry"],
    },
    Change {
        // What cosign, sigstore-go and Sigstore's models refuse.
        name: "a bundle with an unknown member",
        make: |scene| scene.edit_bundle("vuln", |bundle| bundle["more"] = 1.into()),
        place: "VICTIM/bundles/vuln.sigstore.json",
        reason: "unknown field `more`",
        refused_by: &["bundle", "cosign vuln"],
    },
    Change {
        // Perfect in itself, and signed by the log: only who remembers the log as it was can tell.
        name: "a forked log",
        make: |scene| {
            scene.sign_another_log(|entries| entries[0] = b"another beginning".to_vec());
        },
        place: "VICTIM/bundles/image-signature.sigstore.json",
        reason: "the log is not consistent with its checkpoint of size",
        refused_by: &["log-entry"],
    },
    Change {
        name: "a truncated log",
        make: |scene| {
            let directory = scene.path.join("log/tile/entries/000");
            fs::remove_file(directory).expect("the first entries are gone");
        },
        place: "log/tile/entries/000",
        reason: "the log was cut: it ends after 0 of",
        refused_by: &["log"],
    },
    Change {
        // The log shows an earlier state of itself, and has signed it.
        name: "a log that was taken back",
        make: |scene| scene.sign_another_log(|entries| entries.truncate(entries.len() / 2)),
        place: "VICTIM/bundles/image-signature.sigstore.json",
        reason: "the log was cut: it has",
        refused_by: &["log-entry"],
    },
    Change {
        name: "a replayed checkpoint of another world",
        make: |scene| scene.copy(scene.another_world.join("log/checkpoint"), "log/checkpoint"),
        place: "log/checkpoint",
        reason: "it is of the log",
        refused_by: &["log"],
    },
    Change {
        name: "a tampered line of the audit log",
        make: |scene| scene.edit_bytes(&scene.entries_tile("audit"), |tile| tile[10] ^= 1),
        place: "audit/tile/entries: entry 0",
        reason: "was edited",
        refused_by: &["audit"],
    },
];

/// An export that may be changed, and what a forger has at hand.
pub(crate) struct Scene<'a> {
    path: &'a Path,
    another_world: &'a Path,
    /// The directory of the version that was logged last: `images/NAME/VERSION`.
    pub(crate) victim: String,
    /// That of a version of another image.
    other: String,
}

impl<'a> Scene<'a> {
    pub(crate) fn of(path: &'a Path, another_world: &'a Path) -> Self {
        let mut versions: Vec<String> = Vec::new();
        for image in children(&path.join("images")) {
            for version in children(&image) {
                let place = version.strip_prefix(path).expect("it is in the export");
                versions.push(place.display().to_string());
            }
        }
        versions.sort_by_key(|version| {
            let bundle = path.join(version).join("bundles/image-signature.sigstore.json");
            let index = json(&bundle)["verificationMaterial"]["tlogEntries"][0]["logIndex"].clone();
            index.as_str().and_then(|index| index.parse::<u64>().ok())
        });
        let (victim, other) = (versions.pop().expect("a version"), versions.remove(0));
        Scene { path, another_world, victim, other }
    }

    /// `NAME/VERSION`.
    pub(crate) fn victim_image(&self) -> &str {
        self.victim.trim_start_matches("images/")
    }

    fn in_victim(&self, name: &str) -> String {
        format!("{}/{name}", self.victim)
    }

    fn copy(&self, from: PathBuf, to: &str) {
        fs::copy(from, self.path.join(to)).expect("a copy");
    }

    fn edit_bundle(&self, kind: &str, edit: impl FnOnce(&mut Value)) {
        let file = self.path.join(self.in_victim(&format!("bundles/{kind}.sigstore.json")));
        let mut bundle = json(&file);
        edit(&mut bundle);
        fs::write(file, bundle.to_string()).expect("a write");
    }

    fn edit_bytes(&self, name: &str, edit: impl FnOnce(&mut Vec<u8>)) {
        let file = self.path.join(name);
        let mut bytes = fs::read(&file).unwrap_or_else(|error| panic!("{name}: {error}"));
        edit(&mut bytes);
        fs::write(file, bytes).expect("a write");
    }

    /// The first tile of a log's entries.
    fn entries_tile(&self, log: &str) -> String {
        format!("{log}/{}", tlog::entries_path(0, self.log_size(log).min(TILE_WIDTH)))
    }

    fn log_size(&self, log: &str) -> u64 {
        let checkpoint = fs::read_to_string(self.path.join(log).join("checkpoint"));
        let size = checkpoint.expect("a checkpoint").lines().nth(1).map(str::parse);
        size.expect("a size").expect("a number")
    }

    /// The keys of the world, private ones too: they follow from scenario and seed.
    fn keys(&self) -> WorldKeys {
        let world = json(&self.path.join("world.json"));
        let text = world["scenario_sha256"].as_str().expect("a digest");
        let seed = &world["seed"];
        let seed = seed.as_u64().or_else(|| seed.as_str()?.parse().ok()).expect("a seed");
        let keys = WorldKeys::of(text, seed, None);
        keys.expect("the world's keys")
    }

    /// Replaces the transparency log by another that the world's own log key has signed.
    fn sign_another_log(&self, edit: impl FnOnce(&mut Vec<Vec<u8>>)) {
        let keys = self.keys();
        let log = self.path.join("log");
        let mut entries = self.entries();
        edit(&mut entries);
        let size = entries.len() as u64;
        let tree = Tree::from_leaf_hashes(entries.iter().map(|entry| leaf_hash(entry)));
        let tiles = tlog::entry_tiles(0, size, |index| &entries[index as usize]);
        fs::remove_dir_all(log.join("tile")).expect("the old tiles are gone");
        for tile in tiles.expect("entries").into_iter().chain(tlog::hash_tiles(&tree, 0, size)) {
            let file = log.join(tile.path);
            fs::create_dir_all(file.parent().expect("a directory")).expect("a directory");
            fs::write(file, tile.bytes).expect("a write");
        }
        let name = keys.identity.log_verifier.name();
        let root = tree.root(size).expect("a root");
        let checkpoint = Checkpoint { origin: name.to_owned(), size, root };
        let note = checkpoint.sign_ed25519(name, &keys.log_checkpoint);
        fs::write(log.join("checkpoint"), note).expect("a write");
    }

    fn entries(&self) -> Vec<Vec<u8>> {
        let size = self.log_size("log");
        let mut entries = Vec::new();
        for index in 0..size.div_ceil(TILE_WIDTH) {
            let path = tlog::entries_path(index, TILE_WIDTH.min(size - index * TILE_WIDTH));
            let tile = fs::read(self.path.join("log").join(path)).expect("a tile");
            let parsed = tlog::parse_entries(&tile).expect("entries");
            entries.extend(parsed.into_iter().map(<[u8]>::to_vec));
        }
        entries
    }
}

/// Flips a bit in the middle of a base64 value.
fn flip(document: &mut Value, pointer: &str) {
    let value = document.pointer_mut(pointer).expect("a value");
    let mut bytes = STANDARD.decode(value.as_str().expect("text")).expect("base64");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    *value = STANDARD.encode(bytes).into();
}

fn json(file: &Path) -> Value {
    let bytes = fs::read(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    serde_json::from_slice(&bytes).expect("JSON")
}

fn children(directory: &Path) -> Vec<PathBuf> {
    let mut children: Vec<PathBuf> = fs::read_dir(directory)
        .expect("a directory")
        .map(|child| child.expect("an entry").path())
        .collect();
    children.sort();
    children
}
