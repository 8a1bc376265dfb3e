//! The embedded server in real life: a first start, a restart, clean stops, and every way to die.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    os::unix::{fs::PermissionsExt as _, process::CommandExt as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::{Pid, geteuid},
};
use sqlx::{Connection as _, PgConnection};

use super::*;
use crate::DataDir;

const CHILD_DIR: &str = "WAVETANK_TEST_CHILD_DIR";

fn quick() -> PostgresOptions {
    PostgresOptions { fsync: false, ..PostgresOptions::default() }
}

/// A directory that root's PostgreSQL user can pass through.
fn data_dir() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    dir
}

async fn connect(server: &EmbeddedPostgres) -> PgConnection {
    PgConnection::connect(&server.url()).await.unwrap()
}

/// The processes that work in the cluster's directory.
fn processes_in(pgdata: &Path) -> Vec<i32> {
    let pids = fs::read_dir("/proc").unwrap().filter_map(|entry| {
        let pid: i32 = entry.ok()?.file_name().to_str()?.parse().ok()?;
        let dir = fs::read_link(format!("/proc/{pid}/cwd")).ok()?;
        (dir == pgdata).then_some(pid)
    });
    pids.collect()
}

fn postmaster(pgdata: &Path) -> Pid {
    Pid::from_raw(lock::holder(pgdata).parse().unwrap())
}

