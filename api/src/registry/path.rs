//! What the path of a request to the registry names: strict forms of distribution-spec 1.1, and before
//! an image's name the prefixes by which a client asks for another view of it.
use super::refusal::{OciCode, Refusal};
use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use documents::Digest;
use poem::http::StatusCode;

/// Everything below this path is the registry's.
pub(super) const ROOT: &str = "/v2";
/// The longest name of a repository that clients agree on, bytes.
const MAX_NAME_BYTES: usize = 255;
/// The longest tag.
const MAX_TAG_BYTES: usize = 128;
/// The prefix that is followed by an instant.
const AS_OF: &str = "as-of";
/// The prefix of a registry as those were that know no referrers.
const NO_REFERRERS_API: &str = "no-referrers-api";
/// The prefix of images whose layers are not the bytes of their digest.
const DAMAGED_LAYERS: &str = "damaged-layers";

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// Whether this is a registry.
    Ping,
    /// A token.
    Token,
    /// The repositories.
    Catalogue,
    /// The tags of a repository.
    Tags(Repository),
    /// A manifest.
    Manifest(Repository, Reference),
    /// A blob.
    Blob(Repository, AskedDigest),
    /// What refers to a manifest.
    Referrers(Repository, AskedDigest),
}

impl Wanted {
    /// The repository that it is about.
    pub(super) fn repository(&self) -> Option<&Repository> {
        match self {
            Wanted::Ping | Wanted::Token | Wanted::Catalogue => None,
            Wanted::Tags(repository)
            | Wanted::Manifest(repository, _)
            | Wanted::Blob(repository, _)
            | Wanted::Referrers(repository, _) => Some(repository),
        }
    }
}

/// What the statements about an image are like: as they are, or wrong on purpose, for those who test
/// a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Evidence {
    /// As it is.
    Genuine,
    /// There is none.
    Unsigned,
    /// Signed by a key that is not the world's.
    WrongKey,
    /// Changed after it was signed.
    Tampered,
}

impl Evidence {
    /// The kind that a prefix chooses.
    fn of_prefix(text: &str) -> Option<Self> {
        match text {
            "unsigned" => Some(Evidence::Unsigned),
            "wrong-key" => Some(Evidence::WrongKey),
            "tampered" => Some(Evidence::Tampered),
            _ => None,
        }
    }
}

/// An image as one request wants to see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Repository {
    /// The whole name, as the client knows it.
    pub(super) name: String,
    /// The image's name.
    pub(super) image: String,
    /// The instant that it asks about; none: now.
    pub(super) as_of: Option<DateTime<Utc>>,
    /// Whether it has the referrers API; if not, referrers are found by the tag `sha256-<hex>`.
    pub(super) referrers_api: bool,
    /// What the statements about it are like.
    pub(super) evidence: Evidence,
    /// Whether its layers are not the bytes of their digest.
    pub(super) damaged_layers: bool,
}

/// A digest of a well-formed kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum AskedDigest {
    /// SHA-256: what everything here is named by.
    Sha256(Digest),
    /// Another algorithm, by which nothing is named.
    Other(String),
}

impl AskedDigest {
    fn parse(text: &str) -> Result<Self, Refusal> {
        let refused = || {
            let shown: String = text.chars().take(100).collect();
            Refusal::new(OciCode::DigestInvalid, format!("{shown} is not a digest"))
        };
        let (algorithm, encoded) = text.split_once(':').ok_or_else(refused)?;
        let alphanumeric = |part: &str| {
            !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        };
        let named = algorithm.split(['+', '.', '_', '-']).all(alphanumeric);
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'=' | b'_' | b'-');
        if !named || encoded.is_empty() || encoded.len() > 512 || !encoded.bytes().all(plain) {
            return Err(refused());
        }
        let hexadecimal = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        match algorithm {
            "sha256" => Digest::from_hex(encoded).map(AskedDigest::Sha256).map_err(|_| refused()),
            "sha512" if encoded.len() != 128 || !encoded.bytes().all(hexadecimal) => Err(refused()),
            _ => Ok(AskedDigest::Other(text.to_owned())),
        }
    }

    /// The digest, as the client wrote it.
    pub(super) fn text(&self) -> String {
        match self {
            AskedDigest::Sha256(digest) => digest.to_string(),
            AskedDigest::Other(text) => text.clone(),
        }
    }
}

