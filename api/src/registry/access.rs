//! Who may pull: an API key is the password for a token, and where the operator says so, images of the
//! shared catalogue are for everybody.
//!
//! A ping without a token is always refused, with where to get one: a client that is let in at once never
//! sends its password, and could not pull its tenant's own images.
use super::answer::json;
use super::path;
use super::refusal::{Failure, OciCode, Refusal};
use super::service::{OPERATION, Registry};
use crate::auth::{LIFETIME_SECONDS, Role};
use crate::http::caller::{Caller, Inner};
use crate::http::problem::{Code, Problem};
use crate::http::sign_in::sign_in;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use poem::http::header;
use poem::{Request, Response};
use serde_json::json as object;

/// Those without a key. It is no key's id: those are hexadecimal.
const ANONYMOUS: &str = "anonymous";
/// The owner of what all share.
const CATALOGUE: &str = "catalogue";

impl Registry {
    /// Who asks. `public`: whether it is something that everybody may ask about, where the operator lets
    /// them.
    pub(super) async fn caller(
        &self,
        request: &Request,
        id: &str,
        public: bool,
    ) -> Result<Caller, Problem> {
        let open = self.state.registry_anonymous();
        if !request.headers().contains_key(header::AUTHORIZATION) && public && open {
            self.authorizer.within_readers(request)?;
            return Ok(anonymous(id));
        }
        let claims = self.authorizer.claims(request)?;
        if claims.sub != ANONYMOUS {
            return self.authorizer.known(claims, OPERATION.into(), id).await;
        }
        if !open {
            let detail = "This registry lets nobody pull without an API key.";
            return Err(Problem::new(Code::Unauthenticated, detail));
        }
        self.authorizer.within_readers(request)?;
        Ok(anonymous(id))
    }

    /// Where a token is to be had.
    pub(super) fn challenge(&self, request: &Request, detail: &str) -> Refusal {
        let mut challenge =
            format!("Bearer realm=\"{}/v2/token\",service=\"wavetank\"", self.base(request));
        let wanted = path::parse(request.uri().path()).ok();
        if let Some(repository) = wanted.as_ref().and_then(|wanted| wanted.repository()) {
            challenge.push_str(&format!(",scope=\"repository:{}:pull\"", repository.name));
        }
        if request.headers().contains_key(header::AUTHORIZATION) {
            challenge.push_str(",error=\"invalid_token\"");
        }
        Refusal::new(OciCode::Unauthorized, detail).header(header::WWW_AUTHENTICATE, &challenge)
    }

    /// The address that the client reached this by, as far as it is known.
    fn base(&self, request: &Request) -> String {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._:[]".contains(&b);
        let host = request.header(header::HOST).filter(|host| host.bytes().all(plain));
        let forwarded = request.header("X-Forwarded-Proto").filter(|_| self.state.behind_proxy());
        let scheme = if forwarded == Some("https") { "https" } else { "http" };
        format!("{scheme}://{}", host.unwrap_or("localhost"))
    }

    /// A token for the password of HTTP's basic authentication, or for nobody.
    pub(super) async fn token(&self, request: &Request, id: &str) -> Result<Response, Failure> {
        self.authorizer.within_readers(request)?;
        let token = match request.header(header::AUTHORIZATION) {
            None if self.state.registry_anonymous() => {
                let key = self.state.token_key()?;
                let issued = key.issue(ANONYMOUS, ANONYMOUS, Role::Viewer, Some(CATALOGUE));
                issued.map_err(Problem::internal)?.0
            }
            None => return Err(refused("an API key is needed as the password").into()),
            Some(given) => {
                let password = password(given);
                let password = password.ok_or_else(|| {
                    refused(
                        "the header must read `Authorization: Basic`, with an API key as password",
                    )
                })?;
                match sign_in(&self.state, &password, (OPERATION, "/v2/token"), id).await {
                    Ok(signed_in) => signed_in.access_token,
                    Err(problem) if problem.code() == Code::InvalidApiKey.as_str() => {
                        self.authorizer.within_guesses(request)?;
                        return Err(refused("the password is no valid API key").into());
                    }
                    Err(problem) => return Err(problem.into()),
                }
            }
        };
        let answer = object!({
            "token": token, "access_token": token, "expires_in": LIFETIME_SECONDS,
        });
        let mut response = json(answer.to_string());
        let never = header::HeaderValue::from_static("no-store");
        response.headers_mut().insert(header::CACHE_CONTROL, never);
        Ok(response)
    }
}

fn refused(why: &str) -> Refusal {
    Refusal::new(OciCode::Unauthorized, why)
}

/// Whoever comes without a key: what a tenant without anything of its own sees.
fn anonymous(id: &str) -> Caller {
    Caller::new(Inner {
        actor: ANONYMOUS.to_owned(),
        name: ANONYMOUS.to_owned(),
        role: Role::Viewer,
        tenant: Some(CATALOGUE.to_owned()),
        expires: u64::MAX,
        operation: OPERATION.into(),
        request_id: id.to_owned(),
        idempotency: None,
    })
}

/// The password of `Basic base64(user:password)`.
fn password(header: &str) -> Option<String> {
    let (scheme, encoded) = header.split_once(' ')?;
    let decoded = STANDARD.decode(encoded.trim()).ok()?;
    let text = String::from_utf8(decoded).ok()?;
    let (_, password) = text.split_once(':')?;
    scheme.eq_ignore_ascii_case("basic").then(|| password.to_owned())
}
