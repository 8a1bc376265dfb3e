//! The evidence of a world: exported, verified, and every change to it detected.
use crate::support::{Background, data_dir, digest, figures, run, said, wavetank};
use serde_json::Value;
use sqlx::{Connection, PgConnection};
use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::Output;

/// A classroom played so far, and its export.
fn exported(seed: &str, until: &str) -> (tempfile::TempDir, tempfile::TempDir) {
    let (data, out) = (data_dir(), data_dir());
    figures(run("classroom", data.path(), &["--seed", seed, "--until", until]));
    let mut export = wavetank();
    export.args(["export", "--all-versions", "--data-dir"]).arg(data.path());
    let written = export.arg(out.path()).output().expect("the program runs");
    assert!(written.status.success(), "{}", said(&written));
    (data, out)
}

fn verify(more: &[&str], envs: &BTreeMap<String, String>) -> Output {
    wavetank().arg("verify").args(more).envs(envs).output().expect("the program runs")
}

/// What `verify` says of a directory, as JSON.
fn report(directory: &Path, more: &[&str]) -> (Option<i32>, Value) {
    let path = directory.to_str().expect("a path");
    let output = verify(&[&[path, "--format", "json"], more].concat(), &BTreeMap::new());
    let json = serde_json::from_slice(&output.stdout);
    (output.status.code(), json.unwrap_or_else(|error| panic!("{error}: {}", said(&output))))
}

/// What the classroom's attacker has done.
const TAMPERED: &str = "images/gateway-legacy/3/bundles/provenance.sigstore.json: DSSE envelope is not to be \
     trusted: the signature is not by this key over this payload";

/// Places and reasons.
fn problems(report: &Value) -> Vec<String> {
    let problems = report["problems"].as_array().into_iter().flatten();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    problems.map(|p| format!("{}: {}", text(&p["place"]), text(&p["reason"]))).collect()
}

/// The first version of the first image.
fn a_version(directory: &Path) -> PathBuf {
    let images = fs::read_dir(directory.join("images")).expect("images");
    let mut versions: Vec<_> = images.map(|image| image.expect("image").path().join("1")).collect();
    versions.sort();
    versions.swap_remove(0)
}

/// Replaces the first `from`; both have the same length, so that nothing else moves.
fn change(file: &Path, from: &str, to: &str) {
    let mut bytes = fs::read(file).expect("a file");
    let place = bytes.windows(from.len()).position(|window| window == from.as_bytes());
    let place = place.unwrap_or_else(|| panic!("{} has no {from:?}", file.display()));
    bytes[place..place + from.len()].copy_from_slice(to.as_bytes());
    fs::write(file, bytes).expect("a write");
}

/// Another character in the middle of a base64 value.
fn flip(file: &Path, key: &str) {
    let text = fs::read_to_string(file).expect("a file");
    let start = text.find(&format!("\"{key}\":\"")).expect("the key") + key.len() + 24;
    let old = text.as_bytes()[start];
    let new = if old == b'A' { b'B' } else { b'A' };
    let mut bytes = text.into_bytes();
    bytes[start] = new;
    fs::write(file, bytes).expect("a write");
}

