//! kill -9 in a week of incidents and commands from outside: the digest is the same as if nothing
//! had happened.
use crate::support::{Background, data_dir, digest, figures, lend, run};
use serde_json::Value;
use sim::command::{Command, ImageDefinition, Report};
use sim::ids::{BuildId, CustomerId, ImageId, PackageId};
use sqlx::{Connection, PgConnection};
use std::path::Path;
use std::sync::Arc;

/// The classroom's images are numbered from 0 to 7.
const NEW_IMAGE: ImageId = ImageId(8);
const CUSTOMER: CustomerId = CustomerId(0);
/// Where the world stops for commands: before the incidents; between the two of Thursday and
/// Friday; the end. And how many jobs are done when the process is killed on the way there: of 43
/// up to the first stop, of 69 up to the second, of 121 in all, and some more for the commands.
const LEGS: [(&str, [i64; 2]); 3] = [("2d", [10, 30]), ("4d", [50, 60]), ("7d", [80, 105])];

fn outside(number: u64, image: ImageId, create: Option<ImageDefinition>) -> Command {
    let (build, requested_by) = (BuildId::of_command(number), Some("a test".into()));
    Command::BuildImage { build, image, create, requested_by, external: true }
}

fn built(number: u64) -> Command {
    let report = Report { succeeded: true, failure: None, log: Some("built outside\n".into()) };
    Command::CompleteBuild { build: BuildId::of_command(number), report: Arc::new(report) }
}

/// What is asked at the first stop: an image of a customer's own that somebody outside has built,
/// and a shared one that somebody outside is to build; a scan, an evaluation.
fn first(namespace: &str) -> Vec<Command> {
    let create = ImageDefinition {
        name: format!("{namespace}.tool").into(),
        base: Some(ImageId(1)),
        packages: vec![PackageId(50), PackageId(51)],
        owner: Some(CUSTOMER),
    };
    vec![
        outside(1, NEW_IMAGE, Some(create)),
        built(1),
        outside(3, ImageId(0), None),
        Command::Scan { image: None },
        Command::CheckSla,
    ]
}

/// What is asked at the second: the other build has ended, and the customer runs its image.
fn second() -> Vec<Command> {
    let (customer, image) = (CUSTOMER, NEW_IMAGE);
    vec![
        built(3),
        Command::UseImage { customer, image, pin: None, runtime: None },
        Command::Scan { image: Some(ImageId(0)) },
    ]
}

/// Stores commands while the world stands, as the API does.
async fn ask(data: &Path, stop: usize) {
    let (lender, settings) = lend(data);
    let mut conn = PgConnection::connect(&settings["DATABASE_URL"]).await.expect("a connection");
    let namespace: String =
        sqlx::query_scalar("SELECT tenant_namespace FROM customers WHERE id = 0")
            .fetch_one(&mut conn)
            .await
            .expect("a customer");
    let mut tx = conn.begin().await.expect("a transaction");
    let commands = if stop == 0 { first(&namespace) } else { second() };
    for command in commands {
        store::commands::submit_for(&mut tx, &namespace, |_| command).await.expect("stored");
    }
    tx.commit().await.expect("stored");
    conn.close().await.expect("closed");
    assert!(lender.stop(), "the services stop when they are asked to");
}

/// The commands: number, when the world took it, why it was refused.
type Record = Vec<(i64, String, Option<String>)>;

/// Plays the week with its commands, undisturbed or killed twice on each leg.
async fn play(killed: bool) -> (Value, Record) {
    let data = data_dir();
    let mut last = Value::Null;
    for (stop, (until, kills)) in LEGS.iter().enumerate() {
        let more = ["--until", until];
        for job in kills.iter().filter(|_| killed) {
            let child = Background::start(run("classroom", data.path(), &more));
            child.kill_at_job(data.path(), *job).await;
        }
        last = figures(run("classroom", data.path(), &more));
        if stop < 2 {
            ask(data.path(), stop).await;
        }
    }
    let (lender, settings) = lend(data.path());
    let mut conn = PgConnection::connect(&settings["DATABASE_URL"]).await.expect("a connection");
    let record = sqlx::query_as(
        "SELECT seq, to_char(applied_at AT TIME ZONE 'UTC', 'Dy HH24:MI'), rejected
         FROM commands ORDER BY seq",
    );
    // What was built outside, and at which level; whether its owner runs the image.
    let outside: Vec<(i32, String, i32, bool)> = sqlx::query_as(
        "SELECT v.version, b.builder, a.slsa_level,
                EXISTS (SELECT FROM customer_image_usage u
                        WHERE u.image_id = v.image_id AND u.customer_id = 0
                          AND u.tenant_namespace = v.tenant_namespace)
         FROM image_versions v
         JOIN build_events b ON b.id = v.build_id
         JOIN slsa_assessments a ON a.image_id = v.image_id AND a.version = v.version
         WHERE v.image_id = 8 ORDER BY v.version, a.seq",
    )
    .fetch_all(&mut conn)
    .await
    .expect("versions");
    let other: String = sqlx::query_scalar("SELECT status FROM build_events WHERE id = $1")
        .bind(BuildId::of_command(3).0 as i64)
        .fetch_one(&mut conn)
        .await
        .expect("the other build");
    assert!(["completed", "unchanged"].contains(&other.as_str()), "{other}");
    let record: Record = record.fetch_all(&mut conn).await.expect("the record");
    assert_eq!(
        outside.first(),
        Some(&(1, "external".to_owned(), 2, true)),
        "{outside:?} {record:?}"
    );
    conn.close().await.expect("closed");
    assert!(lender.stop());
    (last, record)
}

#[tokio::test]
async fn a_week_of_incidents_and_commands_has_the_same_digest_after_kills() {
    let (whole, record) = play(false).await;
    for (seq, at, rejected) in &record {
        let expected = if *seq <= 5 { "Wed 00:00" } else { "Fri 00:00" };
        assert_eq!((at.as_str(), rejected), (expected, &None), "command {seq}");
    }
    assert_eq!(record.len(), 8);
    let (killed, again) = play(true).await;
    assert_eq!(record, again);
    assert_eq!(digest(&whole), digest(&killed), "seed {}", whole["seed"]);
}