/// How a manifest is named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reference {
    /// By a tag.
    Tag(String),
    /// By its digest.
    Digest(AskedDigest),
}

impl Reference {
    fn parse(text: &str) -> Result<Self, Refusal> {
        if text.contains(':') {
            return AskedDigest::parse(text).map(Reference::Digest);
        }
        let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
        let mut bytes = text.bytes();
        let is_tag = text.len() <= MAX_TAG_BYTES
            && bytes.next().is_some_and(word)
            && bytes.all(|b| word(b) || matches!(b, b'.' | b'-'));
        if !is_tag {
            return Err(Refusal::new(OciCode::ManifestUnknown, "there is no such tag"));
        }
        Ok(Reference::Tag(text.to_owned()))
    }
}

/// Whether a path is the registry's.
pub(super) fn serves(path: &str) -> bool {
    path.strip_prefix(ROOT).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// What a path asks for.
pub(super) fn parse(path: &str) -> Result<Wanted, Refusal> {
    let rest = path.strip_prefix(ROOT).unwrap_or_default();
    let rest = rest.strip_prefix('/').unwrap_or(rest);
    let segments: Vec<String> = rest.split('/').map(decoded).collect::<Result<_, _>>()?;
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    Ok(match segments.as_slice() {
        [""] => Wanted::Ping,
        ["token"] => Wanted::Token,
        ["_catalog"] => Wanted::Catalogue,
        [name @ .., "tags", "list"] => Wanted::Tags(repository(name)?),
        [name @ .., "blobs", "uploads", _] | [name @ .., "blobs", "uploads"] => {
            repository(name)?;
            return Err(read_only());
        }
        [name @ .., "manifests", reference] => {
            Wanted::Manifest(repository(name)?, Reference::parse(reference)?)
        }
        [name @ .., "blobs", digest] => {
            Wanted::Blob(repository(name)?, AskedDigest::parse(digest)?)
        }
        [name @ .., "referrers", digest] => {
            Wanted::Referrers(repository(name)?, AskedDigest::parse(digest)?)
        }
        _ => {
            let message = "a registry has nothing at this path";
            return Err(Refusal::new(OciCode::Unsupported, message).status(StatusCode::NOT_FOUND));
        }
    })
}

/// What is said to everything that would change something.
pub(super) fn read_only() -> Refusal {
    Refusal::new(OciCode::Unsupported, "this registry is read-only: it shows a simulated world")
        .header(poem::http::header::ALLOW, "GET, HEAD")
}

/// A segment without its percent-encoding. One that then has a slash in it is no segment any more.
fn decoded(segment: &str) -> Result<String, Refusal> {
    let refused = || Refusal::new(OciCode::NameInvalid, "the path is not of the registry's forms");
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || rest.next().and_then(|b| char::from(b).to_digit(16));
        let (Some(high), Some(low)) = (digit(), digit()) else { return Err(refused()) };
        bytes.push(u8::try_from(high * 16 + low).map_err(|_| refused())?);
    }
    let text = String::from_utf8(bytes).map_err(|_| refused())?;
    if text.contains('/') { Err(refused()) } else { Ok(text) }
}

