//! The digest is the same whatever happens to the run: other numbers of workers, other places,
//! several processes, kill -9 at random moments.
use crate::support::{Background, data_dir, digest, figures, lend, run, scenario, wavetank};
use serde_json::Value;
use sqlx::{Connection, PgConnection};
use std::process::Stdio;
use std::time::Duration;

/// The digest of classroom.yaml with its own seed. It changes only when the model, a document or
/// the schema changes: then say so in CHANGELOG.md and put the new one here.
pub(crate) const CLASSROOM: &str =
    "981d038c57dafa459f584dc1f52d0e4d2534d17dec01847c9d947a05a1486ce1";

#[test]
fn the_classroom_has_its_golden_digest() {
    let data = data_dir();
    let played = figures(run("classroom", data.path(), &[]));
    assert_eq!(digest(&played), CLASSROOM, "seed {}: {played:#}", played["seed"]);
    for field in
        ["wall_seconds", "events", "builds", "findings", "violations", "artifacts", "bytes"]
    {
        let value = played[field].as_f64().unwrap_or(0.0);
        assert!(value > 0.0, "{field} is {value} in {played:#}");
    }
    // Playing a world that is at its end changes nothing.
    let again = figures(run("classroom", data.path(), &["--workers", "2"]));
    assert_eq!(digest(&again), CLASSROOM, "seed {}", again["seed"]);
    // A longer run goes on from there.
    let longer = figures(run("classroom", data.path(), &["--until", "8d"]));
    assert_ne!(digest(&longer), CLASSROOM, "seed {}", longer["seed"]);
}

#[test]
fn many_workers_have_the_connections_they_need() {
    let data = data_dir();
    let played = figures(run("classroom", data.path(), &["--workers", "16"]));
    assert_eq!(digest(&played), CLASSROOM, "seed {}: 16 workers", played["seed"]);
}

/// A server that others use too: what is left of its 100 connections must do.
#[tokio::test]
async fn fewer_workers_run_when_the_server_is_crowded() {
    let data = data_dir();
    let (lender, settings) = lend(data.path());
    let mut others = Vec::new();
    for _ in 0..64 {
        let other = PgConnection::connect(&settings["DATABASE_URL"]).await;
        others.push(other.expect("a connection"));
    }
    let mut command = run("classroom", data.path(), &["--workers", "16"]);
    command.envs(&settings);
    let output = command.output().expect("the program runs");
    let said = crate::support::said(&output);
    assert!(output.status.success() && said.contains(CLASSROOM), "{said}");
    assert!(said.contains("no room for as many connections"), "{said}");
    drop(others);
    assert!(lender.stop());
}

#[test]
fn four_weeks_have_one_digest_for_any_workers_and_after_any_kill() {
    let (one, eight) = (data_dir(), data_dir());
    let of_one = figures(run("four-weeks", one.path(), &["--workers", "1"]));
    let of_eight = figures(run("four-weeks", eight.path(), &["--workers", "8"]));
    assert_eq!(digest(&of_one), digest(&of_eight), "seed {}: 1 and 8 workers", of_one["seed"]);
    let killed = killed_five_times();
    assert_eq!(digest(&of_one), digest(&killed), "seed {}: killed five times", of_one["seed"]);
    let split = split_over_processes();
    assert_eq!(digest(&of_one), split, "seed {}: conduct and two workers", of_one["seed"]);
}

/// Kills the whole process at five moments of the run, each time starting the same command again.
fn killed_five_times() -> Value {
    let data = data_dir();
    // Another moment in every test run; the failure of an assertion prints them.
    let mut noise = u64::from(std::process::id()) | 1;
    let mut moments = Vec::new();
    while moments.len() < 5 {
        noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let after = Duration::from_millis(900 + (noise >> 33) % 2_200);
        let mut child = Background::start(run("four-weeks", data.path(), &[]));
        std::thread::sleep(after);
        if child.0.try_wait().expect("a child").is_some() {
            // It was faster: the world is at its end already, which the digest will judge.
            break;
        }
        child.0.kill().expect("kill -9");
        child.0.wait().expect("it ends");
        moments.push(after);
    }
    eprintln!("killed after {moments:?}");
    figures(run("four-weeks", data.path(), &[]))
}

/// One process lends the services, one conducts, two work.
fn split_over_processes() -> String {
    let data = data_dir();
    let (lender, settings) = lend(data.path());
    let with_services = |arguments: &[&str]| {
        let mut command = wavetank();
        command.args(arguments).envs(&settings);
        command
    };
    let workers: Vec<Background> = (0..2)
        .map(|_| {
            let mut command = with_services(&["worker", "--workers", "2"]);
            command.stderr(Stdio::null());
            Background(command.spawn().expect("a worker"))
        })
        .collect();
    let file = scenario("four-weeks");
    let mut conduct = with_services(&["conduct", "--to-end"]);
    let output = conduct.arg(&file).output().expect("it conducts");
    assert!(output.status.success(), "{}", crate::support::said(&output));
    for worker in workers {
        assert!(worker.stop(), "a worker stops when it is asked to");
    }
    let output = with_services(&["digest"]).output().expect("a digest");
    assert!(output.status.success(), "{}", crate::support::said(&output));
    assert!(lender.stop(), "the services stop when they are asked to");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}
