//! Who makes a request: authorization finds out, handlers take it as their argument, and every
//! transaction is opened in the caller's name.
use crate::auth::Role;
use crate::http::problem::{Problem, kernel_mismatch};
use poem::{Request, RequestBody, Result};
use poem_openapi::registry::{MetaSecurityScheme, Registry};
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};
use sim::KERNEL_VERSION;
use std::sync::Arc;
use store::read::world::Position;
use store::requests::Requester;

/// The name of the security scheme in the specification.
pub(crate) const SCHEME: &str = "token";

/// The caller of one request.
#[derive(Clone, Debug)]
pub(crate) struct Caller(Arc<Inner>);

/// What is known of a caller and of the request.
#[derive(Clone, Debug)]
pub(crate) struct Inner {
    /// The id of the API key, or the name of a part of this program.
    pub(crate) actor: String,
    /// What people call the key.
    pub(crate) name: String,
    /// The role of the key.
    pub(crate) role: Role,
    /// The tenant that the key is bound to; none: the platform's own.
    pub(crate) tenant: Option<String>,
    /// When the token ends, in seconds since the epoch.
    pub(crate) expires: u64,
    /// The operation of the specification.
    pub(crate) operation: Arc<str>,
    /// The request's id.
    pub(crate) request_id: String,
    /// The request's `Idempotency-Key`.
    pub(crate) idempotency: Option<Idempotency>,
}

/// The name that a caller gave a request, so that it is not done twice.
#[derive(Clone, Debug)]
pub(crate) struct Idempotency {
    /// As the caller gave it.
    pub(crate) key: String,
    /// SHA-256 over the method, the path and the body.
    pub(crate) request_hash: [u8; 32],
}

impl Caller {
    pub(crate) fn new(inner: Inner) -> Self {
        Caller(Arc::new(inner))
    }

    /// A part of this program that acts for the whole platform, such as the check of a signature.
    pub(crate) fn platform(actor: &str, operation: &str, request_id: &str) -> Self {
        Caller::new(Inner {
            actor: actor.to_owned(),
            name: actor.to_owned(),
            role: Role::Admin,
            tenant: None,
            expires: u64::MAX,
            operation: operation.into(),
            request_id: request_id.to_owned(),
            idempotency: None,
        })
    }

    /// Why the clock stands still, in as many words as the caller may hear: the reason of a defect
    /// holds both sides of a difference, whosever they are.
    pub(crate) fn held_reason(
        &self,
        reason: Option<String>,
        position: &Position,
    ) -> Option<String> {
        if position.kernel_version != KERNEL_VERSION {
            return Some(kernel_mismatch(&position.kernel_version, KERNEL_VERSION));
        }
        match self.role {
            Role::Admin => reason,
            _ => reason
                .map(|_| "A job failed for good; an admin sees it at GET /v1/jobs.".to_owned()),
        }
    }

    /// In whose name the caller asks something of the world.
    pub(crate) fn requester(&self) -> Requester<'_> {
        self.tenant().map_or(Requester::Platform, Requester::Tenant)
    }

    /// The tenant that the caller is bound to.
    pub(crate) fn tenant(&self) -> Option<&str> {
        self.tenant.as_deref()
    }
}

impl std::ops::Deref for Caller {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl<'a> ApiExtractor<'a> for Caller {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::SecurityScheme];

    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        registry.create_security_scheme(
            SCHEME,
            MetaSecurityScheme {
                ty: "http",
                description: Some(
                    "A token from POST /v1/auth/token. At /docs, an API key (`wt_...`) may be \
                     pasted here as it is: the page gets tokens for it.",
                ),
                name: None,
                key_in: None,
                scheme: Some("bearer"),
                bearer_format: Some("JWT"),
                flows: None,
                openid_connect_url: None,
            },
        );
    }

    fn security_schemes() -> Vec<&'static str> {
        vec![SCHEME]
    }

    async fn from_request(
        request: &'a Request,
        _body: &mut RequestBody,
        _options: ExtractParamOptions<Self::ParamType>,
    ) -> Result<Self> {
        let caller = request.extensions().get::<Caller>().cloned();
        Ok(caller
            .ok_or_else(|| Problem::internal("a request passed authorization without a caller"))?)
    }
}
