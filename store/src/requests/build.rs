//! A request for a build: of an image that exists, or of a new one.
use super::lookup::{build_row_id, customer, image, is_plain, ordinal};
use super::{Refusal, Requester, UnknownPackageName, position};
use crate::catalogue::SHARED_NAMESPACE;
use crate::commands;
use crate::pending::{self, PendingBuild, PendingImage};
use crate::read::builds::{BuildRow, build};
use crate::read::definitions::{Definition, all_packages};
use crate::read::world::Position;
use crate::read::{Moment, packages};
use sim::command::{Command, ImageDefinition};
use sim::fact::Cause;
use sim::ids::{BuildId, CustomerId, ImageId, PackageId};
use sqlx::PgConnection;
use std::collections::BTreeMap;

/// The most package names that a refusal lists.
const MAX_LISTED: usize = 20;
/// The longest name that a refusal repeats, in characters.
const MAX_SHOWN: usize = 100;

/// What to build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuildRequest<'a> {
    /// The image's name.
    pub name: &'a str,
    /// The name of the image that a new image is built on.
    pub base: Option<&'a str>,
    /// The names of a new image's own packages, its main package first, without those of its base.
    pub packages: Option<Vec<&'a str>>,
    /// Whether an orchestrator outside builds it: it takes no builder of the pool, and waits for its
    /// completion ([`super::completion`]).
    pub external: bool,
}

/// Asks for a build, and creates the image first when it is new. Answers with the build as it waits.
///
/// # Errors
/// The image, its base or its packages cannot be built, or not by this requester.
pub async fn request(
    conn: &mut PgConnection,
    requester: Requester<'_>,
    wanted: &BuildRequest<'_>,
) -> Result<BuildRow, Refusal> {
    commands::lock(conn).await?;
    let position = position(conn).await?;
    let owner = owner(conn, requester).await?;
    let target = target(conn, wanted, owner.as_ref(), &position).await?;
    let image = ImageId(ordinal(target.id)?);
    let (create, external) = (target.create, wanted.external);
    let tenant = &target.tenant_namespace;
    let sequence = commands::submit_for(conn, tenant, |sequence| Command::BuildImage {
        build: BuildId::of_command(sequence),
        image,
        create,
        requested_by: None,
        external,
    })
    .await?;
    let cause = Cause::Manual { requested_by: None, external };
    insert_pending(conn, sequence, target.id, tenant, &cause, &position).await
}

/// Writes the pending row of a command's build, and reads it as callers see it.
pub(super) async fn insert_pending(
    conn: &mut PgConnection,
    sequence: u64,
    image_id: i64,
    tenant_namespace: &str,
    cause: &Cause,
    position: &Position,
) -> Result<BuildRow, Refusal> {
    let id = build_row_id(sequence)?;
    let json = serde_json::to_value(cause)
        .map_err(|source| crate::error::Error::Encode { what: "cause of a build", source })?;
    let pending = PendingBuild {
        id,
        image_id,
        tenant_namespace,
        trigger: cause.trigger().as_str(),
        cause: &json,
        requested_at: position.released_through,
    };
    pending::insert_build(conn, &pending).await?;
    let moment = Moment { as_of: position.released_through, newest: true };
    build(conn, moment, id).await?.ok_or(Refusal::Vanished { what: "build" })
}

/// The customer that a tenant's requester acts for.
struct Owner<'a> {
    id: CustomerId,
    namespace: &'a str,
}

async fn owner<'a>(
    conn: &mut PgConnection,
    requester: Requester<'a>,
) -> Result<Option<Owner<'a>>, Refusal> {
    let Some(namespace) = requester.tenant() else { return Ok(None) };
    let id = customer(conn, namespace).await?.ok_or(Refusal::UnknownTenant)?;
    Ok(Some(Owner { id, namespace }))
}

struct Target {
    id: i64,
    tenant_namespace: String,
    create: Option<ImageDefinition>,
}

async fn target(
    conn: &mut PgConnection,
    wanted: &BuildRequest<'_>,
    owner: Option<&Owner<'_>>,
    position: &Position,
) -> Result<Target, Refusal> {
    let base = match wanted.base {
        Some(name) => Some(known_base(conn, name).await?),
        None => None,
    };
    let packages = match &wanted.packages {
        Some(names) => Some(known_packages(conn, names).await?),
        None => None,
    };
    if let Some(found) = image(conn, wanted.name).await? {
        if owner.is_some_and(|owner| owner.namespace != found.tenant_namespace) {
            return Err(Refusal::SharedImage);
        }
        let inherited = inherited(conn, found.base_image_id).await?;
        let packages = packages.map(|ids| without(ids, &inherited));
        return existing(found, base.map(|base| base.id), packages, position);
    }
    let undefined = || Refusal::UndefinedImage { name: wanted.name.to_owned() };
    create(conn, wanted.name, owner, base, packages.ok_or_else(undefined)?, position).await
}