fn repository(segments: &[&str]) -> Result<Repository, Refusal> {
    let name = segments.join("/");
    let invalid = |why: String| Refusal::new(OciCode::NameInvalid, why);
    if name.len() > MAX_NAME_BYTES || !segments.iter().all(|part| is_component(part)) {
        return Err(invalid("the name of a repository is not of the form that it must be".into()));
    }
    let mut found = Repository {
        name: String::new(),
        image: String::new(),
        as_of: None,
        referrers_api: true,
        evidence: Evidence::Genuine,
        damaged_layers: false,
    };
    let mut rest = segments;
    while let Some(more) = take_prefix(rest, &mut found)? {
        rest = more;
    }
    if rest.is_empty() {
        return Err(invalid("the name of a repository is missing".into()));
    }
    // (One with a slash in it is well-formed, and no image's.)
    Ok(Repository { image: rest.join("/"), name, ..found })
}

/// What is left of a name behind one prefix, each of which may be there once; none: it has no more.
fn take_prefix<'a>(
    segments: &'a [&'a str],
    found: &mut Repository,
) -> Result<Option<&'a [&'a str]>, Refusal> {
    let more = match segments {
        [AS_OF, at, more @ ..] if found.as_of.is_none() && !more.is_empty() => {
            let read = instant(at).ok_or_else(|| {
                let why = format!("{at} is not an instant such as 20260114t000000z");
                Refusal::new(OciCode::NameInvalid, why)
            })?;
            found.as_of = Some(read);
            more
        }
        [NO_REFERRERS_API, more @ ..] if found.referrers_api && !more.is_empty() => {
            found.referrers_api = false;
            more
        }
        [DAMAGED_LAYERS, more @ ..] if !found.damaged_layers && !more.is_empty() => {
            found.damaged_layers = true;
            more
        }
        [prefix, more @ ..] if found.evidence == Evidence::Genuine && !more.is_empty() => {
            let Some(evidence) = Evidence::of_prefix(prefix) else { return Ok(None) };
            found.evidence = evidence;
            more
        }
        _ => return Ok(None),
    };
    Ok(Some(more))
}

/// `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*`.
fn is_component(text: &str) -> bool {
    let word = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let mut separator = String::new();
    for (n, byte) in text.bytes().enumerate() {
        if !word(byte) {
            separator.push(char::from(byte));
            continue;
        }
        let dashes = separator.bytes().all(|b| b == b'-');
        let joined = n > separator.len() && (dashes || matches!(&*separator, "." | "_" | "__"));
        if !separator.is_empty() && !joined {
            return false;
        }
        separator.clear();
    }
    !text.is_empty() && separator.is_empty()
}

