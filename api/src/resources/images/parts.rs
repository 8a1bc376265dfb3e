//! What belongs to an image: findings with deadlines, SBOMs, attestations, VEX, usage, lineage,
//! and how two versions differ.
mod diff;
mod documents;
mod findings;
mod relations;

use crate::http::access::{Access, Resource};
use crate::http::caller::Caller;
use crate::http::examples;
use crate::http::pages::{self, PageQuery, Pager};
use crate::http::problem::{Code, Failure, Problem, failures};
use crate::http::query::{AsOf, at_least, length, query};
use crate::http::state::ApiState;
use crate::http::tag::Tag;
use crate::resources::images::lookup::{one_image, one_version};
use crate::schemas::finding::{FindingStatus, ImageFindingStatus};
use crate::schemas::severity::Severity;
use diff::Diff;
use documents::{
    AttestationPage, SbomFormat, SbomPage, VersionAttestation, VersionSbom, VexPage, VexStatement,
};
use findings::{ImageFinding, ImageFindingPage};
use poem_openapi::OpenApi;
use poem_openapi::param::Path;
use poem_openapi::payload::Json;
use relations::{ImageUsage, ImageUsagePage, Lineage};
use store::read::documents::{AttestationFilter, SbomFilter};
use store::read::findings::FindingFilter;
use store::read::{self, Page, lineage, sla, usage, vex};

/// The most images of a lineage that are shown in one direction.
const MAX_LINEAGE: i64 = 1_000;

pub(crate) struct ImagePartsApi(pub(crate) ApiState);

failures! {
    /// A list below one image.
    PartOfImage:
        InvalidParameter, UnknownParameter, AsOfInFuture, InvalidPageToken, ImageNotFound,
        VersionNotFound
}
failures! {
    /// Something about one image as a whole.
    WholeImage: InvalidParameter, UnknownParameter, AsOfInFuture, ImageNotFound, VersionNotFound
}

fn example_image() -> String {
    examples::IMAGE.to_owned()
}

query! {
    /// The parameters of listImageFindings.
    struct ListImageFindingsQuery {
        /// Only findings on this version.
        version: Option<i32> = at_least(1),
        /// Only findings of this severity.
        severity: Option<Severity>,
        /// Only findings that said this of their version at that instant.
        status: Option<FindingStatus>,
        /// Only findings that said this of the image at that instant.
        image_status: Option<ImageFindingStatus>,
    }
}

query! {
    /// The parameters of listSboms.
    struct ListSbomsQuery {
        /// Only those of this version.
        version: Option<i32> = at_least(1),
        /// Only those in this format.
        format: Option<SbomFormat>,
    }
}

query! {
    /// The parameters of listAttestations.
    struct ListAttestationsQuery {
        /// Only those about this version.
        version: Option<i32> = at_least(1),
        /// Only those with this type of predicate, such as `https://slsa.dev/provenance/v1`.
        predicate_type: Option<String> = length(1, 200).pattern("^[\\x21-\\x7e]+$"),
    }
}

query! {
    /// The parameters of listVexStatements.
    struct ListVexStatementsQuery {
        /// The version; the current one when absent.
        version: Option<i32> = at_least(1),
    }
}

query! {
    /// The parameters of diffVersions.
    struct DiffVersionsQuery {
        /// The older version; the one before `to` when absent (version 1 has none before it and
        /// is compared with itself).
        from: Option<i32> = at_least(1),
        /// The newer version; the current one when absent.
        to: Option<i32> = at_least(1),
    }
}

impl Resource for ImagePartsApi {
    const OPERATIONS: &'static [(&'static str, Access)] = &[
        ("listImageFindings", Access::Read),
        ("listSboms", Access::Read),
        ("listAttestations", Access::Read),
        ("listVexStatements", Access::Read),
        ("listImageUsage", Access::Read),
        ("getLineage", Access::Read),
        ("diffVersions", Access::Read),
    ];

    fn new(state: &ApiState) -> Self {
        ImagePartsApi(state.clone())
    }
}