/// A rebuild: the definition, where it is given, must be the one that is stored.
fn existing(
    found: Definition,
    base: Option<i64>,
    packages: Option<Vec<i64>>,
    position: &Position,
) -> Result<Target, Refusal> {
    let sorted = |mut ids: Vec<i64>| {
        ids.sort_unstable();
        ids
    };
    if base.is_some() && base != found.base_image_id {
        return Err(Refusal::ImageDiffers { differs: "another base" });
    }
    if packages.is_some_and(|ids| sorted(ids) != sorted(found.own_packages)) {
        return Err(Refusal::ImageDiffers { differs: "other packages" });
    }
    if found.end_of_life_at.is_some_and(|end| end <= position.released_through) {
        return Err(Refusal::ImageEndOfLife);
    }
    Ok(Target { id: found.id, tenant_namespace: found.tenant_namespace, create: None })
}

/// What an image need not name, because its base has it.
async fn inherited(conn: &mut PgConnection, base: Option<i64>) -> Result<Vec<i64>, Refusal> {
    match base {
        Some(base) => Ok(all_packages(conn, base).await?),
        None => Ok(Vec::new()),
    }
}

fn without(mut packages: Vec<i64>, inherited: &[i64]) -> Vec<i64> {
    packages.retain(|id| !inherited.contains(id));
    packages
}

/// A tenant's images are named after it: so no name tells what another tenant has.
fn check_name(name: &str, owner: Option<&Owner<'_>>) -> Result<(), Refusal> {
    if name.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Refusal::NumericName);
    }
    let Some(Owner { namespace, .. }) = owner else { return Ok(()) };
    let rest = name.strip_prefix(namespace).and_then(|rest| rest.strip_prefix('.'));
    if rest.is_some_and(|rest| !rest.is_empty()) {
        return Ok(());
    }
    Err(Refusal::NameOutsideNamespace { namespace: (*namespace).to_owned() })
}

async fn create(
    conn: &mut PgConnection,
    name: &str,
    owner: Option<&Owner<'_>>,
    base: Option<Definition>,
    packages: Vec<i64>,
    position: &Position,
) -> Result<Target, Refusal> {
    check_name(name, owner)?;
    let mine = owner.map_or(SHARED_NAMESPACE, |owner| owner.namespace);
    let usable = |base: &Definition| [SHARED_NAMESPACE, mine].contains(&&*base.tenant_namespace);
    if base.as_ref().is_some_and(|base| !usable(base)) {
        return Err(Refusal::TenantBase);
    }
    let inherited = inherited(conn, base.as_ref().map(|base| base.id)).await?;
    let packages = without(packages, &inherited);
    let id = pending::next_image_id(conn).await?;
    let image = PendingImage {
        id,
        name,
        base_image_id: base.as_ref().map(|base| base.id),
        depth: base.as_ref().map_or(0, |base| base.depth + 1),
        own_packages: &packages,
        tenant_namespace: mine,
        created_at: position.released_through,
    };
    pending::insert_image(conn, &image).await?;
    let base = base.map(|base| ordinal(base.id).map(ImageId)).transpose()?;
    let packages = packages.into_iter().map(|id| ordinal(id).map(PackageId));
    let packages = packages.collect::<Result<Vec<_>, _>>()?;
    let owner = owner.map(|owner| owner.id);
    let create = ImageDefinition { name: name.into(), base, packages, owner };
    Ok(Target { id, tenant_namespace: mine.to_owned(), create: Some(create) })
}

async fn known_base(conn: &mut PgConnection, name: &str) -> Result<Definition, Refusal> {
    image(conn, name).await?.ok_or_else(|| Refusal::UnknownBase { name: name.to_owned() })
}

/// The numbers of packages in the order of their names.
async fn known_packages(conn: &mut PgConnection, names: &[&str]) -> Result<Vec<i64>, Refusal> {
    let plain: Vec<String> =
        names.iter().filter(|name| is_plain(name)).map(|name| (*name).to_owned()).collect();
    let known: BTreeMap<String, i64> =
        packages::by_name(conn, &plain).await?.into_iter().map(|(id, name)| (name, id)).collect();
    let mut ids = Vec::with_capacity(names.len());
    let mut wrong = Vec::new();
    for name in names {
        let mut refuse = |reason| {
            let name = name.chars().take(MAX_SHOWN).collect();
            wrong.push(UnknownPackageName { name, reason });
        };
        match known.get(*name) {
            None => refuse("there is no such package"),
            Some(id) if ids.contains(id) => refuse("it is named twice"),
            Some(id) => ids.push(*id),
        }
    }
    if wrong.is_empty() { Ok(ids) } else { Err(Refusal::WrongPackages(wrong)) }
}

impl Refusal {
    /// The packages that are wrong, as many as a message should list.
    pub fn listed_packages(&self) -> &[UnknownPackageName] {
        match self {
            Refusal::WrongPackages(wrong) => &wrong[..wrong.len().min(MAX_LISTED)],
            _ => &[],
        }
    }
}
