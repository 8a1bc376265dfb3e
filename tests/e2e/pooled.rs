//! Behind a pooler that divides sessions, every process refuses to start, with the reason.
#[path = "../../store/tests/it/support/pooler.rs"]
mod pooler;

use crate::support::{data_dir, lend, said, scenario, wavetank};
use pooler::{Mode, pooler};

#[tokio::test(flavor = "multi_thread")]
async fn every_process_refuses_a_pooler() {
    let data = data_dir();
    let (lender, settings) = lend(data.path());
    let file = scenario("classroom");
    let file = file.to_str().expect("a path");
    for mode in [Mode::Longest, Mode::Last, Mode::Session] {
        let pooled = pooler(&settings["DATABASE_URL"], mode).await.expect("a socket");
        for arguments in [
            &["migrate"][..],
            &["conduct", file],
            &["worker"],
            &["serve", "--listen", "127.0.0.1:0"],
            &["run", file],
        ] {
            let mut command = wavetank();
            command.args(arguments).envs(&settings).env("DATABASE_URL", &pooled);
            let command = tokio::task::spawn_blocking(move || command.output());
            let output = command.await.expect("no panic").expect("the program runs");
            let told = said(&output);
            assert!(!output.status.success(), "{mode:?} {arguments:?}: {told}");
            assert_eq!(told.matches("error: ").count(), 1, "{mode:?} {arguments:?}: {told}");
            for text in ["connection pooler", "hint: name PostgreSQL itself"] {
                assert!(told.contains(text), "{mode:?} {arguments:?}: {told}");
            }
        }
    }
    assert!(lender.stop(), "the services stop when they are asked to");
}
