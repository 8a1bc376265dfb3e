//! The digest is the same whatever happens to the run: other numbers of workers, other places,
//! several processes, kill -9 at several points.
use crate::support::{
    Background, data_dir, digest, figures, in_full, lend, run, said, scenario, wavetank,
};
use sqlx::{Connection, PgConnection};
use std::process::Stdio;

/// The digest of classroom.yaml with its own seed. It changes only when the model, a document or
/// the schema changes: then say so in CHANGELOG.md and put the new one here.
pub(crate) const CLASSROOM: &str =
    "1935beae5f60577c831be41301e691851ca6f67c9ed70db9a03b30d23f63fee0";

/// The digests of four-weeks.yaml with its own seed, after its first week and at its end; they
/// change as that of the classroom does.
const FIRST_WEEK: &str = "4c0402b2dec6efc523614618fb850c9bd8b502e59fea8b19c025cb7e6a845e24";
const FOUR_WEEKS: &str = "370285c533133dbbb12ba7a49a2f770ac4e73b66151f96ecda24a384423432e3";

#[test]
fn the_classroom_has_its_golden_digest() {
    let data = data_dir();
    let mut durable = run("classroom", data.path(), &[]);
    durable.env_remove("WAVETANK_PG_FSYNC").env_remove("WAVETANK_S3_FSYNC");
    let played = figures(durable);
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
    let text = said(&output);
    assert!(output.status.success() && text.contains(CLASSROOM), "{text}");
    assert!(text.contains("no room for as many connections"), "{text}");
    drop(others);
    assert!(lender.stop());
}

/// How much of the four weeks is played, and the digest that it has.
pub(crate) fn four_weeks() -> (&'static str, &'static str) {
    if in_full() { ("28d", FOUR_WEEKS) } else { ("7d", FIRST_WEEK) }
}

#[test]
fn four_weeks_have_their_golden_digest_with_one_worker() {
    let data = data_dir();
    let (until, expected) = four_weeks();
    let more = ["--workers", "1", "--until", until];
    let played = figures(run("four-weeks", data.path(), &more));
    assert_eq!(digest(&played), expected, "seed {}: {until}, 1 worker", played["seed"]);
}

#[test]
fn four_weeks_have_their_golden_digest_with_eight_workers() {
    let data = data_dir();
    let (until, expected) = four_weeks();
    let more = ["--workers", "8", "--until", until];
    let played = figures(run("four-weeks", data.path(), &more));
    assert_eq!(digest(&played), expected, "seed {}: {until}, 8 workers", played["seed"]);
}

/// The whole process is killed five times on the way; each time the same command continues.
#[tokio::test]
async fn four_weeks_have_their_golden_digest_after_five_kills() {
    let data = data_dir();
    let (until, expected) = four_weeks();
    for job in [60, 160, 260, 360, 450] {
        // There are more than 2,000 in all, and more than 500 in the first week.
        let job = if in_full() { 4 * job } else { job };
        let child = Background::start(run("four-weeks", data.path(), &["--until", until]));
        child.kill_at_job(data.path(), job).await;
    }
    let played = figures(run("four-weeks", data.path(), &["--until", until]));
    assert_eq!(digest(&played), expected, "seed {}: {until}, killed five times", played["seed"]);
}

/// One process lends the services, one conducts, two work.
#[test]
fn four_weeks_have_their_golden_digest_split_over_processes() {
    let data = data_dir();
    let (until, expected) = four_weeks();
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
    let mut conduct = with_services(&["conduct", "--to-end", "--until", until]);
    let output = conduct.arg(&file).output().expect("it conducts");
    assert!(output.status.success(), "{}", said(&output));
    for worker in workers {
        assert!(worker.stop(), "a worker stops when it is asked to");
    }
    let output = with_services(&["digest"]).output().expect("a digest");
    assert!(output.status.success(), "{}", said(&output));
    assert!(lender.stop(), "the services stop when they are asked to");
    let digest = String::from_utf8_lossy(&output.stdout);
    assert_eq!(digest.trim(), expected, "{until}, split over processes");
}