#[test]
fn an_export_verifies_and_every_change_to_it_is_detected() {
    let (_data, out) = exported("3", "7d");
    let (_other_data, other) = exported("4", "1d");
    // The scenario's own attacker has replaced one bundle, and nothing else is wrong.
    let (status, whole) = report(out.path(), &[]);
    assert_eq!(status, Some(1), "{whole}");
    assert_eq!(problems(&whole), [TAMPERED], "{whole}");
    assert!(whole["versions"].as_u64() > Some(50) && whole["bundles"].as_u64() > Some(250));
    let pem = out.path().join("keys/signer.pem");
    let (_, same) = report(out.path(), &["--key", pem.to_str().expect("a path")]);
    assert_eq!(same, whole);
    let foreign = other.path().join("keys/signer.pem");
    let (status, said) = report(out.path(), &["--key", foreign.to_str().expect("a path")]);
    assert_eq!(status, Some(1));
    assert!(said.to_string().contains("it is another key than the one given"));

    type Change = fn(&Path, &Path);
    let changes: [(&str, Change, &str); 14] = [
        (
            "a flipped signature byte",
            |at, _| flip(&a_version(at).join("bundles/spdx.sigstore.json"), "sig"),
            "the signature is not by this key over this payload",
        ),
        (
            "a changed statement",
            |at, _| flip(&a_version(at).join("bundles/cyclonedx.sigstore.json"), "payload"),
            "the signature is not by this key over this payload",
        ),
        (
            "the bundle of another image",
            |at, _| {
                let mut images: Vec<_> =
                    fs::read_dir(at.join("images")).expect("images").flatten().collect();
                images.sort_by_key(fs::DirEntry::path);
                let name = "1/bundles/provenance.sigstore.json";
                let (from, to) = (images[1].path().join(name), images[0].path().join(name));
                fs::copy(from, to).expect("a copy");
            },
            "its subject is sha256:",
        ),
        (
            "a bundle of another kind",
            |at, _| {
                let bundles = a_version(at).join("bundles");
                let (from, to) = ("provenance.sigstore.json", "spdx.sigstore.json");
                fs::copy(bundles.join(from), bundles.join(to)).expect("a copy");
            },
            "its predicate type is https://slsa.dev/provenance/v1",
        ),
        (
            "another world's key",
            |at, other| {
                fs::copy(other.join("keys/signer.pem"), at.join("keys/signer.pem")).expect("copy");
            },
            "the signature is not by this key over this payload",
        ),
        (
            "an SBOM that was changed",
            |at, _| change(&a_version(at).join("sbom.spdx.json"), "SPDX-2.3", "SPDX-2.2"),
            "sbom.spdx.json",
        ),
        (
            "a layer that was changed",
            |at, _| {
                let blobs = a_version(at).join("oci/blobs/sha256");
                for blob in fs::read_dir(blobs).expect("blobs").flatten() {
                    let mut bytes = fs::read(blob.path()).expect("a blob");
                    bytes.push(b' ');
                    fs::write(blob.path(), bytes).expect("a write");
                }
            },
            "its digest is sha256:",
        ),
        (
            "a level that nothing proves",
            |at, _| {
                change(&a_version(at).join("slsa.json"), "\"slsa_level\": 2", "\"slsa_level\": 3");
                change(&a_version(at).join("image.json"), "\"slsa_level\": 2", "\"slsa_level\": 3");
            },
            "it says level 3, proven is 2",
        ),
        (
            "a log entry that was changed",
            |at, _| change(&at.join("log/tile/entries/000"), "envelopeHash", "envelopeHush"),
            "entry 1 was edited",
        ),
        (
            "a bad inclusion proof",
            |at, _| {
                let file = a_version(at).join("bundles/image-signature.sigstore.json");
                let text = fs::read_to_string(&file).expect("a bundle");
                let mut bundle: Value = serde_json::from_str(&text).expect("JSON");
                let proof = &mut bundle["verificationMaterial"]["tlogEntries"][0]["inclusionProof"];
                let hashes = proof["hashes"].as_array_mut().expect("hashes");
                hashes.reverse();
                hashes.push(hashes[0].clone());
                fs::write(file, bundle.to_string()).expect("a write");
            },
            "the inclusion proof does not lead to the root",
        ),
        (
            "a log that was cut",
            |at, _| {
                let tiles = at.join("log/tile/entries");
                for tile in fs::read_dir(tiles).expect("tiles").flatten() {
                    if tile.path().is_dir() {
                        fs::remove_dir_all(tile.path()).expect("gone");
                    }
                }
            },
            "the log was cut: it ends after 512 of",
        ),
        (
            "a checkpoint of another world",
            |at, other| {
                fs::copy(other.join("log/checkpoint"), at.join("log/checkpoint")).expect("a copy");
            },
            "it is of the log",
        ),
        (
            "an audit line that was changed",
            |at, _| {
                for tile in fs::read_dir(at.join("audit/tile/entries/000.p")).expect("p").flatten()
                {
                    change(&tile.path(), "image.publish", "image.pubLish");
                }
            },
            "entry 0 was edited",
        ),
        (
            "a document that is gone",
            |at, _| fs::remove_file(a_version(at).join("provenance.json")).expect("gone"),
            "provenance.json",
        ),
    ];
    for (name, change, reason) in changes {
        let copy = data_dir();
        let copied = std::process::Command::new("cp")
            .arg("-a")
            .arg(out.path().join("."))
            .arg(copy.path())
            .status();
        assert!(copied.expect("cp").success());
        change(copy.path(), other.path());
        let (status, report) = report(copy.path(), &[]);
        assert_eq!(status, Some(1), "{name}: {report}");
        let mut new = problems(&report);
        new.retain(|problem| problem != TAMPERED);
        assert!(new.concat().contains(reason), "{name}: {report}");
    }
}

