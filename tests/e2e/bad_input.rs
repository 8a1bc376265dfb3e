//! Bad input: one clear message, a non-zero exit, and no damage to stored data.
use crate::determinism::four_weeks;
use crate::support::{data_dir, digest, figures, lend, run, said, scenario, wavetank};
use std::net::TcpListener;
use std::process::Command;

/// Runs it and expects a refusal that says all of this, once, with a hint where there is help.
fn refused(mut command: Command, expected: &[&str]) {
    let output = command.output().expect("the program runs");
    let message = said(&output);
    assert!(!output.status.success(), "{command:?} succeeded:\n{message}");
    assert_eq!(message.matches("error: ").count(), 1, "{command:?} said:\n{message}");
    assert!(!message.contains("panicked"), "{command:?} panicked:\n{message}");
    for text in expected {
        assert!(message.contains(text), "{command:?} should say {text:?}, but said:\n{message}");
    }
}

fn play(text: &str) -> (tempfile::TempDir, Command) {
    let dir = data_dir();
    let file = dir.path().join("bad.yaml");
    std::fs::write(&file, text).expect("a file");
    let mut command = wavetank();
    command.arg("run").arg(&file).arg("--data-dir").arg(dir.path().join("data"));
    (dir, command)
}

fn refused_scenario(text: &str, expected: &[&str]) {
    let (dir, command) = play(text);
    refused(command, expected);
    assert!(!dir.path().join("data").exists(), "a refused scenario must not make a directory");
}

const HEAD: &str = "name: bad\ntitle: Bad\nstart: 2026-01-05T00:00:00Z\n";

#[test]
fn files_that_are_not_scenarios() {
    let dir = data_dir();
    let mut directory = wavetank();
    directory.arg("run").arg(dir.path());
    refused(directory, &["is a directory", "hint:"]);
    let mut missing = wavetank();
    missing.arg("run").arg(dir.path().join("missing.yaml"));
    refused(missing, &["missing.yaml", "No such file"]);
    refused_scenario("", &["bad.yaml", "empty"]);
    refused_scenario(&"[".repeat(10 << 20), &["bad.yaml"]);
    let mut bomb = "a: &a [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for (name, of) in ["b", "c", "d", "e", "f", "g", "h"].iter().zip("abcdefg".chars()) {
        bomb.push_str(&format!("{name}: &{name} [*{of}, *{of}, *{of}, *{of}, *{of}, *{of}]\n"));
    }
    refused_scenario(&bomb, &["bad.yaml"]);
}

#[test]
fn impossible_scenarios() {
    let one = "images:\n  - { name: only }\n";
    refused_scenario(&format!("{HEAD}duration: -7d\n{one}"), &["bad.yaml:4:11", "duration"]);
    refused_scenario(
        &format!("{HEAD}duration: 7d\nimages:\n  - {{ name: only, base: nowhere }}\n"),
        &["bad.yaml:6:", "base", "nowhere"],
    );
    refused_scenario(
        &format!(
            "{HEAD}duration: 7d\nimages:\n  - {{ name: a, base: b }}\n  - {{ name: b, base: a }}\n"
        ),
        &["bad.yaml:6:", "cycle"],
    );
    refused_scenario(
        &format!("{HEAD}duration: 7d\n{one}triggers: {{ rebuild: 0 0 30 2 * }}\n"),
        &["bad.yaml:7:", "rebuild", "never"],
    );
}

#[test]
fn a_data_directory_in_use_is_left_alone() {
    let data = data_dir();
    let before = figures(run("classroom", data.path(), &["--until", "2d"]));
    let (holder, _) = lend(data.path());
    refused(run("classroom", data.path(), &["--until", "2d"]), &["in use by process", "hint:"]);
    assert!(holder.stop());
    let after = figures(run("classroom", data.path(), &["--until", "2d"]));
    assert_eq!(digest(&before), digest(&after));
    // Another seed is another world: refused, and the stored one is unharmed.
    let other = run("classroom", data.path(), &["--until", "2d", "--seed", "99"]);
    refused(other, &["another world", "seed", "hint:"]);
    assert_eq!(
        digest(&before),
        digest(&figures(run("classroom", data.path(), &["--until", "2d"])))
    );
}

/// A small disk of its own; nothing where one may not mount.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn mount(megabytes: u32) -> Option<SmallDisk> {
        let dir = data_dir();
        let size = format!("size={megabytes}m,mode=755");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(dir.path());
        let mounted = mount.output().is_ok_and(|output| output.status.success());
        mounted.then_some(SmallDisk(dir))
    }

    fn grow(&self, megabytes: u32) {
        let size = format!("remount,size={megabytes}m");
        let grown = Command::new("mount").args(["-o", &size]).arg(self.0.path()).status();
        assert!(grown.expect("mount").success());
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0.path()).status();
    }
}

#[test]
fn a_full_disk_stops_the_run_cleanly() {
    let Some(disk) = SmallDisk::mount(100) else {
        println!("SKIPPED: a full disk: mounting a small one takes root");
        return;
    };
    let data = disk.0.path().join("data");
    let (until, expected) = four_weeks();
    let until = ["--until", until];
    refused(run("four-weeks", &data, &until), &["disk of the data directory", "hint: make room"]);
    disk.grow(2_000);
    let after = figures(run("four-weeks", &data, &until));
    assert_eq!(digest(&after), expected, "seed 13");
}

#[test]
fn a_port_in_use() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    let data = data_dir();
    let mut command = wavetank();
    command.args(["demo", "--listen", &address, "--data-dir"]).arg(data.path());
    refused(command, &["cannot listen on", &address, "hint:"]);
}

#[test]
fn services_that_are_unreachable_or_refuse_us() {
    let data = data_dir();
    let nobody = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = nobody.local_addr().expect("an address").port();
    drop(nobody);
    let mut postgres = run("classroom", data.path(), &[]);
    postgres.env("DATABASE_URL", format!("postgres://nobody@127.0.0.1:{port}/wavetank"));
    refused(postgres, &["hint:"]);
    let mut malformed = run("classroom", data.path(), &[]);
    malformed.env("DATABASE_URL", "mysql://there");
    refused(malformed, &["DATABASE_URL"]);
    let (lender, settings) = lend(data.path());
    let mut wrong = wavetank();
    wrong.arg("run").arg(scenario("classroom"));
    wrong.envs(settings).env("S3_SECRET_KEY", "wrong");
    refused(wrong, &["refused", "hint:"]);
    assert!(lender.stop());
}
