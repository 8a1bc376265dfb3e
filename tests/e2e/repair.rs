//! Damage on the disk: what each command sees of it, and how it is made good.
use crate::support::{data_dir, digest, figures, lend, run, said, wavetank};
use serde_json::Value;
use sqlx::{Connection, PgConnection};
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;
use store::objects::{ObjectStore, Settings};

fn with_data(args: &[&str], data: &Path) -> Output {
    wavetank().args(args).arg("--data-dir").arg(data).output().expect("the program runs")
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", said(output)))
}

/// The files of content-addressed objects, in order.
fn objects(data: &Path) -> Vec<PathBuf> {
    let shards = fs::read_dir(data.join("s3/buckets/wavetank")).expect("a bucket").flatten();
    let files = shards.flat_map(|shard| fs::read_dir(shard.path()).expect("a shard").flatten());
    let mut files: Vec<_> = files.map(|file| file.path()).collect();
    files.retain(|file| file.file_name().is_some_and(|n| n.to_string_lossy().contains("sha256")));
    files.sort();
    files
}

/// The SHA-256 in the name of an object's file.
fn sha256(file: &Path) -> String {
    let name = file.file_name().expect("a name").to_string_lossy();
    name[name.len() - 64..].to_owned()
}

#[test]
fn damaged_files_are_found_named_and_made_again() {
    let data = data_dir();
    let before = digest(&figures(run("classroom", data.path(), &["--until", "3d"])));
    let deep = with_data(&["digest", "--deep"], data.path());
    assert!(deep.status.success(), "{}", said(&deep));
    assert_ne!(stdout(&deep), before);
    let verified = stdout(&with_data(&["verify", "--format", "json"], data.path()));

    let files = objects(data.path());
    assert!(files.len() > 100, "{}", files.len());
    let chosen: Vec<_> = files.iter().step_by(files.len() / 9).collect();
    let flipped = &chosen[..3];
    for file in flipped {
        let mut bytes = fs::read(file).expect("an object");
        bytes[12] ^= 0x10;
        fs::write(file, bytes).expect("a write");
    }
    // The quick digest says in its help that it does not see this.
    assert_eq!(stdout(&with_data(&["digest"], data.path())), before);
    let seen = with_data(&["digest", "--deep"], data.path());
    assert!(!seen.status.success());
    for file in flipped {
        assert!(said(&seen).contains(&sha256(file)), "{}", said(&seen));
    }
    for file in &chosen[3..6] {
        let bytes = fs::read(file).expect("an object");
        fs::write(file, &bytes[..bytes.len() / 2]).expect("a write");
    }
    for file in &chosen[6..9] {
        fs::remove_file(file).expect("gone");
    }
    let found = with_data(&["verify"], data.path());
    assert_eq!(found.status.code(), Some(1));
    for file in &chosen[..9] {
        let place = format!("PROBLEM blobs/sha256/{}: ", sha256(file));
        assert!(said(&found).contains(&place), "{place}: {}", said(&found));
    }

    let repaired = with_data(&["repair", "--format", "json"], data.path());
    assert!(repaired.status.success(), "{}", said(&repaired));
    let repaired = json(&repaired);
    assert_eq!(repaired["made"].as_array().map(Vec::len), Some(9), "{repaired}");
    assert_eq!(stdout(&with_data(&["digest"], data.path())), before);
    assert_eq!(stdout(&with_data(&["digest", "--deep"], data.path())), stdout(&deep));
    assert_eq!(stdout(&with_data(&["verify", "--format", "json"], data.path())), verified);
}

async fn bucket(settings: &HashMap<String, String>) -> ObjectStore {
    let settings = Settings {
        endpoint: settings["S3_ENDPOINT"].clone(),
        region: "us-east-1".to_owned(),
        bucket: "wavetank".to_owned(),
        access_key: settings["S3_ACCESS_KEY"].clone(),
        secret_key: settings["S3_SECRET_KEY"].clone(),
    };
    ObjectStore::connect(&settings).await.expect("the bucket")
}

#[tokio::test(flavor = "multi_thread")]
async fn verify_counts_all_there_is_and_says_what_it_left_out() {
    let data = data_dir();
    figures(run("classroom", data.path(), &["--until", "5d"]));
    let (lender, settings) = lend(data.path());
    let mut conn = PgConnection::connect(&settings["DATABASE_URL"]).await.expect("a connection");
    let verify = |args: &[&str]| {
        let mut command = wavetank();
        command.arg("verify").args(args).args(["--format", "json"]).envs(&settings);
        json(&command.output().expect("the program runs"))
    };
    let problems = |report: &Value| {
        let all = report["problems"].as_array().expect("a list").clone();
        all.into_iter().filter(|p| !p.to_string().contains("not by this key")).collect::<Vec<_>>()
    };
    let whole = verify(&[]);
    assert_eq!(problems(&whole), [Value::Null; 0], "{whole:#}");
    assert_eq!(whole["left_out"], Value::Array(Vec::new()), "{whole:#}");
    let bundles: i64 = sqlx::query_scalar(
        "SELECT (SELECT count(*) FROM attestations) + (SELECT count(*) FROM attestation_replacements)",
    )
    .fetch_one(&mut conn)
    .await
    .expect("a count");
    assert_eq!(whole["bundles"].as_i64(), Some(bundles), "{whole:#}");
    let store = bucket(&settings).await;
    let listed = store.list("").await.expect("objects");
    assert_eq!(whole["objects"].as_u64(), Some(listed.len() as u64), "{whole:#}");
    for (args, what) in [(&["--logs"][..], "versions, bundles and objects"), (&[][..], "")] {
        assert!(verify(args)["left_out"].to_string().contains(what), "{args:?}");
    }

    // An object that no row names, and a row that says something else of its object.
    store.put_content("stray".into(), "text/plain").await.expect("a put");
    let changed = "UPDATE artifacts SET bytes = bytes + 1
                   WHERE (build_id, kind) = (SELECT build_id, kind FROM artifacts LIMIT 1)";
    sqlx::query(changed).execute(&mut conn).await.expect("a change");
    let report = verify(&[]);
    let told = serde_json::to_string(&problems(&report)).expect("JSON");
    assert_eq!(problems(&report).len(), 2, "{told}");
    assert!(told.contains("unreferenced") && told.contains("artifacts, "), "{told}");
    // As long as jobs are under way a row may still come.
    let open = "INSERT INTO ledger (id, queue, phase, at, payload, state)
                VALUES (1, 'notify', 0, '2026-01-12T05:00Z', '{}', 'owed')";
    sqlx::query(open).execute(&mut conn).await.expect("a job");
    let report = verify(&[]);
    assert_eq!(problems(&report).len(), 1, "{report:#}");
    assert!(report["left_out"].to_string().contains("jobs of this world are under way"));
    drop(conn);
    assert!(lender.stop());
}
