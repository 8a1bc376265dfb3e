//! What a request must pass before it is served: a valid token, a role that may, and a rate
//! that is not exceeded.
use crate::auth::{BadToken, Claims};
use crate::http::access::Access;
use crate::http::caller::{Caller, Inner};
use crate::http::operations::Operation;
use crate::http::problem::{Code, Problem};
use crate::http::state::ApiState;
use governor::clock::{Clock, DefaultClock};
use governor::state::keyed::DefaultKeyedStateStore;
use governor::{Quota, RateLimiter};
use poem::Request;
use poem::http::header::AUTHORIZATION;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// Keys and addresses that are kept in mind before the idle ones are forgotten.
const REMEMBERED: u32 = 10_000;

type Limiter = RateLimiter<String, DefaultKeyedStateStore<String>, DefaultClock>;

/// Authorization of one served API.
pub(crate) struct Authorizer {
    state: ApiState,
    per_key: Limiter,
    per_address: Limiter,
    per_reader: Limiter,
    checks: AtomicU32,
}

impl Authorizer {
    pub(crate) fn new(state: ApiState) -> Self {
        let limits = state.limits();
        let limiter = |per_second: NonZeroU32| {
            let burst = per_second.saturating_mul(NonZeroU32::MIN.saturating_add(3));
            RateLimiter::keyed(Quota::per_second(per_second).allow_burst(burst))
        };
        Authorizer {
            state,
            per_key: limiter(limits.requests_per_second),
            per_address: limiter(limits.anonymous_per_second),
            per_reader: limiter(limits.requests_per_second),
            checks: AtomicU32::new(0),
        }
    }

    /// Lets a request in: with its caller when the operation asks for one.
    pub(crate) async fn admit(
        &self,
        request: &Request,
        operation: &Operation,
        request_id: &str,
    ) -> Result<Option<Caller>, Problem> {
        let Some(access) = operation.access else {
            return Err(Problem::internal(format!("nobody may call {}", operation.id)));
        };
        let Some(roles) = access.roles() else {
            if matches!(access, Access::Signed) || operation.is_write {
                self.within(&self.per_address, self.address(request))?;
            }
            return Ok(None);
        };
        let claims = self.claims(request)?;
        let caller = self.known(claims, operation.id.clone(), request_id).await?;
        let role = caller.role;
        if !roles.contains(&role) {
            let detail = format!("The role `{role}` may not call {}.", operation.id);
            let names = roles.iter().map(|role| format!("`{role}`")).collect::<Vec<_>>();
            let hint = format!("Use a key with the role {}.", names.join(" or "));
            let problem = Problem::new(Code::Forbidden, detail).hint(hint);
            self.state.refused(&caller, request.uri().path(), problem.code()).await;
            return Err(problem);
        }
        if access.is_of_platform() && caller.tenant().is_some() {
            let detail = format!("A tenant's key may not call {}.", operation.id);
            let hint = "Use a key of the platform itself, one without `tenant_namespace`.";
            let problem = Problem::new(Code::Forbidden, detail).hint(hint);
            self.state.refused(&caller, request.uri().path(), problem.code()).await;
            return Err(problem);
        }
        Ok(Some(caller))
    }

    /// The caller whose valid token says that, if the key behind it still holds and asks no faster
    /// than it may.
    pub(crate) async fn known(
        &self,
        claims: Claims,
        operation: Arc<str>,
        request_id: &str,
    ) -> Result<Caller, Problem> {
        self.within(&self.per_key, claims.sub.clone())?;
        self.state.key_holds(&claims.sub).await?;
        let role = claims.role().ok_or_else(|| unauthenticated("The token names no role."))?;
        Ok(Caller::new(Inner {
            actor: claims.sub,
            name: claims.name,
            role,
            tenant: claims.tenant,
            expires: claims.exp,
            operation,
            request_id: request_id.to_owned(),
            idempotency: None,
        }))
    }

    /// Refuses those who read without a key faster than one key may.
    pub(crate) fn within_readers(&self, request: &Request) -> Result<(), Problem> {
        self.within(&self.per_reader, self.address(request))
    }

    /// Refuses those who try one wrong key after another.
    pub(crate) fn within_guesses(&self, request: &Request) -> Result<(), Problem> {
        self.within(&self.per_address, self.address(request))
    }

    /// What the token of a request says, when it holds.
    pub(crate) fn claims(&self, request: &Request) -> Result<Claims, Problem> {
        let given = request.headers().get(AUTHORIZATION);
        let given = given.ok_or_else(|| unauthenticated("The request carries no token."))?;
        let token = given.to_str().ok().and_then(|text| {
            let (scheme, token) = text.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
        });
        let token = token.ok_or_else(|| {
            unauthenticated("The header must read `Authorization: Bearer TOKEN`.")
        })?;
        self.state.token_key()?.verify(token).map_err(|why| match why {
            BadToken::Expired => unauthenticated("The token has expired."),
            BadToken::Invalid if token.starts_with("wt_") => {
                unauthenticated("This is an API key, not a token.")
            }
            BadToken::Invalid => unauthenticated("The token is not one of this service."),
        })
    }

    fn within(&self, limiter: &Limiter, who: String) -> Result<(), Problem> {
        if self.checks.fetch_add(1, Ordering::Relaxed) % REMEMBERED == REMEMBERED - 1 {
            limiter.retain_recent();
        }
        limiter.check_key(&who).map_err(|until| {
            let wait = until.wait_time_from(DefaultClock::default().now());
            Problem::new(Code::RateLimited, "More requests came than are allowed a second.")
                .retry_after(wait.as_secs() + 1)
        })
    }

    /// Whose requests are counted together when no key tells.
    fn address(&self, request: &Request) -> String {
        // The last entry of the last line is the proxy's own word; what stands before it is
        // whatever a client said.
        let lines = request.headers().get_all("X-Forwarded-For");
        let line = lines.iter().next_back().filter(|_| self.state.behind_proxy());
        let all = line.and_then(|line| line.to_str().ok());
        let last = all.and_then(|all| all.rsplit(',').next()).map(str::trim);
        let address = last.and_then(|text| text.parse::<IpAddr>().ok());
        let address = address.or_else(|| request.remote_addr().as_socket_addr().map(|a| a.ip()));
        match address.map(|ip| ip.to_canonical()) {
            Some(IpAddr::V4(ip)) => ip.to_string(),
            // A client has a whole network of 64 bits to itself.
            Some(IpAddr::V6(ip)) => format!("{:x?}/64", &ip.segments()[..4]),
            None => "unknown".to_owned(),
        }
    }
}

fn unauthenticated(detail: &str) -> Problem {
    Problem::new(Code::Unauthenticated, detail)
}
