//! Logs as a person reads them, whole.

use super::*;
use crate::sample;

fn at(offset_ms: i64) -> Timestamp {
    Timestamp::from_ms(1_767_578_400_000 + offset_ms).unwrap()
}

fn attempt(started_ms: i64, finished_ms: i64, outcome: AttemptOutcome) -> Attempt {
    let (started, finished) = (at(started_ms), at(finished_ms));
    Attempt { builder: "builder-2".into(), started, finished, outcome }
}

fn rendered(contents: Option<&ImageContents>, attempts: &[Attempt], result: BuildResult) -> String {
    render(&BuildLog {
        build_id: "build-42",
        repository: "registry.wavetank.example/harbor-web",
        version: "2.4",
        trigger: &Trigger::CveFix { advisory: "CVE-2026-1000001".into() },
        requested: at(0),
        earlier_attempts: 0,
        attempts,
        contents,
        result: &result,
        finished: at(600_000),
    })
}

#[test]
fn published_after_a_flake() {
    let mut contents = sample::contents(4);
    contents.base = None;
    let flaked = AttemptOutcome::Flaked { step: Step::Fetch, reason: "mirror timed out".into() };
    let attempts =
        [attempt(1_500, 100_000, flaked), attempt(200_000, 600_000, AttemptOutcome::Succeeded)];
    let digest = Digest::of(b"image");
    let text = rendered(Some(&contents), &attempts, BuildResult::Published { digest });
    let expected = "\
2026-01-05T02:00:00.000Z INFO  build build-42 requested: fix available for CVE-2026-1000001
2026-01-05T02:00:00.000Z INFO  image registry.wavetank.example/harbor-web:2.4
2026-01-05T02:00:01.500Z INFO  attempt 1 on builder-2 after 1.500 s in the queue
2026-01-05T02:00:01.500Z INFO  resolve: 3 packages, 1 more from the base
2026-01-05T02:00:07.410Z INFO  fetch: ballast-1.4.1-r1.apk 20977 bytes sha256 BALLAST
2026-01-05T02:00:07.410Z INFO  fetch: capstan-1.5.2-r2.apk 21954 bytes sha256 CAPSTAN
2026-01-05T02:00:07.410Z INFO  fetch: davit-1.6.3-r3.apk 22931 bytes sha256 DAVIT
2026-01-05T02:01:40.000Z WARN  fetch: attempt 1 flaked: mirror timed out
2026-01-05T02:03:20.000Z INFO  attempt 2 on builder-2 after 200.000 s in the queue
2026-01-05T02:03:20.000Z INFO  resolve: 3 packages, 1 more from the base
2026-01-05T02:03:44.000Z INFO  fetch: ballast-1.4.1-r1.apk 20977 bytes sha256 BALLAST
2026-01-05T02:03:44.000Z INFO  fetch: capstan-1.5.2-r2.apk 21954 bytes sha256 CAPSTAN
2026-01-05T02:03:44.000Z INFO  fetch: davit-1.6.3-r3.apk 22931 bytes sha256 DAVIT
2026-01-05T02:05:36.000Z INFO  assemble: 1 layer, 4 packages, x86_64
2026-01-05T02:07:12.000Z INFO  test: starting the image
2026-01-05T02:09:36.000Z INFO  publish: pushing to registry.wavetank.example/harbor-web
2026-01-05T02:10:00.000Z INFO  attempt 2 succeeded
2026-01-05T02:10:00.000Z INFO  published registry.wavetank.example/harbor-web@IMAGE
2026-01-05T02:10:00.000Z INFO  build build-42 completed
"
    .replace("IMAGE", &digest.to_string())
    .replace("BALLAST", &Digest::of(b"ballast").hex()[..16])
    .replace("CAPSTAN", &Digest::of(b"capstan").hex()[..16])
    .replace("DAVIT", &Digest::of(b"davit").hex()[..16]);
    assert_eq!(text, expected);
}

#[test]
fn unchanged_pushes_nothing() {
    let contents = sample::contents(2);
    let attempts = [attempt(0, 60_000, AttemptOutcome::Succeeded)];
    let text = rendered(Some(&contents), &attempts, BuildResult::Unchanged { version: 7 });
    assert!(text.contains("contents unchanged"));
    assert!(!text.contains("pushing"));
}

#[test]
fn failed_before_and_after_resolving() {
    let broken = AttemptOutcome::Broken { step: Step::Test, reason: "exit 1".into() };
    let text = rendered(
        None,
        &[attempt(0, 60_000, broken)],
        BuildResult::Failed { reason: "tests failed".into() },
    );
    assert!(text.contains("ERROR test: attempt 1 broke: exit 1"));
    assert!(text.ends_with("ERROR build build-42 failed: tests failed\n"));
    let queued = rendered(None, &[], BuildResult::Failed { reason: "cancelled".into() });
    assert_eq!(queued.lines().count(), 3);
}

#[test]
fn no_value_can_forge_a_line() {
    let reason = "x\n2026-01-05T02:00:00.000Z INFO  published evil\u{1b}[31m".to_owned();
    let text = rendered(None, &[], BuildResult::Failed { reason });
    assert_eq!(text.lines().count(), 3);
    assert!(!text.contains('\u{1b}'));
}
