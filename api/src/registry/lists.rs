//! Lists and their pages: tags, repositories, and what the query of a list of referrers says.
use super::answer::json;
use super::refusal::{Failure, OciCode, Refusal};
use super::service::{Registry, View};
use crate::http::caller::Caller;
use crate::http::problem::Problem;
use poem::http::{HeaderMap, HeaderValue, header};
use poem::{Request, Response};
use serde::Deserialize;
use serde_json::json as object;
use store::read::registry::{self, Place, ReferrerRow};

/// The most entries of one page.
const MAX_PAGE: usize = 1000;

/// The query of a list.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Query {
    n: Option<String>,
    last: Option<String>,
    artifact_type: Option<String>,
}

/// What is wanted of a list of referrers.
pub(super) struct ReferrersQuery {
    /// How many.
    pub(super) n: usize,
    /// After which.
    pub(super) after: Option<Place>,
    /// Of which type alone.
    pub(super) artifact_type: Option<String>,
}

fn invalid(why: &str) -> Refusal {
    Refusal::new(OciCode::PaginationNumberInvalid, why)
}

fn query(request: &Request) -> Result<Query, Refusal> {
    let query: Query = request.params().map_err(|_| invalid("the query cannot be read"))?;
    // What no name has in it, and no database takes.
    if query.last.as_ref().is_some_and(|last| last.contains('\0')) {
        return Err(invalid("`last` is no name"));
    }
    Ok(query)
}

/// How many entries a client wants: a number that no integer holds is more than there are.
fn count(text: Option<&str>, most: usize) -> Result<usize, Refusal> {
    let Some(text) = text else { return Ok(most) };
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(invalid("`n` is not a number"));
    }
    Ok(text.parse::<usize>().unwrap_or(most).min(most))
}

impl Registry {
    /// The tags of a repository.
    pub(super) async fn tags(
        &self,
        view: &mut View<'_>,
        request: &Request,
    ) -> Result<Response, Failure> {
        let image = view.image().await?;
        let query = query(request)?;
        let n = count(query.n.as_deref(), MAX_PAGE)?;
        let (as_of, repository) = (view.snapshot.as_of().datetime(), view.repository);
        let limit = i64::try_from(n + 1).map_err(Problem::internal)?;
        let by_tags = !repository.referrers_api;
        let (conn, last) = (view.snapshot.conn(), query.last.as_deref());
        let tags = registry::tags(conn, as_of, image, by_tags, last, limit).await?;
        Ok(tags_page(&repository.name, tags, n))
    }

    /// The repositories that the caller may see.
    pub(super) async fn catalogue(
        &self,
        request: &Request,
        caller: &Caller,
    ) -> Result<Response, Failure> {
        let query = query(request)?;
        let n = count(query.n.as_deref(), MAX_PAGE)?;
        let mut snapshot = self.state.snapshot(caller, None).await?;
        let as_of = snapshot.as_of().datetime();
        let limit = i64::try_from(n + 1).map_err(Problem::internal)?;
        let last = query.last.as_deref();
        let mut names = registry::names(snapshot.conn(), as_of, last, limit).await?;
        let others = self.generated.iter().map(|one| one.name().to_owned());
        names.extend(others.filter(|name| last.is_none_or(|last| name.as_str() > last)));
        names.sort_unstable();
        let more = cut(&mut names, n);
        let mut response = json(object!({ "repositories": names }).to_string());
        if let Some(last) = more {
            next(response.headers_mut(), &format!("/v2/_catalog?n={n}&last={}", encoded(&last)));
        }
        Ok(response)
    }
}

/// A page of tags, of which there may be more than `n`.
pub(super) fn tags_page(name: &str, mut tags: Vec<String>, n: usize) -> Response {
    let more = cut(&mut tags, n);
    let mut response = json(object!({ "name": name, "tags": tags }).to_string());
    if let Some(last) = more {
        next(response.headers_mut(), &format!("/v2/{name}/tags/list?n={n}&last={last}"));
    }
    response
}

/// A page of those tags, which are all there are, in their order.
pub(super) fn page_of(name: &str, tags: &[String], request: &Request) -> Result<Response, Failure> {
    let query = query(request)?;
    let n = count(query.n.as_deref(), MAX_PAGE)?;
    let after = query.last.unwrap_or_default();
    let tags = tags.iter().filter(|tag| **tag > after).take(n + 1).cloned().collect();
    Ok(tags_page(name, tags, n))
}

/// Cuts a page to its size, and gives its last entry if another page follows.
fn cut(entries: &mut Vec<String>, n: usize) -> Option<String> {
    let more = entries.len() > n;
    entries.truncate(n);
    entries.last().filter(|_| more).cloned()
}

/// Says where the next page is (RFC 8288).
pub(super) fn next(headers: &mut HeaderMap, path: &str) {
    if let Ok(link) = HeaderValue::try_from(format!("<{path}>; rel=\"next\"")) {
        headers.insert(header::LINK, link);
    }
}

/// The query of a list of referrers.
pub(super) fn referrers_query(request: &Request, most: usize) -> Result<ReferrersQuery, Refusal> {
    let query = query(request)?;
    let after = query
        .last
        .as_deref()
        .map(|text| place(text).ok_or_else(|| invalid("`last` is not from the link of a page")));
    Ok(ReferrersQuery {
        n: count(query.n.as_deref(), most)?,
        after: after.transpose()?,
        artifact_type: query.artifact_type.filter(|kind| !kind.is_empty()),
    })
}

/// A place among referrers for the link to the next page.
pub(super) fn place_text(row: &ReferrerRow) -> String {
    format!("{}.{}.{}", row.seq, row.version, hex::encode(&row.predicate_type))
}

fn place(text: &str) -> Option<Place> {
    let mut parts = text.splitn(3, '.');
    let (seq, version) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    let predicate_type = String::from_utf8(hex::decode(parts.next()?).ok()?).ok()?;
    (!predicate_type.contains('\0')).then_some((seq, version, predicate_type))
}

/// A value of a query, percent-encoded.
pub(super) fn encoded(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~/".contains(&b);
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if plain(byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}
