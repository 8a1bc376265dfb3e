//! What filters and paths name, found in the database: images, advisories, packages, customers.
use crate::http::problem::{Code, Problem};
use crate::http::snapshot::Snapshot;
use sim::scenario::units::Name;
use store::catalogue::SHARED_NAMESPACE;
use store::read::images::find;
use store::read::{advisories, customers, packages};

/// The longest name that is looked up.
const MAX_NAME_BYTES: usize = 128;

/// A text that the database takes: no control characters.
pub(crate) fn text<'a>(parameter: &str, text: Option<&'a str>) -> Result<Option<&'a str>, Problem> {
    if text.is_some_and(|text| text.chars().any(char::is_control)) {
        let detail = format!("The parameter `{parameter}` is wrong: it holds control characters.");
        return Err(Problem::new(Code::InvalidParameter, detail));
    }
    Ok(text)
}

fn is_plain(name: &str) -> bool {
    !name.is_empty() && name.len() <= MAX_NAME_BYTES && !name.chars().any(char::is_control)
}

fn unknown(parameter: &str, what: &str, given: &str) -> Problem {
    let shown: String = given.chars().take(64).collect();
    let detail = format!("The parameter `{parameter}` is wrong: there is no {what} {shown:?}.");
    Problem::new(Code::InvalidParameter, detail)
}

fn missing(code: Code, what: &str, given: &str, snapshot: &Snapshot) -> Problem {
    let shown: String = given.chars().take(64).collect();
    Problem::new(code, format!("There is no {what} {shown:?} as of {}.", snapshot.as_of()))
}

/// The ordinal of the image that the parameter `image` names.
pub(crate) async fn image(
    snapshot: &mut Snapshot,
    given: Option<&str>,
) -> Result<Option<i64>, Problem> {
    let Some(given) = given else { return Ok(None) };
    let found = number(snapshot, given).await?;
    found.map(Some).ok_or_else(|| unknown("image", "image", given))
}

async fn find_advisory(snapshot: &mut Snapshot, cve: &str) -> Result<Option<i64>, Problem> {
    let moment = snapshot.moment;
    if !is_plain(cve) {
        return Ok(None);
    }
    Ok(advisories::id(snapshot.conn(), moment, cve).await?)
}

/// The ordinal of the advisory that the parameter `cve` names.
pub(crate) async fn cve(
    snapshot: &mut Snapshot,
    given: Option<&str>,
) -> Result<Option<i64>, Problem> {
    let Some(given) = given else { return Ok(None) };
    let found = find_advisory(snapshot, given).await?;
    found.map(Some).ok_or_else(|| unknown("cve", "advisory", given))
}

/// The ordinal of the advisory that a path names.
pub(crate) async fn advisory_id(snapshot: &mut Snapshot, given: &str) -> Result<i64, Problem> {
    let found = find_advisory(snapshot, given).await?;
    found.ok_or_else(|| missing(Code::AdvisoryNotFound, "advisory", given, snapshot))
}

async fn find_package(snapshot: &mut Snapshot, name: &str) -> Result<Option<i64>, Problem> {
    if !is_plain(name) {
        return Ok(None);
    }
    Ok(packages::id(snapshot.conn(), name).await?)
}

/// The ordinal of the package that the parameter `package` names.
pub(crate) async fn package(
    snapshot: &mut Snapshot,
    given: Option<&str>,
) -> Result<Option<i64>, Problem> {
    let Some(given) = given else { return Ok(None) };
    let found = find_package(snapshot, given).await?;
    found.map(Some).ok_or_else(|| unknown("package", "package", given))
}

/// The ordinal of the package that a path names.
pub(crate) async fn package_id(snapshot: &mut Snapshot, given: &str) -> Result<i64, Problem> {
    let found = find_package(snapshot, given).await?;
    found.ok_or_else(|| missing(Code::PackageNotFound, "package", given, snapshot))
}

async fn find_customer(snapshot: &mut Snapshot, tenant: &str) -> Result<Option<i64>, Problem> {
    if !is_plain(tenant) {
        return Ok(None);
    }
    Ok(customers::id(snapshot.conn(), tenant).await?)
}

/// The namespace that the parameter `tenant` names.
pub(crate) async fn tenant(
    snapshot: &mut Snapshot,
    given: Option<&str>,
) -> Result<Option<String>, Problem> {
    let Some(given) = given else { return Ok(None) };
    let found = find_customer(snapshot, given).await?;
    found.map(|_| Some(given.to_owned())).ok_or_else(|| unknown("tenant", "tenant", given))
}

/// The namespace that the parameter `tenant` names: a tenant's, or the shared catalogue.
pub(crate) async fn namespace(
    snapshot: &mut Snapshot,
    given: Option<&str>,
) -> Result<Option<String>, Problem> {
    match given {
        Some(SHARED_NAMESPACE) => Ok(Some(SHARED_NAMESPACE.to_owned())),
        given => tenant(snapshot, given).await,
    }
}

/// The ordinal of the customer that a path names.
pub(crate) async fn customer_id(snapshot: &mut Snapshot, given: &str) -> Result<i64, Problem> {
    let found = find_customer(snapshot, given).await?;
    found.ok_or_else(|| missing(Code::CustomerNotFound, "customer", given, snapshot))
}

/// The number of the image that a path or a filter names.
pub(crate) async fn number(snapshot: &mut Snapshot, given: &str) -> Result<Option<i64>, Problem> {
    if !Name::is_valid(given) {
        return Ok(None);
    }
    Ok(find(snapshot.conn(), given, given.parse().ok()).await?)
}