#[OpenApi(tag = "Tag::Images")]
impl ImagePartsApi {
    /// List an image's findings with their deadlines
    ///
    /// Of all its versions, or of one, the latest detected first; each with the nearest deadline
    /// of either clock, over the customers that the caller may see. A finding stays with its version:
    /// `status` says whether that version has it, `image_status` whether a later one is without it.
    /// Nothing found says nothing before a scan has reported: see `scan`.
    #[oai(path = "/v1/images/:image/findings", method = "get", operation_id = "listImageFindings")]
    async fn findings(
        &self,
        caller: Caller,
        /// The image's name or number.
        #[oai(example = "example_image")]
        image: Path<String>,
        query: ListImageFindingsQuery,
        page: PageQuery,
    ) -> Result<Json<ImageFindingPage>, Failure<PartOfImage>> {
        let severity = query.severity.map(Severity::as_str);
        let mut pager = Pager::<FindingKey>::begin(&self.0, &caller, page).await?;
        let image = one_image(&mut pager.snapshot, &image).await?;
        let version = match query.version.or(image.version) {
            Some(version) => Some(one_version(&mut pager.snapshot, &image, version).await?),
            None => None,
        };
        let filter = FindingFilter {
            severity,
            status: query.status.map(Into::into),
            image_status: query.image_status.map(Into::into),
            image_id: Some(image.id),
            version: query.version,
            ..FindingFilter::default()
        };
        let (moment, limit) = (pager.moment, pager.limit());
        let after = match pager.after {
            Some((ms, version, advisory, package)) => {
                Some((pages::instant(ms)?, image.id, version, advisory, package))
            }
            None => None,
        };
        let conn = pager.snapshot.conn();
        let total = read::findings::findings_total(conn, moment, &filter).await?;
        let mut rows =
            read::findings::findings(conn, moment, &filter, after.as_ref(), limit).await?;
        let deadlines = sla::nearest(conn, moment, image.id, &rows, caller.tenant()).await?;
        let evaluated_at = sla::evaluated_at(conn, moment.as_of).await?;
        let next = pager.end(&mut rows, |row| {
            (row.detected_at.timestamp_millis(), row.version, row.advisory_id, row.package_id)
        })?;
        let items = rows.into_iter().map(|row| ImageFinding::new(row, &deadlines, moment.as_of));
        let items = items.collect::<Result<_, _>>()?;
        let looked = (version, evaluated_at);
        Ok(Json(ImageFindingPage::new(items, total, next, looked, &pager.snapshot)))
    }

    /// List an image's SBOMs
    ///
    /// Of all its versions, the newest first: SPDX and CycloneDX of each.
    #[oai(path = "/v1/images/:image/sboms", method = "get", operation_id = "listSboms")]
    async fn sboms(
        &self,
        caller: Caller,
        /// The image's name or number.
        #[oai(example = "example_image")]
        image: Path<String>,
        query: ListSbomsQuery,
        page: PageQuery,
    ) -> Result<Json<SbomPage>, Failure<PartOfImage>> {
        let format = query.format.map(SbomFormat::as_str);
        let mut pager = Pager::<(i32, String)>::begin(&self.0, &caller, page).await?;
        let image = one_image(&mut pager.snapshot, &image).await?;
        if let Some(version) = query.version {
            one_version(&mut pager.snapshot, &image, version).await?;
        }
        let filter = SbomFilter { image_id: image.id, version: query.version, format };
        let (at, limit, after) = (pager.moment.as_of, pager.limit(), pager.after.take());
        let conn = pager.snapshot.conn();
        let total = read::documents::sboms_total(conn, at, &filter).await?;
        let mut rows = read::documents::sboms(conn, at, &filter, after.as_ref(), limit).await?;
        let next = pager.end(&mut rows, |row| (row.version, row.format.clone()))?;
        let items = rows.into_iter().map(VersionSbom::from).collect();
        Ok(Json(SbomPage::new(items, total, next, &pager.snapshot)))
    }

