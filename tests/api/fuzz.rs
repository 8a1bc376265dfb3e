//! Requests that schemathesis makes from the specification: right ones, wrong ones and hostile
//! ones, as every role. Whatever comes back must be what the specification says, and never our
//! failure. `SCHEMATHESIS_EXAMPLES=200` makes the run long.
use crate::support::{Api, Content};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::process::Command;
use wavetank::api::Limits;
use wavetank::auth::Role;

/// Cases an operation and phase, in the run of every day.
const EXAMPLES: &str = "4";
const SEED: &str = "20260112";

fn schemathesis() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let program = root.join("target/interop-venv/bin/schemathesis");
    assert!(program.exists(), "{} is missing: run scripts/setup.sh", program.display());
    program
}

async fn run(role: Role, tenant: Option<&str>) {
    let name = format!("fuzz_{role}");
    let limits = Limits {
        requests_per_second: NonZeroU32::new(100_000).unwrap(),
        anonymous_per_second: NonZeroU32::new(100_000).unwrap(),
        ..Limits::default()
    };
    let api = Api::start_with(&name, Content::World, limits).await;
    // Rows of documents that are not in the object store; a real world has none.
    let missing = "DELETE FROM artifacts WHERE object_key LIKE '%/55555%';
                   UPDATE attestations SET uri = NULL, sha256 = NULL, bytes = NULL";
    sqlx::raw_sql(missing).execute(&api.pool).await.unwrap();
    let token = api.sign_in(role, tenant).await;
    let examples = std::env::var("SCHEMATHESIS_EXAMPLES").unwrap_or_else(|_| EXAMPLES.to_owned());
    let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/api/schemathesis.toml");
    let address = api.address;
    let output = tokio::task::spawn_blocking(move || {
        Command::new(schemathesis())
            .arg("--config-file")
            .arg(config)
            .args(["run", &format!("http://{address}/openapi.json")])
            .args(["--header", &format!("Authorization: Bearer {token}")])
            .args(["--max-examples", &examples, "--seed", SEED])
            .output()
            .unwrap()
    });
    let output = output.await.unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let warned = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "as {role}, seed {SEED}:\n{said}\n{warned}");
}

#[tokio::test]
async fn an_admin_finds_only_what_is_specified() {
    run(Role::Admin, None).await;
}

#[tokio::test]
async fn an_editor_finds_only_what_is_specified() {
    run(Role::Editor, None).await;
}

#[tokio::test]
async fn a_tenants_viewer_finds_only_what_is_specified() {
    run(Role::Viewer, Some("acme")).await;
}

#[tokio::test]
async fn an_orchestrator_finds_only_what_is_specified() {
    run(Role::Orchestrator, None).await;
}
