//! `wavetank export`, `verify` and `keys`: what a world leaves for others to check.
use super::report::Format;
use super::signing::SigningOptions;
use crate::evidence::{self, Collector, LeftOut, Report, Scope};
use crate::services::{ServiceOptions, Services};
use anyhow::{Context, Result, bail};
use chrono::{DateTime, Utc};
use documents::keys::PublicKey;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[derive(clap::Args, Debug)]
#[command(
    after_help = "The directory stands by itself: `wavetank verify DIR` and cosign check it \
    without network or database, and answers.json says which image truly has which CVE, for people \
    who test scanners; `scanners` has the databases of these. Its README.md tells more."
)]
pub(super) struct ExportOptions {
    /// The directory to write; it must not exist yet, or be empty.
    #[arg(value_name = "DIR")]
    directory: PathBuf,
    /// Every version that was ever published, not only those that are current.
    #[arg(long)]
    all_versions: bool,
    /// The instant of the world's past to write it at, in RFC 3339: its versions, documents,
    /// advisories and scanner databases as they were known then. Now when absent. The logs are
    /// always whole.
    #[arg(long, value_name = "INSTANT")]
    as_of: Option<DateTime<Utc>>,
    /// Instead of the world, write the catalogue of forgeries made from its evidence: what a correct
    /// verifier must refuse, and what it must accept.
    #[arg(long, conflicts_with = "all_versions")]
    forgeries: bool,
    #[command(flatten)]
    services: ServiceOptions,
}

#[derive(clap::Args, Debug)]
#[command(
    after_help = "Of a world with its rows, every object is read: those that rows name must \
    be there and whole, and\nthose that no row names are problems. All bundles are verified, not only \
    those that stand for a\nversion now. What was not looked at is listed. `wavetank repair` makes \
    lost documents again.\n\nExits with 0 if everything holds and with 1 if something does not; each \
    line then names the place and what is wrong.\n\n\
    Examples:\n  \
    wavetank verify                              the world in data/demo, its rows and its logs\n  \
    wavetank verify --logs                       the two logs alone\n  \
    wavetank verify sha256:...                   the image version of that digest\n  \
    wavetank verify ./exported                   an export, without database or network\n  \
    wavetank verify ./forgeries                  a catalogue of forgeries, each by its verdict\n  \
    wavetank verify ./forgeries/NAME             one of its cases"
)]
pub(super) struct VerifyOptions {
    /// A directory that `wavetank export` wrote (with `--forgeries`: or one case), or the digest of an image version. The whole
    /// world in the database when absent.
    #[arg(value_name = "TARGET")]
    target: Option<String>,
    /// Only the transparency log and the audit log.
    #[arg(long)]
    logs: bool,
    /// The public key that must have signed (PEM). An export is otherwise taken at its word.
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// How to print what was found.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    #[command(flatten)]
    services: ServiceOptions,
}

#[derive(clap::Args, Debug)]
pub(super) struct KeysOptions {
    /// How to print them.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    #[command(flatten)]
    signing: SigningOptions,
    #[command(flatten)]
    services: ServiceOptions,
}

pub(super) async fn export(options: ExportOptions) -> Result<ExitCode> {
    let services = Services::open(&options.services, Path::new("data/demo")).await?;
    let exported = async {
        let world = Collector::open(services.pool.clone(), services.objects.clone()).await?;
        let world = match options.as_of {
            Some(instant) => world.at(instant).await?,
            None => world,
        };
        if options.forgeries {
            return evidence::export_forgeries(&world, &options.directory).await;
        }
        let bar = bar("versions written");
        let all = options.all_versions;
        let exported = evidence::export(&world, &options.directory, all, |done, of| {
            bar.set_length(of as u64);
            bar.set_position(done as u64);
        });
        let exported = exported.await;
        bar.finish_and_clear();
        exported
    };
    let exported = exported.await;
    services.stop().await;
    let exported = exported?;
    let (shown, megabytes) = (options.directory.display(), exported.bytes as f64 / 1e6);
    let evidence::Exported { images, versions, files, .. } = exported;
    if options.forgeries {
        let cases = documents::forgeries::cases().count();
        return super::print(&format!(
            "{cases} cases, {files} files, {megabytes:.1} MB: {shown}\n\
             `wavetank verify {shown}` gives each its verdict; docs/forgeries.md tells how another \
             verifier is tried"
        ));
    }
    super::print(&format!(
        "{versions} versions of {images} images, {files} files, {megabytes:.1} MB: {shown}\n\
         `wavetank verify {shown}` checks it; {shown}/README.md says what is where"
    ))
}

