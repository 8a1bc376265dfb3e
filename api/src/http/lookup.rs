//! What filters and paths name, found in the database: images, advisories, packages, customers.
use crate::http::problem::{Code, Problem};
use crate::http::snapshot::View;
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

fn missing(code: Code, what: &str, given: &str, view: &View) -> Problem {
    let shown: String = given.chars().take(64).collect();
    Problem::new(code, format!("There is no {what} {shown:?} as of {}.", view.as_of()))
}

/// The ordinal of the image that the parameter `image` names.
pub(crate) async fn image(view: &mut View, given: Option<&str>) -> Result<Option<i64>, Problem> {
    let Some(given) = given else { return Ok(None) };
    let found = number(view, given).await?;
    found.map(Some).ok_or_else(|| unknown("image", "image", given))
}

async fn find_advisory(view: &mut View, cve: &str) -> Result<Option<i64>, Problem> {
    let moment = view.moment;
    if !is_plain(cve) {
        return Ok(None);
    }
    Ok(advisories::id(view.conn(), moment, cve).await?)
}

/// The ordinal of the advisory that the parameter `cve` names.
pub(crate) async fn cve(view: &mut View, given: Option<&str>) -> Result<Option<i64>, Problem> {
    let Some(given) = given else { return Ok(None) };
    let found = find_advisory(view, given).await?;
    found.map(Some).ok_or_else(|| unknown("cve", "advisory", given))
}

/// The ordinal of the advisory that a path names.
pub(crate) async fn advisory_id(view: &mut View, given: &str) -> Result<i64, Problem> {
    let found = find_advisory(view, given).await?;
    found.ok_or_else(|| missing(Code::AdvisoryNotFound, "advisory", given, view))
}

async fn find_package(view: &mut View, name: &str) -> Result<Option<i64>, Problem> {
    if !is_plain(name) {
        return Ok(None);
    }
    Ok(packages::id(view.conn(), name).await?)
}

/// The ordinal of the package that the parameter `package` names.
pub(crate) async fn package(view: &mut View, given: Option<&str>) -> Result<Option<i64>, Problem> {
    let Some(given) = given else { return Ok(None) };
    let found = find_package(view, given).await?;
    found.map(Some).ok_or_else(|| unknown("package", "package", given))
}

/// The ordinal of the package that a path names.
pub(crate) async fn package_id(view: &mut View, given: &str) -> Result<i64, Problem> {
    let found = find_package(view, given).await?;
    found.ok_or_else(|| missing(Code::PackageNotFound, "package", given, view))
}

async fn find_customer(view: &mut View, tenant: &str) -> Result<Option<i64>, Problem> {
    if !is_plain(tenant) {
        return Ok(None);
    }
    Ok(customers::id(view.conn(), tenant).await?)
}

/// The namespace that the parameter `tenant` names.
pub(crate) async fn tenant(
    view: &mut View,
    given: Option<&str>,
) -> Result<Option<String>, Problem> {
    let Some(given) = given else { return Ok(None) };
    let found = find_customer(view, given).await?;
    found.map(|_| Some(given.to_owned())).ok_or_else(|| unknown("tenant", "tenant", given))
}

/// The namespace that the parameter `tenant` names: a tenant's, or the shared catalogue.
pub(crate) async fn namespace(
    view: &mut View,
    given: Option<&str>,
) -> Result<Option<String>, Problem> {
    match given {
        Some(SHARED_NAMESPACE) => Ok(Some(SHARED_NAMESPACE.to_owned())),
        given => tenant(view, given).await,
    }
}

/// The ordinal of the customer that a path names.
pub(crate) async fn customer_id(view: &mut View, given: &str) -> Result<i64, Problem> {
    let found = find_customer(view, given).await?;
    found.ok_or_else(|| missing(Code::CustomerNotFound, "customer", given, view))
}

/// Whether a text can be the name of an image: the form that scenarios demand.
pub(crate) fn is_name(text: &str) -> bool {
    let outer = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let inner = |b: &u8| outer(b) || matches!(b, b'.' | b'_' | b'-');
    let bytes = text.as_bytes();
    bytes.len() <= 63
        && bytes.first().is_some_and(outer)
        && bytes.last().is_some_and(outer)
        && bytes.iter().all(inner)
}

/// The number of the image that a path or a filter names.
pub(crate) async fn number(view: &mut View, given: &str) -> Result<Option<i64>, Problem> {
    if !is_name(given) {
        return Ok(None);
    }
    Ok(find(view.conn(), given, given.parse().ok()).await?)
}

/// The kernel counts in 32 bits.
pub(crate) fn ordinal(id: i64) -> Result<u32, Problem> {
    u32::try_from(id).map_err(Problem::internal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_scenarios() {
        for name in ["a", "nginx", "python-3.12", "team_a", "7", &"x".repeat(63)] {
            assert!(is_name(name), "{name}");
        }
        for name in ["", "-a", "a-", "A", "a b", "a/b", "é", "..", "a\0b", &"x".repeat(64)] {
            assert!(!is_name(name), "{name:?}");
        }
    }
}