/// `20260114t000000z`, or with milliseconds `20260114t000000.250z`: names have no colons and no capitals.
fn instant(text: &str) -> Option<DateTime<Utc>> {
    let text = text.strip_suffix('z')?;
    let (whole, ms) = text.split_once('.').unwrap_or((text, "000"));
    let shape = |(n, b): (usize, u8)| if n == 8 { b == b't' } else { b.is_ascii_digit() };
    if whole.len() != 15 || !whole.bytes().enumerate().all(shape) || ms.len() != 3 {
        return None;
    }
    let ms: u16 = ms.bytes().all(|b| b.is_ascii_digit()).then(|| ms.parse().ok())??;
    let at = NaiveDateTime::parse_from_str(whole, "%Y%m%dt%H%M%S").ok()?.and_utc();
    at.checked_add_signed(TimeDelta::milliseconds(i64::from(ms)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(path: &str) -> Option<Repository> {
        parse(path).ok()?.repository().cloned()
    }

    #[test]
    fn paths_are_what_the_specification_says() {
        assert_eq!(parse("/v2/").unwrap(), Wanted::Ping);
        assert_eq!(parse("/v2").unwrap(), Wanted::Ping);
        let hex = "a".repeat(64);
        let digest = AskedDigest::Sha256(Digest::from_hex(&hex).unwrap());
        for path in
            [format!("/v2/nginx/blobs/sha256:{hex}"), format!("/v2/nginx/blobs/sha256%3a{hex}")]
        {
            let Wanted::Blob(repository, asked) = parse(&path).unwrap() else { panic!("{path}") };
            assert_eq!((repository.image.as_str(), asked), ("nginx", digest.clone()));
        }
        // A repository may be called as the parts of a path are.
        assert_eq!(named("/v2/tags/tags/list").unwrap().image, "tags");
        assert_eq!(named("/v2/token/manifests/latest").unwrap().image, "token");
        for path in ["/v2/nginx", "/v2/nginx/", "/v2/nginx/tags", "/v2//tags/list/", "/v2/x/y/z"] {
            assert!(parse(path).is_err(), "{path}");
        }
        assert!(serves("/v2") && serves("/v2/x") && !serves("/v20") && !serves("/V2/"));
    }

    #[test]
    fn names_are_checked_before_anything_is_looked_for() {
        for name in ["a", "a.b", "a_b", "a__b", "a---b", "0a", "as-of", "no-referrers-api"] {
            assert!(named(&format!("/v2/{name}/tags/list")).is_some(), "{name}");
        }
        for name in [
            "A", "a..b", "a___b", "-a", "a-", "a.-b", "..", ".", "a b", "%2e%2e", "a%2fb", "a%",
            "%ff",
        ] {
            assert!(named(&format!("/v2/{name}/tags/list")).is_none(), "{name}");
        }
        assert!(named(&format!("/v2/{}/tags/list", "a".repeat(256))).is_none());
        assert!(named("/v2/a//b/tags/list").is_none());
    }

    #[test]
    fn prefixes_choose_a_view() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().ok();
        let one = named("/v2/as-of/20260114t103000z/nginx/tags/list").unwrap();
        assert_eq!(one.as_of, at("2026-01-14T10:30:00Z"));
        assert_eq!((one.image.as_str(), one.referrers_api), ("nginx", true));
        assert_eq!(one.name, "as-of/20260114t103000z/nginx");
        for both in [
            "/v2/no-referrers-api/as-of/20260114t103000.250z/nginx/tags/list",
            "/v2/as-of/20260114t103000.250z/no-referrers-api/nginx/tags/list",
        ] {
            let both = named(both).unwrap();
            assert_eq!(both.as_of, at("2026-01-14T10:30:00.25Z"));
            assert!(!both.referrers_api);
        }
        let tampered = named("/v2/damaged-layers/tampered/nginx/tags/list").unwrap();
        assert_eq!((tampered.evidence, tampered.damaged_layers), (Evidence::Tampered, true));
        // One kind of wrong evidence at a time: the second is part of a name that nothing has.
        assert_eq!(named("/v2/unsigned/tampered/x/tags/list").unwrap().image, "tampered/x");
        for wrong in
            ["20260114", "2026-01-14t00:00:00z", "20261314t000000z", "20260114t000000", "x"]
        {
            assert!(named(&format!("/v2/as-of/{wrong}/nginx/tags/list")).is_none(), "{wrong}");
        }
    }

    #[test]
    fn digests_of_other_algorithms_are_well_formed_or_not() {
        let hex = "0".repeat(128);
        for good in [format!("sha512:{hex}"), "blake3:abc".into(), "sha256+b64u:LCa0a2j_xo".into()]
        {
            assert!(matches!(AskedDigest::parse(&good), Ok(AskedDigest::Other(_))), "{good}");
        }
        for bad in ["sha256:abc", "sha512:abc", ":x", "x:", "X:a", "sha256", "a:b/c", "a:b c"] {
            assert!(AskedDigest::parse(bad).is_err(), "{bad}");
        }
        assert!(AskedDigest::parse(&format!("sha256:{}", "A".repeat(64))).is_err());
    }

    #[test]
    fn tags_are_of_the_form_that_the_specification_gives() {
        for tag in ["latest", "1.4.2-r0", "1.4", "1", "_", &"a".repeat(128)] {
            assert!(Reference::parse(tag).is_ok(), "{tag}");
        }
        for tag in ["", ".a", "-a", "a b", "ä", &"a".repeat(129)] {
            assert!(Reference::parse(tag).is_err(), "{tag}");
        }
    }
}
