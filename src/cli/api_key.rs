//! `wavetank api-key`: the keys of the API's callers, and those that the demo shows.
use crate::services::{ServiceOptions, Services};
use anyhow::{Context, Result, bail};
use api::auth::{ApiKey, Role};
use sqlx::PgConnection;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use std::process::ExitCode;
use store::api_keys::{self, NewApiKey};

/// The file of the data directory that keeps the demo's keys, so that they stay the same.
const DEMO_KEYS_FILE: &str = "demo-keys.json";
/// How many keys `list` asks for at a time.
const PAGE: i64 = 500;

#[derive(clap::Subcommand, Debug)]
pub(super) enum Command {
    /// Make a key and print it, this once: only a hash of it is kept.
    Create(Create),
    /// List the keys, without their secrets.
    List(Listing),
    /// Revoke a key for good.
    Revoke(Revoke),
}

#[derive(clap::Args, Debug)]
pub(super) struct Listing {
    #[command(flatten)]
    services: ServiceOptions,
}

#[derive(clap::Args, Debug)]
pub(super) struct Create {
    /// What people will call it.
    #[arg(value_name = "NAME")]
    name: String,
    /// What it may do: admin, editor, viewer or orchestrator.
    #[arg(long, value_name = "ROLE", value_parser = role)]
    role: Role,
    /// The tenant it is bound to: a tenant_namespace. Without it, it sees every tenant.
    #[arg(long, value_name = "TENANT")]
    tenant: Option<String>,
    /// After how many days it ends by itself; never without this.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i32).range(1..=3650))]
    expires_in_days: Option<i32>,
    #[command(flatten)]
    services: ServiceOptions,
}

#[derive(clap::Args, Debug)]
pub(super) struct Revoke {
    /// The key's id: the middle of wt_<id>_<secret>.
    #[arg(value_name = "ID")]
    id: String,
    #[command(flatten)]
    services: ServiceOptions,
}

fn role(text: &str) -> Result<Role, String> {
    Role::parse(text).ok_or_else(|| "expected admin, editor, viewer or orchestrator".to_owned())
}

pub(super) async fn api_key(command: Command) -> Result<ExitCode> {
    let options = match &command {
        Command::Create(create) => &create.services,
        Command::List(list) => &list.services,
        Command::Revoke(revoke) => &revoke.services,
    };
    let services = Services::open(options, Path::new("data/demo")).await?;
    let said = run(&services, &command).await;
    services.stop().await;
    super::print(&said?)
}

async fn run(services: &Services, command: &Command) -> Result<String> {
    let mut conn = services.pool.acquire().await?;
    match command {
        Command::Create(create) => {
            if create.name.is_empty() || create.name.chars().count() > 100 {
                bail!("the name of a key has 1 to 100 characters");
            }
            if let Some(tenant) = &create.tenant
                && !api_keys::tenant_exists(&mut conn, tenant).await?
            {
                bail!("the world has no tenant {tenant:?}\nhint: GET /v1/customers lists them");
            }
            if create.role == Role::Admin && create.tenant.is_some() {
                bail!("an admin sees every tenant\nhint: leave --tenant out");
            }
            let key = ApiKey::generate()?;
            let tenant = create.tenant.as_deref();
            insert(&mut conn, &key, &create.name, create.role, tenant, create.expires_in_days)
                .await?;
            Ok(key.reveal())
        }
        Command::List(_) => list(&mut conn).await,
        Command::Revoke(revoke) => {
            if !api_keys::revoke(&mut conn, &revoke.id).await? {
                bail!("there is no valid key {:?}\nhint: `wavetank api-key list`", revoke.id);
            }
            Ok(format!("{} is revoked", revoke.id))
        }
    }
}

async fn insert(
    conn: &mut PgConnection,
    key: &ApiKey,
    name: &str,
    role: Role,
    tenant: Option<&str>,
    expires_in_days: Option<i32>,
) -> Result<()> {
    let new = NewApiKey {
        id: key.id(),
        name,
        role: role.as_str(),
        tenant_namespace: tenant,
        secret_sha256: key.secret_sha256(),
        created_by: "wavetank api-key",
        expires_in_days,
    };
    api_keys::insert(conn, &new).await?;
    Ok(())
}

async fn list(conn: &mut PgConnection) -> Result<String> {
    let mut said = String::new();
    let mut after: Option<String> = None;
    loop {
        let rows = api_keys::list(conn, after.as_deref(), PAGE).await?;
        for row in &rows {
            let state = match (row.revoked_wall, row.expires_wall) {
                (Some(at), _) => format!("revoked {}", at.format("%F")),
                (None, Some(at)) => format!("ends {}", at.format("%F")),
                (None, None) => "valid".to_owned(),
            };
            let tenant = row.tenant_namespace.as_deref().unwrap_or("(every tenant)");
            writeln!(
                said,
                "{}  {:<12}  {:<24}  {:<16}  {}",
                row.id, row.role, tenant, state, row.name
            )?;
        }
        match rows.last() {
            Some(last) if rows.len() as i64 == PAGE => after = Some(last.id.clone()),
            _ if said.is_empty() => return Ok("there are no keys".to_owned()),
            _ => return Ok(said),
        }
    }
}

/// The keys of the demo: of an admin and of the first two tenants. They stay the same from start
/// to start where there is a data directory to keep them in; elsewhere the ones before are revoked.
pub(super) async fn demo_keys(services: &Services) -> Result<Vec<(String, String)>> {
    let mut conn = services.pool.acquire().await?;
    let tenants: Vec<String> = store::read::summary::first_tenants(&mut conn, 2).await?;
    let mut wanted = vec![("admin".to_owned(), Role::Admin, None)];
    for tenant in &tenants {
        wanted.push((format!("editor of {tenant}"), Role::Editor, Some(tenant.as_str())));
    }
    let kept = services.data_dir().map(|dir| dir.private(DEMO_KEYS_FILE)).transpose()?.flatten();
    let mut kept: BTreeMap<String, String> = match kept {
        Some(text) => serde_json::from_str(&text)
            .with_context(|| format!("{DEMO_KEYS_FILE} is damaged\nhint: delete it"))?,
        None => BTreeMap::new(),
    };
    let mut keys = Vec::new();
    for (what, role, tenant) in wanted {
        let known = kept.get(&what).and_then(|text| ApiKey::parse(text).ok());
        if let Some(key) = known
            && api_keys::valid(&mut conn, key.id()).await?.is_some()
        {
            keys.push((what, key.reveal()));
            continue;
        }
        let name = format!("demo: {what}");
        api_keys::revoke_named(&mut conn, &name).await?;
        let key = ApiKey::generate()?;
        insert(&mut conn, &key, &name, role, tenant, None).await?;
        kept.insert(what.clone(), key.reveal());
        keys.push((what, key.reveal()));
    }
    if let Some(dir) = services.data_dir() {
        dir.keep_private(DEMO_KEYS_FILE, &serde_json::to_string_pretty(&kept)?)?;
    }
    Ok(keys)
}
