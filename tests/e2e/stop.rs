//! SIGTERM in the middle of a window that cannot be finished: the process ends all the same, and
//! the same command goes on.
use crate::support::{Background, LIMIT, data_dir, digest, figures, lend, scenario, wavetank};
use sqlx::{Connection, PgConnection};
use std::process::Command;
use std::time::{Duration, Instant};

const WAITS: &str = "SELECT EXISTS (SELECT FROM pg_locks
                                    WHERE relation = 'audit_logs'::regclass AND NOT granted)";

#[tokio::test(flavor = "multi_thread")]
async fn a_process_ends_in_the_middle_of_a_window() {
    let data = data_dir();
    let (lender, settings) = lend(data.path());
    let play = || {
        let mut command = wavetank();
        command.arg("run").arg(scenario("classroom")).args(["--until", "1d", "--format", "json"]);
        command.envs(&settings);
        command
    };
    let url = &settings["DATABASE_URL"];
    let mut other = PgConnection::connect(url).await.expect("a connection");
    let mut held = other.begin().await.expect("a transaction");
    sqlx::query("LOCK TABLE audit_logs").execute(&mut *held).await.expect("the lock");
    let mut running = Background::start(play());
    let began = Instant::now();
    while !sqlx::query_scalar::<_, bool>(WAITS).fetch_one(&mut *held).await.expect("an answer") {
        assert!(began.elapsed() < LIMIT, "the window was never written");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let pid = running.0.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().expect("kill").success());
    let began = Instant::now();
    let status = loop {
        if let Some(status) = running.0.try_wait().expect("a child") {
            break status;
        }
        assert!(began.elapsed() < LIMIT, "it waits for a window that cannot be finished");
        tokio::time::sleep(Duration::from_millis(5)).await;
    };
    assert_eq!(status.code(), Some(130), "stopped, and told so");
    held.rollback().await.expect("the lock is free");
    let continued = digest(&figures(play()));
    let untouched = data_dir();
    let mut command = wavetank();
    command.arg("run").arg(scenario("classroom")).args(["--until", "1d", "--format", "json"]);
    command.arg("--data-dir").arg(untouched.path());
    assert_eq!(continued, digest(&figures(command)));
    other.close().await.expect("closed");
    assert!(lender.stop(), "the services stop when they are asked to");
}
