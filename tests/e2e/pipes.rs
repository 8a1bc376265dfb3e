//! Readers that go away: whoever prints to a pipe that nobody reads any more ends quietly.
use crate::support::{Background, LIMIT, data_dir, said, scenario, wavetank};
use std::io::Read;
use std::process::{Command, Output, Stdio};
use std::time::Instant;

/// A pipe that nobody reads.
fn unread() -> Stdio {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    writer.into()
}

/// Runs it with nobody at its standard output.
fn without_reader(mut command: Command) -> Output {
    let child = command.stdout(unread()).stderr(Stdio::piped()).spawn().expect("it starts");
    child.wait_with_output().expect("it ends")
}

#[test]
fn what_prints_to_a_closed_pipe_ends_quietly() {
    let data = data_dir();
    let world = data.path().join("world");
    let mut play = wavetank();
    play.arg("run").arg(scenario("classroom")).arg("--until").arg("1d");
    play.arg("--data-dir").arg(&world);
    let output = without_reader(play);
    assert!(output.status.success(), "{}", said(&output));
    let of_world = ["digest", "keys", "verify", "migrate", "api-key"];
    let file = scenario("classroom");
    let file = file.to_str().expect("a path");
    for arguments in [
        &["openapi"][..],
        &["scenario", "schema"],
        &["scenario", "check", file],
        &["--help"],
        &["--version"],
        &["run", "--help"],
        &["digest"],
        &["keys"],
        &["verify"],
        &["migrate"],
        &["api-key", "list"],
        &["api-key", "create", "a", "--role", "viewer"],
    ] {
        let mut command = wavetank();
        command.args(arguments);
        if of_world.contains(&arguments[0]) {
            command.arg("--data-dir").arg(&world);
        }
        let output = without_reader(command);
        let told = String::from_utf8_lossy(&output.stderr);
        for noise in ["panicked", "Broken pipe", "os error 32", "failed printing"] {
            assert!(!told.contains(noise), "{arguments:?}: {told}");
        }
        assert!(output.status.success(), "{arguments:?}: {told}");
    }
}

/// `wavetank run ... 2>&1 | head`: with its last reader gone it stops, as after Ctrl-C, and the same
/// command goes on from there.
#[test]
fn a_run_that_nobody_watches_any_more_stops_and_can_go_on() {
    let data = data_dir();
    let (mut reader, writer) = std::io::pipe().expect("a pipe");
    let mut command = wavetank();
    command.arg("run").arg(scenario("four-weeks")).arg("--data-dir").arg(data.path());
    command.stdout(writer.try_clone().expect("a pipe")).stderr(writer);
    let mut running = Background(command.spawn().expect("it starts"));
    drop(command);
    let mut first = [0; 1];
    reader.read_exact(&mut first).expect("a line of progress");
    drop(reader);
    let began = Instant::now();
    let status = loop {
        if let Some(status) = running.0.try_wait().expect("a child") {
            break status;
        }
        assert!(began.elapsed() < LIMIT, "it runs on, and nobody knows");
        std::thread::sleep(std::time::Duration::from_millis(50));
    };
    // Stopped, not killed; or it was at its end already.
    assert!(matches!(status.code(), Some(130 | 0)), "{status}");
}
