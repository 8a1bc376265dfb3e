//! What can be injected.
use crate::http::problem::{Code, Problem};
use crate::http::strict_text::StrictText;
use crate::schemas::severity::Severity;
use poem_openapi::Object;
use poem_openapi::types::Example;
use sim::ids::BuilderId;
use sim::time::{MINUTE_MS, SimDuration};
use store::requests::advisory::{AdvisoryRequest, AffectedPackage, Rating, Reach, vector_of};
use store::requests::incident::IncidentRequest;

/// A package with the range of its affected versions.
#[derive(Object)]
#[oai(deny_unknown_fields)]
pub(super) struct AffectedRange {
    /// The package's name.
    #[oai(validator(min_length = 1, max_length = 100))]
    package: StrictText,
    /// The first affected version; the package's first one when absent.
    #[oai(validator(min_length = 1, max_length = 100))]
    introduced: Option<StrictText>,
    /// The first version that is not affected any more, if one is out already.
    #[oai(validator(min_length = 1, max_length = 100))]
    fixed: Option<StrictText>,
}

/// An advisory to be disclosed. Give `vector` or `severity`, and `packages` or `image_share`.
#[derive(Object)]
#[oai(deny_unknown_fields, example)]
pub(super) struct NewAdvisory {
    /// Its id: a year and seven digits outside 1000000 to 1999999, which are the world's own. The
    /// next of those when absent.
    #[oai(validator(max_length = 16, pattern = r"^CVE-[0-9]{4}-[0-9]{7}$"))]
    cve: Option<StrictText>,
    /// The CVSS 3.1 base vector; the score is computed from it.
    #[oai(validator(min_length = 1, max_length = 200))]
    vector: Option<StrictText>,
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
            vector: Some(vector_of(sim::severity::Severity::Critical).into()),
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
    image: StrictText,
}

/// A builder that is not trusted any more.
#[derive(Object)]
#[oai(deny_unknown_fields)]
pub(super) struct DistrustedBuilder {
    /// Its name, such as `builder-0`, or `external`.
    #[oai(validator(max_length = 20, pattern = r"^(external|builder-[0-9]{1,6})$"))]
    builder: StrictText,
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

fn contradiction(detail: &str) -> Problem {
    Problem::new(Code::Contradiction, detail)
}

impl NewAdvisory {
    /// What is asked of the world.
    pub(super) fn request(&self) -> Result<AdvisoryRequest<'_>, Problem> {
        let rating = match (&self.vector, self.severity) {
            (Some(vector), None) => Rating::Vector(vector),
            (None, Some(severity)) => Rating::Severity(severity.into()),
            _ => return Err(contradiction("Give either `vector` or `severity`.")),
        };
        let reach = match (&self.packages, self.image_share) {
            (Some(packages), None) => {
                Reach::Packages(packages.iter().map(AffectedRange::range).collect())
            }
            (None, Some(share)) => Reach::ImageShare(share),
            _ => return Err(contradiction("Give either `packages` or `image_share`.")),
        };
        Ok(AdvisoryRequest {
            cve: self.cve.as_deref(),
            rating,
            known_exploited: self.known_exploited.unwrap_or(false),
            reach,
            detectable_after: minutes(self.detectable_after_minutes),
            fix_after: self.fix_after_minutes.map(|after| minutes(Some(after))),
            package_fix_after: minutes(self.package_fix_after_minutes),
        })
    }
}

impl AffectedRange {
    fn range(&self) -> AffectedPackage<'_> {
        AffectedPackage {
            package: &self.package,
            introduced: self.introduced.as_deref(),
            fixed: self.fixed.as_deref(),
        }
    }
}

impl NewIncident {
    /// What is asked of the world.
    pub(super) fn request(&self) -> Result<IncidentRequest<'_>, Problem> {
        let given =
            (&self.cve, &self.builder_outage, &self.tampered_attestation, &self.distrusted_builder);
        match given {
            (Some(advisory), None, None, None) => {
                Ok(IncidentRequest::Advisory(advisory.request()?))
            }
            (None, Some(outage), None, None) => Ok(IncidentRequest::BuilderOutage {
                builders: outage.builders,
                duration: minutes(Some(outage.duration_minutes)),
            }),
            (None, None, Some(tampered), None) => {
                Ok(IncidentRequest::TamperedAttestation { image: &tampered.image })
            }
            (None, None, None, Some(distrusted)) => {
                let number = distrusted.builder.strip_prefix("builder-");
                let number = number.map(str::parse).transpose().map_err(Problem::internal)?;
                let builder = number.map_or(BuilderId::EXTERNAL, BuilderId);
                Ok(IncidentRequest::DistrustedBuilder(builder))
            }
            _ => Err(contradiction(
                "Give exactly one of `cve`, `builder_outage`, `tampered_attestation` and \
                 `distrusted_builder`.",
            )),
        }
    }
}
