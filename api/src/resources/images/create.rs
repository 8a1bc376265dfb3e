//! A request for a build becomes a command, and the rows that the caller sees at once.
use crate::http::lookup::{is_name, ordinal};
use crate::schemas::build::Build;
use crate::http::caller::Caller;
use crate::http::problem::{Code, Problem, ProblemPart};
use crate::http::snapshot::world;
use crate::http::state::ApiState;
use crate::http::strict_text::Text;
use crate::http::examples;
use crate::http::write::Done;
use poem_openapi::types::Example;
use poem_openapi::{Enum, Object};
use sim::command::{Command, ImageDefinition};
use sim::fact::Cause;
use sim::ids::{BuildId, CustomerId, ImageId, PackageId};
use sqlx::PgConnection;
use std::collections::BTreeMap;
use store::catalogue::SHARED_NAMESPACE;
use store::pending::{PendingBuild, PendingImage, insert_build, insert_image, next_image_id};
use store::read::builds::build;
use store::read::customers;
use store::read::definitions::{Definition, all_packages, definition};
use store::read::world::Position;
use store::read::{Moment, packages};

/// Who builds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub(super) enum Builder {
    /// A builder of the platform's pool.
    Platform,
    /// An orchestrator outside, which reports at POST /v1/builds/{id}/completion.
    External,
}

/// What to build.
#[derive(Object)]
#[oai(deny_unknown_fields, example)]
pub(super) struct NewBuild {
    /// The image's name: a-z and 0-9, with . _ - between them, and not digits alone when it is
    /// new. A new image of a tenant begins with the tenant's namespace and a dot, such as
    /// `acme.web`; those of other tenants and of the catalogue are built by others.
    #[oai(validator(
        min_length = 1,
        max_length = 63,
        pattern = r"^[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?$"
    ))]
    name: Text,
    /// The name of the image that a new image is built on.
    #[oai(validator(min_length = 1, max_length = 63))]
    base: Option<Text>,
    /// The names of a new image's own packages, its main package first, without those of its
    /// base.
    #[oai(validator(min_items = 1, max_items = 2000))]
    packages: Option<Vec<Text>>,
    /// Who builds; `platform` when absent. An external build takes no builder and stays `pending`
    /// until its completion is posted. It is never merged with another.
    builder: Option<Builder>,
}

impl Example for NewBuild {
    fn example() -> Self {
        NewBuild { name: examples::IMAGE.into(), base: None, packages: None, builder: None }
    }
}

/// Stores the command and its pending rows in one transaction.
pub(super) async fn build_image(
    state: &ApiState,
    caller: &Caller,
    wanted: NewBuild,
) -> Result<Build, Problem> {
    let mut tx = state.write(caller).await?;
    store::commands::lock(&mut tx).await?;
    let position = world(&mut tx).await?;
    let owner = owner(&mut tx, caller).await?;
    let target = target(&mut tx, &wanted, owner.as_ref(), &position).await?;
    let image = ImageId(ordinal(target.id)?);
    let create = target.create;
    let external = wanted.builder == Some(Builder::External);
    let tenant = &target.tenant_namespace;
    let sequence = store::commands::submit_for(&mut tx, tenant, |sequence| Command::BuildImage {
        build: BuildId::of_command(sequence),
        image,
        create,
        requested_by: None,
        external,
    })
    .await?;
    let cause = Cause::Manual { requested_by: None, external };
    let pending = Pending { image_id: target.id, tenant_namespace: &target.tenant_namespace };
    let build = insert_pending(&mut tx, sequence, pending, &cause, &position).await?;
    let done = Done { status: 202, object: &build.href, location: Some(&build.href), body: &build };
    tx.commit(done).await?;
    Ok(build)
}

/// The image a pending build is of.
pub(crate) struct Pending<'a> {
    pub(crate) image_id: i64,
    pub(crate) tenant_namespace: &'a str,
}