    /// List an image's attestations
    ///
    /// All signed statements about its versions, the newest first: signatures, provenance, SBOMs,
    /// scans and VEX, each with its Sigstore bundle and its place in the transparency log.
    #[oai(
        path = "/v1/images/:image/attestations",
        method = "get",
        operation_id = "listAttestations"
    )]
    async fn attestations(
        &self,
        caller: Caller,
        /// The image's name or number.
        #[oai(example = "example_image")]
        image: Path<String>,
        query: ListAttestationsQuery,
        page: PageQuery,
    ) -> Result<Json<AttestationPage>, Failure<PartOfImage>> {
        let mut pager = Pager::<(i64, i32, String)>::begin(&self.0, &caller, page).await?;
        let image = one_image(&mut pager.snapshot, &image).await?;
        if let Some(version) = query.version {
            one_version(&mut pager.snapshot, &image, version).await?;
        }
        let filter = AttestationFilter {
            image_id: image.id,
            version: query.version,
            predicate_type: query.predicate_type.as_deref(),
        };
        let (at, limit, after) = (pager.moment.as_of, pager.limit(), pager.after.take());
        let conn = pager.snapshot.conn();
        let total = read::documents::attestations_total(conn, at, &filter).await?;
        let mut rows =
            read::documents::attestations(conn, at, &filter, after.as_ref(), limit).await?;
        let next =
            pager.end(&mut rows, |row| (row.seq, row.version, row.predicate_type.clone()))?;
        let items = rows.into_iter().map(VersionAttestation::from).collect();
        Ok(Json(AttestationPage::new(items, total, next, &pager.snapshot)))
    }

    /// List what vulnerabilities mean for an image
    ///
    /// The OpenVEX statements about its current version, or about another one: not affected and
    /// why, affected and what to do, fixed, or under investigation. `document_href` leads to the
    /// signed document as the newest scan stated it.
    #[oai(path = "/v1/images/:image/vex", method = "get", operation_id = "listVexStatements")]
    async fn vex(
        &self,
        caller: Caller,
        /// The image's name or number.
        #[oai(example = "example_image")]
        image: Path<String>,
        query: ListVexStatementsQuery,
        page: PageQuery,
    ) -> Result<Json<VexPage>, Failure<PartOfImage>> {
        let mut pager = Pager::<(i64, i64)>::begin(&self.0, &caller, page).await?;
        let image = one_image(&mut pager.snapshot, &image).await?;
        let version = query.version.or(image.version).ok_or_else(|| no_version(&image.name))?;
        let version = one_version(&mut pager.snapshot, &image, version).await?;
        let (moment, limit, after) = (pager.moment, pager.limit(), pager.after);
        let of = (image.id, version.version);
        let conn = pager.snapshot.conn();
        let Page { mut rows, total } = vex::statements(conn, moment, of, after, limit).await?;
        let document = vex::document(conn, moment, of).await?;
        let next = pager.end(&mut rows, |row| (row.advisory_id, row.package_id))?;
        let items = rows.into_iter().map(VexStatement::new).collect::<Result<_, _>>()?;
        Ok(Json(VexPage::new(items, total, next, (version, document), &pager.snapshot)))
    }

    /// List who runs an image
    ///
    /// The customers that the caller may see, by namespace, with what runs where and since when.
    #[oai(path = "/v1/images/:image/usage", method = "get", operation_id = "listImageUsage")]
    async fn usage(
        &self,
        caller: Caller,
        /// The image's name or number.
        #[oai(example = "example_image")]
        image: Path<String>,
        page: PageQuery,
    ) -> Result<Json<ImageUsagePage>, Failure<PartOfImage>> {
        let mut pager = Pager::<String>::begin(&self.0, &caller, page).await?;
        let image = one_image(&mut pager.snapshot, &image).await?;
        let (moment, limit, after) = (pager.moment, pager.limit(), pager.after.take());
        let conn = pager.snapshot.conn();
        let total = usage::users_total(conn, moment, image.id).await?;
        let mut rows = usage::users(conn, moment, image.id, after.as_deref(), limit).await?;
        let next = pager.end(&mut rows, |row| row.tenant_namespace.clone())?;
        let current = image.version;
        let items = rows.into_iter().map(|row| ImageUsage::new(row, current)).collect();
        Ok(Json(ImageUsagePage::new(items, total, next, &pager.snapshot)))
    }

    /// Read an image's lineage
    ///
    /// Up: its base, that one's base, and so on. Down: what is built on it, directly and further.
    /// Each says which version of its base it stands on and whether that is the current one. Each
    /// direction shows the nearest 1,000.
    #[oai(path = "/v1/images/:image/lineage", method = "get", operation_id = "getLineage")]
    async fn lineage(
        &self,
        caller: Caller,
        /// The image's name or number.
        #[oai(example = "example_image")]
        image: Path<String>,
        as_of: AsOf,
    ) -> Result<Json<Lineage>, Failure<WholeImage>> {
        let mut snapshot = self.0.snapshot(&caller, as_of.0).await?;
        let image = one_image(&mut snapshot, &image).await?;
        let at = snapshot.moment.as_of;
        let up = lineage::bases(snapshot.conn(), at, image.id, MAX_LINEAGE).await?;
        let down = lineage::derived(snapshot.conn(), at, image.id, MAX_LINEAGE).await?;
        Ok(Json(Lineage::new(image.name, up, down, &snapshot)))
    }

    /// Compare two versions of an image
    ///
    /// Packages that were added, removed or changed, and CVEs that the newer version fixes or
    /// introduces: of all advisories published by the instant, whether a scanner has looked yet
    /// or not.
    #[oai(path = "/v1/images/:image/diff", method = "get", operation_id = "diffVersions")]
    async fn diff(
        &self,
        caller: Caller,
        /// The image's name or number.
        #[oai(example = "example_image")]
        image: Path<String>,
        query: DiffVersionsQuery,
        as_of: AsOf,
    ) -> Result<Json<Diff>, Failure<WholeImage>> {
        let mut snapshot = self.0.snapshot(&caller, as_of.0).await?;
        let image = one_image(&mut snapshot, &image).await?;
        let to = query.to.or(image.version).ok_or_else(|| no_version(&image.name))?;
        let to = one_version(&mut snapshot, &image, to).await?;
        let from = query.from.unwrap_or((to.version - 1).max(1));
        let from = one_version(&mut snapshot, &image, from).await?;
        let (at, versions) = (snapshot.moment.as_of, (from.version, to.version));
        let packages = read::diff::packages(snapshot.conn(), image.id, versions).await?;
        let advisories = read::diff::advisories(snapshot.conn(), at, image.id, versions).await?;
        Ok(Json(Diff::new(image.name, (from, to), packages, advisories, &snapshot)?))
    }
}

/// Detected (milliseconds), version, advisory, package.
type FindingKey = (i64, i32, i64, i64);

fn no_version(image: &str) -> Problem {
    Problem::new(Code::VersionNotFound, format!("{image} has no version yet."))
}
