//! Requests that schemathesis makes from the specification: right ones, wrong ones and hostile
//! ones, as every role. Whatever comes back must be what the specification says, and never our
//! failure. The world has customers, deadlines, what was missed, documents, webhooks; and most of
//! the requests name things of it (`schemathesis.toml`). `SCHEMATHESIS_EXAMPLES=200` makes the run
//! long, `SCHEMATHESIS_SEED` another one.
use crate::support::{Api, customers, signed_note};
use crate::tenancy::tenants::{ACME, add_catalogue};
use api::auth::Role;
use std::path::{Path, PathBuf};
use std::process::Command;
use store::logs::Log;
use store::objects::NewObject;

/// Cases an operation and phase, in the run of every day.
const EXAMPLES: &str = "4";
const SEED: &str = "20260112";

fn schemathesis() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let program = root.join("target/interop-venv/bin/schemathesis");
    assert!(program.exists(), "{} is missing: run scripts/setup.sh", program.display());
    program
}

/// A world with something of everything.
async fn world(name: &str) -> Api {
    let api = Api::start(name).await;
    customers::add(&api.pool).await;
    add_catalogue(&api).await;
    ACME.add(&api).await;
    // Dead jobs; and no rows of documents that are not in the object store: a real world has none.
    let rows = "INSERT INTO ledger (id, queue, phase, at, payload, state, error)
                SELECT 4096 + n, 'scan', 0, '2026-01-12T05:00Z', '{}', 'dead', 'often'
                FROM generate_series(1, 50) n;
                DELETE FROM artifacts WHERE object_key LIKE '%/55555%';
                UPDATE attestations SET object_key = NULL, sha256 = NULL, bytes = NULL
                WHERE tenant_namespace = 'catalogue'";
    sqlx::raw_sql(rows).execute(&api.pool).await.unwrap();
    let checkpoint = |log: Log| NewObject {
        key: format!("{}checkpoint", log.prefix()),
        bytes: signed_note(log, 1).into(),
        media_type: "text/plain",
        packed: false,
    };
    let checkpoints = [Log::Transparency, Log::Audit].map(checkpoint);
    api.objects.put_all(checkpoints.into()).await.unwrap();
    api
}

async fn run(name: &str, role: Option<Role>, tenant: Option<&str>) {
    let api = world(&format!("fuzz_{name}")).await;
    let token = match role {
        Some(role) => Some(api.sign_in(role, tenant).await),
        None => None,
    };
    let given = |name: &str, usual: &str| std::env::var(name).unwrap_or_else(|_| usual.to_owned());
    let examples = given("SCHEMATHESIS_EXAMPLES", EXAMPLES);
    let seed = given("SCHEMATHESIS_SEED", SEED);
    let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/api/schemathesis.toml");
    let (address, said_seed) = (api.address, seed.clone());
    let output = tokio::task::spawn_blocking(move || {
        let mut command = Command::new(schemathesis());
        command.arg("--config-file").arg(config);
        command.args(["run", &format!("http://{address}/openapi.json")]);
        command.args(["--max-examples", &examples, "--seed", &seed]);
        if let Some(token) = token {
            command.args(["--header", &format!("Authorization: Bearer {token}")]);
        }
        command.output().unwrap()
    });
    let output = output.await.unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let warned = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name}, seed {said_seed}:\n{said}\n{warned}");
    println!("{said}");
}

#[tokio::test]
async fn an_admin_gets_only_specified_answers() {
    run("admin", Some(Role::Admin), None).await;
}

#[tokio::test]
async fn a_tenants_editor_gets_only_specified_answers() {
    run("editor", Some(Role::Editor), Some(ACME.name)).await;
}

#[tokio::test]
async fn a_tenants_viewer_gets_only_specified_answers() {
    run("viewer", Some(Role::Viewer), Some(ACME.name)).await;
}

#[tokio::test]
async fn an_orchestrator_gets_only_specified_answers() {
    run("orchestrator", Some(Role::Orchestrator), None).await;
}

#[tokio::test]
async fn an_anonymous_caller_gets_only_specified_answers() {
    run("anonymous", None, None).await;
}