/// Writes the pending row of a command's build, and reads it as the API shows it.
pub(crate) async fn insert_pending(
    conn: &mut PgConnection,
    sequence: u64,
    pending: Pending<'_>,
    cause: &Cause,
    position: &Position,
) -> Result<Build, Problem> {
    let id = i64::try_from(BuildId::of_command(sequence).0).map_err(Problem::internal)?;
    let json = serde_json::to_value(cause).map_err(Problem::internal)?;
    insert_build(
        conn,
        &PendingBuild {
            id,
            image_id: pending.image_id,
            tenant_namespace: pending.tenant_namespace,
            trigger: cause.trigger().as_str(),
            cause: &json,
            requested_at: position.released_through,
        },
    )
    .await?;
    let moment = Moment { as_of: position.released_through, newest: true };
    let row = build(conn, moment, id).await?;
    let row = row.ok_or_else(|| Problem::internal("a pending build is not to be seen"))?;
    Build::new(row)
}

/// The customer that a tenant's caller acts for.
struct Owner {
    id: CustomerId,
    namespace: String,
}

async fn owner(conn: &mut PgConnection, caller: &Caller) -> Result<Option<Owner>, Problem> {
    let Some(namespace) = caller.tenant() else { return Ok(None) };
    let id = customers::id(conn, namespace).await?.ok_or_else(|| {
        Problem::new(Code::UnknownTenant, "This world has no customer of the key's namespace.")
    })?;
    Ok(Some(Owner { id: CustomerId(ordinal(id)?), namespace: namespace.to_owned() }))
}

struct Target {
    id: i64,
    tenant_namespace: String,
    create: Option<ImageDefinition>,
}

async fn target(
    conn: &mut PgConnection,
    wanted: &NewBuild,
    owner: Option<&Owner>,
    position: &Position,
) -> Result<Target, Problem> {
    let base = match &wanted.base {
        Some(name) => Some(known_image(conn, name).await?),
        None => None,
    };
    let packages = match &wanted.packages {
        Some(names) => Some(known_packages(conn, names).await?),
        None => None,
    };
    if let Some(found) = definition(conn, &wanted.name).await? {
        if owner.is_some_and(|owner| owner.namespace != found.tenant_namespace) {
            let detail = "The image belongs to the shared catalogue, which the platform builds.";
            return Err(Problem::new(Code::NotYourImage, detail));
        }
        let inherited = inherited(conn, found.base_image_id).await?;
        let packages = packages.map(|ids| without(ids, &inherited));
        return existing(found, base.map(|base| base.id), packages, position);
    }
    let Some(packages) = packages else {
        let detail =
            format!("There is no image {:?}, and no `packages` to create it.", wanted.name.0);
        return Err(Problem::new(Code::UnknownImage, detail));
    };
    create(conn, &wanted.name, owner, base, packages, position).await
}

/// A rebuild: the definition, where it is given, must be the one that is stored.
fn existing(
    found: Definition,
    base: Option<i64>,
    packages: Option<Vec<i64>>,
    position: &Position,
) -> Result<Target, Problem> {
    let sorted = |mut ids: Vec<i64>| {
        ids.sort_unstable();
        ids
    };
    let other_base = base.is_some() && base != found.base_image_id;
    let other_packages = packages.is_some_and(|ids| sorted(ids) != sorted(found.own_packages));
    if other_base || other_packages {
        let part = if other_base { "another base" } else { "other packages" };
        let detail = format!("The image exists with {part}.");
        return Err(Problem::new(Code::ImageDiffers, detail));
    }
    if found.end_of_life_at.is_some_and(|end| end <= position.released_through) {
        let detail = "The image has reached the end of its life and is no longer built.";
        return Err(Problem::new(Code::ImageEndOfLife, detail));
    }
    Ok(Target { id: found.id, tenant_namespace: found.tenant_namespace, create: None })
}