#[test]
fn a_given_key_signs_and_must_stay_the_same() {
    let data = data_dir();
    let keys = data_dir();
    let path = |name: &str| keys.path().join(name).to_str().expect("a path").to_owned();
    let openssl = |args: &[&str]| {
        let done = std::process::Command::new("openssl").args(args).output().expect("openssl");
        assert!(done.status.success(), "{}", said(&done));
    };
    let (own, public, foreign) = (path("own.pem"), path("own.pub"), path("foreign.pem"));
    for key in [&own, &foreign] {
        openssl(&[
            "genpkey",
            "-algorithm",
            "EC",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-out",
            key,
        ]);
    }
    openssl(&["pkey", "-in", &own, "-pubout", "-out", &public]);
    let until = ["--until", "2d", "--signing-key"];
    let first = figures(run("classroom", data.path(), &[&until[..], &[&own]].concat()));
    let derived = figures(run("classroom", data_dir().path(), &["--until", "2d"]));
    assert_eq!(first["builds"], derived["builds"], "who signs changes nothing that happens");
    assert_ne!(digest(&first), digest(&derived));
    for wrong in [&["--until", "3d"][..], &["--until", "3d", "--signing-key", &foreign]] {
        let refused = run("classroom", data.path(), wrong).output().expect("the program runs");
        assert!(!refused.status.success());
        assert!(said(&refused).contains("the signing key"), "{}", said(&refused));
    }
    let mut check = wavetank();
    check.args(["verify", "--key", &public, "--data-dir"]).arg(data.path());
    let verified = check.output().expect("the program runs");
    assert!(verified.status.success(), "{}", said(&verified));
    let again = figures(run("classroom", data.path(), &[&until[..], &[&own]].concat()));
    assert_eq!(digest(&again), digest(&first));
}

#[test]
fn a_directory_that_is_not_an_export_is_refused() {
    let empty = data_dir();
    let path = empty.path().to_str().expect("a path");
    let output = verify(&[path], &BTreeMap::new());
    assert!(!output.status.success());
    assert!(said(&output).contains("is no export"), "{}", said(&output));
    fs::write(empty.path().join("x"), "x").expect("a file");
    let mut export = wavetank();
    export.args(["export", path, "--data-dir"]).arg(empty.path().join("data"));
    let output = export.output().expect("the program runs");
    assert!(!output.status.success(), "{}", said(&output));
}