fn wait_until(what: &str, seconds: u64, mut done: impl FnMut() -> bool) {
    let since = Instant::now();
    while !done() {
        assert!(since.elapsed() < Duration::from_secs(seconds), "{what}: not in {seconds} s");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[tokio::test]
async fn starts_keeps_and_stops() {
    let dir = data_dir();
    let locked = DataDir::open(dir.path()).unwrap();
    // With the settings of real life: durable.
    let server = EmbeddedPostgres::start(locked.path(), PostgresOptions::default()).await.unwrap();
    let mut connection = connect(&server).await;
    sqlx::raw_sql(
        "CREATE EXTENSION hstore; CREATE EXTENSION pgcrypto;
         CREATE TABLE t (x int); INSERT INTO t VALUES (7)",
    )
    .execute(&mut connection)
    .await
    .unwrap();
    let fsync: String = sqlx::query_scalar("SHOW fsync").fetch_one(&mut connection).await.unwrap();
    assert_eq!(fsync, "on");
    let tcp: String =
        sqlx::query_scalar("SHOW listen_addresses").fetch_one(&mut connection).await.unwrap();
    assert_eq!(tcp, "");
    let socket = server.socket.path().to_owned();
    assert!(socket.join(socket::SOCKET).as_os_str().len() <= 107);

    // An open session does not hold the stop up.
    let pgdata = locked.path().join("postgres");
    server.stop().await;
    assert_eq!(processes_in(&pgdata), Vec::<i32>::new());
    assert!(!socket.exists());
    assert!(!pgdata.join("postmaster.pid").exists());

    let server = EmbeddedPostgres::start(locked.path(), PostgresOptions::default()).await.unwrap();
    let mut connection = connect(&server).await;
    let kept: i32 = sqlx::query_scalar("SELECT x FROM t").fetch_one(&mut connection).await.unwrap();
    assert_eq!(kept, 7);
    drop(server);
    assert_eq!(processes_in(&pgdata), Vec::<i32>::new());
}

#[tokio::test]
async fn a_killed_server_comes_back_at_the_same_address() {
    let dir = data_dir();
    let pgdata = dir.path().join("postgres");
    let server = EmbeddedPostgres::start(dir.path(), quick()).await.unwrap();
    let url = server.url();
    let mut connection = connect(&server).await;
    sqlx::query("CREATE TABLE t (x int)").execute(&mut connection).await.unwrap();
    let first = postmaster(&pgdata);
    kill(first, Signal::SIGKILL).unwrap();
    let since = Instant::now();
    loop {
        if let Ok(mut connection) = PgConnection::connect(&url).await
            && sqlx::query("SELECT FROM t").execute(&mut connection).await.is_ok()
            && postmaster(&pgdata) != first
        {
            break;
        }
        assert!(since.elapsed() < Duration::from_secs(60), "the server did not come back");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(server.url(), url);
    server.stop().await;
    assert_eq!(processes_in(&pgdata), Vec::<i32>::new());
}

#[tokio::test]
async fn a_server_that_cannot_come_back_says_why() {
    let dir = data_dir();
    let pgdata = dir.path().join("postgres");
    let server = EmbeddedPostgres::start(dir.path(), quick()).await.unwrap();
    assert_eq!(server.failure(), None);
    fs::rename(pgdata.join("global"), pgdata.join("lost")).unwrap();
    kill(postmaster(&pgdata), Signal::SIGKILL).unwrap();
    wait_until("it gives up", 60, || server.failure().is_some());
    let reason = server.failure().unwrap();
    assert!(reason.contains("did not start") && reason.contains("hint: "), "{reason}");
}

/// Not a test of its own: what `kill -9` is tried on. The tests below run this binary again.
#[tokio::test]
#[ignore = "run by other tests, in a process of its own"]
async fn child() {
    let Some(dir) = std::env::var_os(CHILD_DIR).map(PathBuf::from) else { return };
    match EmbeddedPostgres::start(&dir, quick()).await {
        Ok(_server) => {
            println!("\nready");
            std::thread::sleep(Duration::from_secs(60));
        }
        Err(error) => println!("\nerror {}", error.to_string().replace('\n', " | ")),
    }
}

/// Runs `child` in a process of its own; gives its first word.
fn run_child(exe: &Path, dir: &Path, uid: Option<u32>) -> (Child, String) {
    let mut command = Command::new(exe);
    command
        .args(["--exact", "postgres::tests::child", "--ignored", "--nocapture"])
        .env(CHILD_DIR, dir)
        .current_dir("/")
        .stdout(Stdio::piped());
    if let Some(uid) = uid {
        command.uid(uid).gid(uid);
    }
    let mut child = command.spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let word = lines.into_iter().find(|l| l == "ready" || l.starts_with("error"));
    (child, word.unwrap_or_default())
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn no_process_outlives_a_killed_parent_and_the_next_start_is_clean() {
    let dir = data_dir();
    let pgdata = dir.path().join("postgres");
    let exe = std::env::current_exe().unwrap();
    for round in 0..3 {
        let (mut child, word) = run_child(&exe, dir.path(), None);
        assert_eq!(word, "ready");
        assert!(!processes_in(&pgdata).is_empty());
        let socket = fs::read_to_string(dir.path().join("postgres.socket")).unwrap();
        let postmaster = postmaster(&pgdata);
        child.kill().unwrap();
        child.wait().unwrap();
        if round == 1 {
            // The worst case: both are killed, and the lock file stays.
            let _ = kill(postmaster, Signal::SIGKILL);
        }
        if round == 2 {
            // At once: the earlier server may still be shutting down.
            let server = EmbeddedPostgres::start(dir.path(), quick()).await.unwrap();
            connect(&server).await;
            assert!(!Path::new(socket.trim()).exists(), "{socket} was left");
            server.stop().await;
        }
        wait_until("orphans end", 60, || processes_in(&pgdata).is_empty());
    }
}

#[cfg(target_os = "linux")]
#[test]
fn killed_while_it_makes_the_cluster_it_makes_it_again() {
    let dir = data_dir();
    let exe = std::env::current_exe().unwrap();
    let mut child = Command::new(&exe)
        .args(["--exact", "postgres::tests::child", "--ignored", "--nocapture"])
        .env(CHILD_DIR, dir.path())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let unfinished = || {
        let names = fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name());
        names.filter(|name| name.to_string_lossy().starts_with("postgres.making-")).count()
    };
    wait_until("initdb begins", 60, || unfinished() > 0);
    child.kill().unwrap();
    child.wait().unwrap();
    let (mut child, word) = run_child(&exe, dir.path(), None);
    assert_eq!(word, "ready");
    child.kill().unwrap();
    child.wait().unwrap();
    let pgdata = dir.path().join("postgres");
    wait_until("orphans end", 60, || processes_in(&pgdata).is_empty());
    socket::remove_leftover(&dir.path().join("postgres.socket"));
}

#[tokio::test]
async fn a_stale_lock_that_names_a_living_stranger_does_not_block() {
    let dir = data_dir();
    let pgdata = dir.path().join("postgres");
    EmbeddedPostgres::start(dir.path(), quick()).await.unwrap().stop().await;
    // As after a container's restart: the process id in the file is somebody else's now.
    let mut stranger = Command::new("sleep").arg("60").current_dir("/").spawn().unwrap();
    let text = format!("{}\n{}\n1\n5432\n/tmp\n\n  1  1\nready\n", stranger.id(), pgdata.display());
    fs::write(pgdata.join("postmaster.pid"), text).unwrap();
    let server = EmbeddedPostgres::start(dir.path(), quick()).await;
    stranger.kill().unwrap();
    stranger.wait().unwrap();
    if cfg!(target_os = "linux") {
        connect(&server.unwrap()).await;
    }
}

#[tokio::test]
async fn a_cluster_of_another_version_is_left_alone() {
    let dir = data_dir();
    let pgdata = dir.path().join("postgres");
    fs::create_dir(&pgdata).unwrap();
    let account = Account::choose(Path::new("/nonexistent/cluster")).unwrap();
    account.own(&pgdata).unwrap();
    fs::write(pgdata.join("PG_VERSION"), "9\n").unwrap();
    let error = EmbeddedPostgres::start(dir.path(), quick()).await.unwrap_err();
    let message = error.to_string();
    assert!(matches!(error, EmbeddedError::ClusterVersion { .. }), "{message}");
    assert!(message.contains("made by PostgreSQL 9"), "{message}");
    assert_eq!(message.lines().count(), 2, "{message}");
    assert_eq!(fs::read_dir(&pgdata).unwrap().count(), 1);
}

#[tokio::test]
async fn a_server_that_is_too_old_is_named() {
    let dir = data_dir();
    for name in ["initdb", "postgres"] {
        let program = dir.path().join(name);
        fs::write(&program, "#!/bin/sh\necho 'postgres (PostgreSQL) 12.3'\n").unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let options = PostgresOptions { bin_dir: Some(dir.path().into()), ..quick() };
    let data = data_dir();
    let error = EmbeddedPostgres::start(data.path(), options).await.unwrap_err();
    let message = error.to_string();
    assert!(matches!(error, EmbeddedError::PostgresTooOld { .. }), "{message}");
    assert!(message.contains("12.3"), "{message}");
    assert_eq!(fs::read_dir(data.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn root_is_told_which_directory_keeps_its_server_out() {
    if !geteuid().is_root() {
        return;
    }
    let dir = data_dir();
    let private = dir.path().join("private");
    let data = private.join("data");
    fs::create_dir_all(&data).unwrap();
    fs::set_permissions(&private, fs::Permissions::from_mode(0o700)).unwrap();
    let error = EmbeddedPostgres::start(&data, quick()).await.unwrap_err();
    let message = error.to_string();
    assert!(matches!(error, EmbeddedError::Unreachable { .. }), "{message}");
    assert!(message.contains(&format!("chmod o+x {}", private.display())), "{message}");
}

/// As root, the same program is run as an ordinary user and as one without a name.
#[cfg(target_os = "linux")]
#[test]
fn runs_as_an_ordinary_user_but_not_as_a_nameless_one() {
    if !geteuid().is_root() {
        return;
    }
    let base = data_dir();
    let exe = base.path().join("test-program");
    fs::copy(std::env::current_exe().unwrap(), &exe).unwrap();
    let nobody = nix::unistd::User::from_name("nobody").unwrap().unwrap().uid.as_raw();
    for (uid, named) in [(nobody, true), (54_321, false)] {
        let dir = base.path().join(uid.to_string());
        fs::create_dir(&dir).unwrap();
        std::os::unix::fs::chown(&dir, Some(uid), Some(uid)).unwrap();
        let (mut child, word) = run_child(&exe, &dir, Some(uid));
        let _ = child.kill();
        child.wait().unwrap();
        let pgdata = dir.join("postgres");
        wait_until("orphans end", 60, || processes_in(&pgdata).is_empty());
        socket::remove_leftover(&dir.join("postgres.socket"));
        if named {
            assert_eq!(word, "ready");
        } else {
            assert!(word.contains("user id 54321 has no entry in /etc/passwd"), "{word}");
            assert!(word.contains("hint: "), "{word}");
        }
    }
}