/// What an image need not name, because its base has it.
async fn inherited(conn: &mut PgConnection, base: Option<i64>) -> Result<Vec<i64>, Problem> {
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
fn check_name(name: &str, owner: Option<&Owner>) -> Result<(), Problem> {
    if name.bytes().all(|b| b.is_ascii_digit()) {
        let detail = "The name of a new image must not be a number: paths take both.";
        return Err(Problem::new(Code::InvalidBody, detail));
    }
    let Some(Owner { namespace, .. }) = owner else { return Ok(()) };
    let rest = name.strip_prefix(namespace.as_str()).and_then(|rest| rest.strip_prefix('.'));
    if rest.is_some_and(|rest| !rest.is_empty()) {
        return Ok(());
    }
    let detail = format!("The name of a new image must begin with \"{namespace}.\".");
    Err(Problem::new(Code::NameOutsideNamespace, detail))
}

async fn create(
    conn: &mut PgConnection,
    name: &str,
    owner: Option<&Owner>,
    base: Option<Definition>,
    packages: Vec<i64>,
    position: &Position,
) -> Result<Target, Problem> {
    check_name(name, owner)?;
    // A shared image stands on shared ones: its contents are for everybody to see.
    let mine = owner.map_or(SHARED_NAMESPACE, |owner| owner.namespace.as_str());
    if let Some(base) = &base
        && base.tenant_namespace != SHARED_NAMESPACE
        && base.tenant_namespace != mine
    {
        let detail = "The base belongs to a tenant, and the new image would not.";
        return Err(Problem::new(Code::NotYourImage, detail));
    }
    let inherited = inherited(conn, base.as_ref().map(|base| base.id)).await?;
    let packages = without(packages, &inherited);
    let id = next_image_id(conn).await?;
    insert_image(
        conn,
        &PendingImage {
            id,
            name,
            base_image_id: base.as_ref().map(|base| base.id),
            depth: base.as_ref().map_or(0, |base| base.depth + 1),
            own_packages: &packages,
            tenant_namespace: mine,
            created_at: position.released_through,
        },
    )
    .await?;
    let base = base.map(|base| ordinal(base.id).map(ImageId)).transpose()?;
    let packages = packages.into_iter().map(|id| ordinal(id).map(PackageId));
    let packages = packages.collect::<Result<Vec<_>, _>>()?;
    Ok(Target {
        id,
        tenant_namespace: mine.to_owned(),
        create: Some(ImageDefinition {
            name: name.into(),
            base,
            packages,
            owner: owner.map(|owner| owner.id),
        }),
    })
}

async fn known_image(conn: &mut PgConnection, name: &str) -> Result<Definition, Problem> {
    let found = if is_name(name) { definition(conn, name).await? } else { None };
    found.ok_or_else(|| {
        Problem::new(Code::UnknownImage, format!("There is no image {name:?} to build on."))
    })
}

/// The numbers of packages in the order of their names.
async fn known_packages(conn: &mut PgConnection, names: &[Text]) -> Result<Vec<i64>, Problem> {
    let plain: Vec<String> = names
        .iter()
        .filter(|name| !name.chars().any(char::is_control))
        .map(|name| name.0.clone())
        .collect();
    let known: BTreeMap<String, i64> =
        packages::by_name(conn, &plain).await?.into_iter().map(|(id, name)| (name, id)).collect();
    let mut ids = Vec::with_capacity(names.len());
    let mut wrong = Vec::new();
    for name in names {
        let mut refuse = |detail: &str| {
            let name = name.chars().take(100).collect();
            wrong.push(ProblemPart { name, detail: detail.to_owned() });
        };
        match known.get(&name.0) {
            None => refuse("there is no such package"),
            Some(id) if ids.contains(id) => refuse("it is named twice"),
            Some(id) => ids.push(*id),
        }
    }
    if wrong.is_empty() {
        return Ok(ids);
    }
    let detail = format!("{} of the packages are wrong.", wrong.len());
    wrong.truncate(20);
    Err(Problem::new(Code::UnknownPackage, detail).parts(wrong))
}

