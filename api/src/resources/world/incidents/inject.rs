//! What can be injected, checked and turned into commands.
use crate::http::lookup::{is_name, ordinal};
use crate::http::problem::{Code, Problem};
use crate::schemas::severity::Severity;
use crate::http::strict_text::Text;
use documents::cvss::BaseScore;
use poem_openapi::Object;
use poem_openapi::types::Example;
use sim::command::{Command, NewRange};
use sim::ids::{BuilderId, ImageId, PackageId};
use sim::severity::Vector;
use sim::time::{MINUTE_MS, SimDuration};
use sqlx::PgConnection;
use std::sync::Arc;
use store::read::commands::{Release, release};
use store::read::definitions::definition;

/// A vector of that severity, of a shape that is common in public feeds.
fn vector_of(severity: Severity) -> &'static str {
    match severity {
        Severity::Low => "CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:L/I:N/A:N",
        Severity::Medium => "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:L/I:N/A:N",
        Severity::High => "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N",
        Severity::Critical => "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
    }
}

/// A package with the range of its affected versions.
#[derive(Object)]
#[oai(deny_unknown_fields)]
pub(super) struct AffectedRange {
    /// The package's name.
    #[oai(validator(min_length = 1, max_length = 100))]
    package: Text,
    /// The first affected version; the package's first one when absent.
    #[oai(validator(min_length = 1, max_length = 100))]
    introduced: Option<Text>,
    /// The first version that is not affected any more, if one is out already.
    #[oai(validator(min_length = 1, max_length = 100))]
    fixed: Option<Text>,
}

/// An advisory to be disclosed. Give `vector` or `severity`, and `packages` or `image_share`.
#[derive(Object)]
#[oai(deny_unknown_fields, example)]
pub(super) struct NewAdvisory {
    /// Its id: a year and seven digits outside 1000000 to 1999999, which are the world's own. The
    /// next of those when absent.
    #[oai(validator(max_length = 16, pattern = r"^CVE-[0-9]{4}-[0-9]{7}$"))]
    cve: Option<Text>,
    /// The CVSS 3.1 base vector; the score is computed from it.
    #[oai(validator(min_length = 1, max_length = 200))]
    vector: Option<Text>,
    /// Instead of a vector: how bad it is.
    severity: Option<Severity>,
    /// Whether it is known to be exploited; not, when absent.
    known_exploited: Option<bool>,
    /// The affected packages.
    #[oai(validator(min_items = 1, max_items = 200))]
    packages: Option<Vec<AffectedRange>>,
    /// Instead of packages: the share of all images to be hit, through as few packages as can be.
    #[oai(validator(minimum(value = "0.001"), maximum(value = "1")))]
    image_share: Option<f64>,
    /// From disclosure until scanners see it, in minutes; at once when absent.
    #[oai(validator(maximum(value = "5256000")))]
    detectable_after_minutes: Option<u32>,
    /// From disclosure to the upstream fix, in minutes; when absent there is none, unless a
    /// package has a fixed version already.
    #[oai(validator(maximum(value = "5256000")))]
    fix_after_minutes: Option<u32>,
    /// From the upstream fix to the fixed packages of the distribution, in minutes; at once when
    /// absent.
    #[oai(validator(maximum(value = "5256000")))]
    package_fix_after_minutes: Option<u32>,
}

impl Example for NewAdvisory {
    fn example() -> Self {
        NewAdvisory {
            cve: Some("CVE-2026-2000042".into()),
            vector: Some(vector_of(Severity::Critical).into()),
            severity: None,
            known_exploited: Some(true),
            packages: None,
            image_share: Some(0.25),
            detectable_after_minutes: Some(30),
            fix_after_minutes: Some(240),
            package_fix_after_minutes: Some(360),
        }
    }
}

/// Builders out of service.
#[derive(Object)]
#[oai(deny_unknown_fields)]
pub(super) struct BuilderOutage {
    /// How many; what they are building is finished first.
    #[oai(validator(minimum(value = "1"), maximum(value = "10000")))]
    builders: u32,
    /// For how long, in minutes.
    #[oai(validator(minimum(value = "1"), maximum(value = "5256000")))]
    duration_minutes: u32,
}

/// Provenance that an attacker replaces.
#[derive(Object)]
#[oai(deny_unknown_fields)]
pub(super) struct TamperedAttestation {
    /// The image whose newest version it is.
    #[oai(validator(min_length = 1, max_length = 63))]
    image: Text,
}

/// A builder that is not trusted any more.
#[derive(Object)]
#[oai(deny_unknown_fields)]
pub(super) struct DistrustedBuilder {
    /// Its name, such as `builder-0`, or `external`.
    #[oai(validator(max_length = 20, pattern = r"^(external|builder-[0-9]{1,6})$"))]
    builder: Text,
}

/// An incident: exactly one of the fields.
#[derive(Object)]
#[oai(deny_unknown_fields, example)]
pub(super) struct NewIncident {
    /// A CVE is disclosed.
    cve: Option<NewAdvisory>,
    /// Builders go out of service.
    builder_outage: Option<BuilderOutage>,
    /// An attacker replaces signed provenance.
    tampered_attestation: Option<TamperedAttestation>,
    /// A builder is not trusted any more.
    distrusted_builder: Option<DistrustedBuilder>,
}