pub(super) async fn verify(options: VerifyOptions) -> Result<ExitCode> {
    let key = options.key.as_ref().map(|path| public_key(path)).transpose()?;
    let digest = options.target.as_ref().filter(|target| target.starts_with("sha256:"));
    let scope = match (digest, options.logs) {
        (Some(_), true) => bail!("--logs and a digest exclude each other"),
        (Some(digest), false) => {
            digest.parse::<documents::Digest>()?;
            Scope::Image(digest.clone())
        }
        (None, true) => Scope::Logs,
        (None, false) => Scope::World,
    };
    let report = match &options.target {
        Some(target) if digest.is_none() => {
            evidence::verify_directory(Path::new(target), &scope, key).await?
        }
        _ => verify_world(&options.services, &scope, key).await?,
    };
    let told = match options.format {
        Format::Json => serde_json::to_string_pretty(&report)?,
        Format::Text => text(&report),
    };
    super::print(&told)?;
    Ok(if report.problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn verify_world(
    services: &ServiceOptions,
    scope: &Scope,
    key: Option<PublicKey>,
) -> Result<Report> {
    let services = Services::open(services, Path::new("data/demo")).await?;
    let report = async {
        let world = Collector::open(services.pool.clone(), services.objects.clone()).await?;
        if key.is_some_and(|key| !world.is_signed_with(&key)) {
            bail!("this world's documents are signed with another key than the one given");
        }
        let bar = bar("versions verified");
        let report = evidence::verify_world(&world, scope, |done, of| {
            bar.set_length(of as u64);
            bar.set_position(done as u64);
        });
        let report = report.await;
        bar.finish_and_clear();
        report
    };
    let report = report.await;
    services.stop().await;
    report
}

fn public_key(path: &Path) -> Result<PublicKey> {
    let shown = path.display();
    let pem = std::fs::read_to_string(path).with_context(|| format!("cannot read {shown}"))?;
    PublicKey::from_pem(&pem).with_context(|| format!("{shown} cannot be used"))
}

fn text(report: &Report) -> String {
    let mut text = String::new();
    for problem in &report.problems {
        let _ = writeln!(text, "PROBLEM {}: {}", problem.place, problem.reason);
    }
    let _ = writeln!(
        text,
        "verified {} versions, {} documents, {} bundles, {} log entries, {} audit lines",
        report.versions, report.documents, report.bundles, report.log_entries, report.audit_lines
    );
    if let Some(from) = report.history_from {
        let _ = writeln!(
            text,
            "history is kept from {from} on; of {} log entries and audit lines only the hashes are",
            report.expired_leaves
        );
    }
    if report.objects > 0 {
        let (objects, rows) = (report.objects, report.rows);
        let _ = writeln!(text, "read {objects} objects; {rows} rows name objects");
    }
    for LeftOut { what, count, why } in &report.left_out {
        let count = count.map_or(String::new(), |count| format!("{count} "));
        let _ = writeln!(text, "not looked at: {count}{what} ({why})");
    }
    let _ = match report.problems.len() {
        0 => writeln!(text, "everything holds"),
        1 => writeln!(text, "1 problem"),
        many => writeln!(text, "{many} problems"),
    };
    text
}

/// A bar on a terminal, nothing elsewhere.
fn bar(what: &'static str) -> ProgressBar {
    let bar = ProgressBar::new(0);
    let style = format!("{{bar:32}} {{pos}}/{{len}} {what}");
    bar.set_style(ProgressStyle::with_template(&style).unwrap_or(ProgressStyle::default_bar()));
    bar
}

pub(super) async fn keys(options: KeysOptions) -> Result<ExitCode> {
    let keyring = options.signing.keyring()?;
    let services = Services::open(&options.services, Path::new("data/demo")).await?;
    let keys = async { Ok(keyring.get(&mut *services.pool.acquire().await?).await?) };
    let keys: Result<_> = keys.await;
    services.stop().await;
    let keys = keys?;
    let identity = &keys.identity;
    let derived = keyring.is_derived();
    let told = match options.format {
        Format::Json => serde_json::to_string_pretty(&json!({
            "signer_pem": identity.signer.pem(),
            "signer_key_id": identity.signer.id().hex(),
            "signer_is_derived_from_the_seed": derived,
            "log_pem": identity.log.pem(),
            "rekor_origin": identity.rekor_origin,
            "log_vkey": identity.log_verifier.to_string(),
            "audit_vkey": identity.audit_verifier.to_string(),
        }))?,
        Format::Text => format!(
            "{}signer (ECDSA P-256, key id {})\n{}\nsimulated Rekor ({})\n{}\n\
             transparency log  {}\naudit log         {}\n",
            if derived { DERIVED } else { "" },
            identity.signer.id().hex(),
            identity.signer.pem(),
            identity.rekor_origin,
            identity.log.pem(),
            identity.log_verifier,
            identity.audit_verifier,
        ),
    };
    super::print(&told)
}

const DERIVED: &str = "WARNING: these keys follow from the scenario and the seed. Whoever knows both \
can sign in this\nworld's name: the signatures are for practice. --signing-key FILE makes a world \
with a key of your own.\n\n";