#[tokio::test(flavor = "multi_thread")]
async fn changed_rows_are_detected() {
    let data = data_dir();
    let before = digest(&figures(run("classroom", data.path(), &[])));
    let mut lend = wavetank();
    lend.arg("services").arg("--data-dir").arg(data.path());
    let mut lent = Background::start(lend);
    let stdout = lent.0.stdout.take().expect("its output");
    let envs: BTreeMap<String, String> = BufReader::new(stdout)
        .lines()
        .take(5)
        .map(|line| {
            let line = line.expect("a line");
            let (name, value) = line.trim_start_matches("export ").split_once('=').expect("=");
            (name.to_owned(), value.trim_matches('\'').to_owned())
        })
        .collect();
    let mut conn = PgConnection::connect(&envs["DATABASE_URL"]).await.expect("a connection");
    let world = verify(&["--format", "json"], &envs);
    let world: Value = serde_json::from_slice(&world.stdout).expect("JSON");
    assert_eq!(problems(&world), [TAMPERED], "{world}");
    let one: String = sqlx::query_scalar("SELECT digest FROM image_versions ORDER BY 1 LIMIT 1")
        .fetch_one(&mut conn)
        .await
        .expect("a digest");
    let image = verify(&[&one], &envs);
    assert!(said(&image).contains("verified 1 versions"), "{}", said(&image));
    let none = verify(&[&format!("sha256:{}", "0".repeat(64))], &envs);
    assert!(said(&none).contains("no image version"), "{}", said(&none));

    let backup = "CREATE TABLE audit_backup AS SELECT * FROM audit_logs;
                  CREATE TABLE attestations_backup AS SELECT * FROM attestations;
                  CREATE TABLE replaced_backup AS SELECT * FROM attestation_replacements";
    sqlx::raw_sql(backup).execute(&mut conn).await.expect("a backup");
    const NTH: &str = "(SELECT id FROM audit_logs ORDER BY id OFFSET 5 LIMIT 1)";
    let edit = format!("UPDATE audit_logs SET actor = 'mallory' WHERE id = {NTH}");
    let delete = format!("DELETE FROM audit_logs WHERE id = {NTH}");
    let swap = "WITH two AS (
                    SELECT id, lead(object) OVER (ORDER BY id) AS next,
                           lag(object) OVER (ORDER BY id) AS last,
                           lead(detail) OVER (ORDER BY id) AS next_detail,
                           lag(detail) OVER (ORDER BY id) AS last_detail
                    FROM (SELECT * FROM audit_logs ORDER BY id OFFSET 5 LIMIT 2) AS pair)
                UPDATE audit_logs a SET object = coalesce(next, last),
                       detail = coalesce(next_detail, last_detail)
                FROM two WHERE a.id = two.id";
    let insert = "INSERT INTO audit_logs (id, at, actor, action, object, tenant_namespace, detail,
                                          leaf_hash)
                  SELECT min(id) - 1, min(at), 'mallory', 'image.publish', 'image/0', 'catalogue',
                         '{}', decode(repeat('00', 32), 'hex') FROM audit_logs";
    let truncate = "DELETE FROM audit_logs WHERE id > (SELECT avg(id) FROM audit_logs)";
    let fork = format!("UPDATE audit_logs SET actor = 'mallory' WHERE id >= {NTH}");
    let forge = "UPDATE attestations SET signature = signature || '\\x00'
                 WHERE log_index = (SELECT max(log_index) / 2 FROM attestations)";
    let lose = "DELETE FROM attestations
                WHERE log_index = (SELECT max(log_index) / 2 FROM attestations)";
    for (sql, reason) in [
        (edit.as_str(), "audit_logs: entry 5 was edited (row"),
        (&delete, "audit_logs: entry 5 was deleted"),
        (swap, "audit_logs: entry 5 "),
        (insert, "audit_logs: entry 0 was never recorded"),
        (truncate, "audit_logs: the list was cut after"),
        (&fork, "audit_logs: another history from entry 5 on"),
        (forge, "attestations: entry"),
        (lose, "attestations: entry"),
    ] {
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut conn).await.expect("a change");
        let found = verify(&["--logs"], &envs);
        assert_eq!(found.status.code(), Some(1), "{sql}: {}", said(&found));
        assert!(said(&found).contains(reason), "{sql}: {}", said(&found));
        let restore = "TRUNCATE audit_logs, attestations, attestation_replacements;
                       INSERT INTO audit_logs SELECT * FROM audit_backup;
                       INSERT INTO attestations SELECT * FROM attestations_backup;
                       INSERT INTO attestation_replacements SELECT * FROM replaced_backup";
        sqlx::raw_sql(restore).execute(&mut conn).await.expect("as before");
    }
    sqlx::raw_sql("DROP TABLE audit_backup, attestations_backup, replaced_backup")
        .execute(&mut conn)
        .await
        .unwrap();
    drop(conn);
    let again = wavetank().arg("digest").envs(&envs).output().expect("the program runs");
    assert_eq!(String::from_utf8_lossy(&again.stdout).trim(), before);
    assert!(lent.stop());
}