impl Example for NewIncident {
    fn example() -> Self {
        NewIncident {
            cve: None,
            builder_outage: Some(BuilderOutage { builders: 1, duration_minutes: 90 }),
            tampered_attestation: None,
            distrusted_builder: None,
        }
    }
}

fn minutes(given: Option<u32>) -> SimDuration {
    SimDuration(i64::from(given.unwrap_or(0)) * MINUTE_MS)
}

fn one_of(detail: &str) -> Problem {
    Problem::new(Code::Contradiction, detail)
}

impl NewAdvisory {
    pub(super) async fn command(self, conn: &mut PgConnection) -> Result<Command, Problem> {
        let vector = match (&self.vector, self.severity) {
            (Some(vector), None) => vector.0.clone(),
            (None, Some(severity)) => vector_of(severity).to_owned(),
            _ => return Err(one_of("Give either `vector` or `severity`.")),
        };
        if self.packages.is_some() == self.image_share.is_some() {
            return Err(one_of("Give either `packages` or `image_share`."));
        }
        let severity = severity(&vector)?;
        let mut packages = Vec::new();
        for affected in self.packages.iter().flatten() {
            packages.push(range(conn, affected).await?);
        }
        let permille = |share: f64| (share * 1000.0).round().clamp(1.0, 1000.0) as u32;
        Ok(Command::DiscloseAdvisory(Arc::new(sim::command::NewAdvisory {
            cve: self.cve.as_deref().map(Arc::from),
            vector: Vector(vector.into()),
            severity,
            known_exploited: self.known_exploited.unwrap_or(false),
            packages,
            image_share_permille: self.image_share.map(permille),
            detectable_after: minutes(self.detectable_after_minutes),
            fix_after: self.fix_after_minutes.map(|after| minutes(Some(after))),
            package_fix_after: minutes(self.package_fix_after_minutes),
        })))
    }
}

fn severity(vector: &str) -> Result<sim::severity::Severity, Problem> {
    let wrong = |detail: String| Problem::new(Code::InvalidVector, detail);
    let score = BaseScore::of(vector).map_err(|error| wrong(format!("{error}.")))?;
    match score.severity() {
        documents::cvss::Severity::None => Err(wrong("The vector scores 0.".to_owned())),
        documents::cvss::Severity::Low => Ok(sim::severity::Severity::Low),
        documents::cvss::Severity::Medium => Ok(sim::severity::Severity::Medium),
        documents::cvss::Severity::High => Ok(sim::severity::Severity::High),
        documents::cvss::Severity::Critical => Ok(sim::severity::Severity::Critical),
    }
}

async fn range(conn: &mut PgConnection, affected: &AffectedRange) -> Result<NewRange, Problem> {
    let first = one_release(conn, &affected.package, affected.introduced.as_deref()).await?;
    let package = PackageId(ordinal(first.package_id)?);
    let introduced = ordinal(first.release.into())?;
    let fixed = match affected.fixed.as_deref() {
        Some(version) => {
            let fixed = one_release(conn, &affected.package, Some(version)).await?;
            Some(ordinal(fixed.release.into())?)
        }
        None => None,
    };
    if fixed.is_some_and(|fixed| fixed <= introduced) {
        return Err(one_of("`fixed` must be a later version than `introduced`."));
    }
    Ok(NewRange { package, introduced, fixed })
}

async fn one_release(
    conn: &mut PgConnection,
    package: &str,
    version: Option<&str>,
) -> Result<Release, Problem> {
    let plain = |text: &str| !text.chars().any(char::is_control);
    let found = if plain(package) && version.is_none_or(plain) {
        release(conn, package, version).await?
    } else {
        None
    };
    found.ok_or_else(|| {
        let detail = match version {
            Some(version) => format!("There is no version {version:?} of a package {package:?}."),
            None => format!("There is no package {package:?}."),
        };
        Problem::new(Code::UnknownPackage, detail)
    })
}

impl NewIncident {
    /// The command, and whom it is about.
    pub(super) async fn command(
        self,
        conn: &mut PgConnection,
        shared: &str,
    ) -> Result<(String, Command), Problem> {
        let shared = shared.to_owned();
        match (self.cve, self.builder_outage, self.tampered_attestation, self.distrusted_builder) {
            (Some(advisory), None, None, None) => Ok((shared, advisory.command(conn).await?)),
            (None, Some(outage), None, None) => {
                let duration = minutes(Some(outage.duration_minutes));
                Ok((shared, Command::BuilderOutage { builders: outage.builders, duration }))
            }
            (None, None, Some(tampered), None) => {
                let name = &*tampered.image;
                let found = if is_name(name) { definition(conn, name).await? } else { None };
                let found = found.ok_or_else(|| {
                    Problem::new(Code::UnknownImage, format!("There is no image {name:?}."))
                })?;
                let image = ImageId(ordinal(found.id)?);
                Ok((found.tenant_namespace, Command::TamperAttestation { image }))
            }
            (None, None, None, Some(distrusted)) => {
                let number = distrusted.builder.strip_prefix("builder-");
                let number = number.map(str::parse).transpose().map_err(Problem::internal)?;
                let builder = number.map_or(BuilderId::EXTERNAL, BuilderId);
                Ok((shared, Command::DistrustBuilder { builder }))
            }
            _ => Err(one_of(
                "Give exactly one of `cve`, `builder_outage`, `tampered_attestation` and \
                 `distrusted_builder`.",
            )),
        }
    }
}
