//! What surrounds every request: its id, its limits, its log line, the security headers, and the
//! one place where whatever failed becomes a problem.
use crate::http::access::Access;
use crate::http::authorize::Authorizer;
use crate::http::limits::bound_body;
use crate::http::operations::{Operation, Operations, Target};
use crate::http::problem::{self, Code, Problem};
use crate::http::state::ApiState;
use crate::http::{etags, gzip, idempotency, request_id, security_headers};
use futures::FutureExt;
use poem::endpoint::BoxEndpoint;
use poem::error::ResponseError;
use poem::http::{StatusCode, header};
use poem::{Endpoint, IntoResponse, Request, Response};
use std::any::Any;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;
use telemetry::metrics::NO_OPERATION;
use tracing::{Instrument, Span, field};

/// The request's id, for handlers that call themselves by it.
#[derive(Clone, Debug)]
pub(crate) struct RequestId(pub(crate) String);

/// An interface that others have specified, below a path of its own: it admits its callers, and
/// refuses them in its own form.
pub(crate) trait Protocol: Send + Sync {
    /// What metrics and traces call it.
    const OPERATION: &'static str;

    /// Whether a path is one of its.
    fn serves(&self, path: &str) -> bool;

    /// The answer to a request for one of its paths.
    fn answer(
        &self,
        request: Request,
        id: &str,
    ) -> impl Future<Output = Result<Response, Problem>> + Send;

    /// What went wrong, in its form.
    fn refusal(&self, problem: &Problem) -> Response;
}

/// An endpoint that answers every request: operations, which ask for something before they are
/// called, pages, which do not, and a protocol beside them.
pub(crate) struct Middleware<E, P> {
    pages: E,
    operations: Operations,
    protocol: P,
    state: ApiState,
    authorizer: Arc<Authorizer>,
}

impl<E: Endpoint, P: Protocol> Middleware<E, P> {
    pub(crate) fn new(
        pages: E,
        operations: Operations,
        protocol: P,
        authorizer: Arc<Authorizer>,
        state: ApiState,
    ) -> Self {
        Middleware { pages, operations, protocol, authorizer, state }
    }

    async fn answer(&self, mut request: Request, id: &str) -> Result<Response, Problem> {
        match self.operations.target(&request) {
            Target::Operation(operation, endpoint) => {
                self.operate(operation, endpoint, request, id).await
            }
            Target::OtherMethod => {
                bound_body(&mut request, &self.state.limits()).await?;
                Err(Problem::new(Code::MethodNotAllowed, "This path has no such method."))
            }
            Target::Elsewhere => {
                bound_body(&mut request, &self.state.limits()).await?;
                pass(&self.pages, request).await
            }
        }
    }

    /// An operation of the specification.
    async fn operate(
        &self,
        operation: &Operation,
        endpoint: &BoxEndpoint<'static>,
        mut request: Request,
        id: &str,
    ) -> Result<Response, Problem> {
        let caller = self.authorizer.admit(&request, operation, id).await?;
        operation.check_query(&request)?;
        let mut limits = self.state.limits();
        if operation.access == Some(Access::Signed) {
            limits.body_bytes = limits.signed_body_bytes;
        } else if operation.takes_long_body {
            limits.body_bytes = limits.long_body_bytes;
        }
        bound_body(&mut request, &limits).await?;
        if let Some(body) = &operation.body {
            // What is signed is looked at when the signature holds.
            if operation.access == Some(Access::Signed) {
                request.set_data(body.clone());
            } else {
                body.check_request(&mut request).await?;
            }
        }
        request.set_data(RequestId(id.to_owned()));
        let copy = etags::Copy::of(&request);
        let Some(caller) = caller else { return pass(endpoint, request).await };
        let caller = idempotency::of(&mut request, caller).await?;
        if let Some(answered) = idempotency::answered(&self.state, &caller).await? {
            return Ok(answered);
        }
        let path = request.uri().path().to_owned();
        request.extensions_mut().insert(caller.clone());
        let answer = pass(endpoint, request).await.and_then(without_foreign_errors);
        match answer {
            Ok(response) => copy.apply(response).await,
            Err(problem) => {
                // The first of two at the same time may have been answered meanwhile.
                if problem.code() == Code::IdempotencyKeyInUse.as_str()
                    && let Some(answered) = idempotency::answered(&self.state, &caller).await?
                {
                    return Ok(answered);
                }
                if operation.is_write && problem.status().is_client_error() {
                    self.state.refused(&caller, &path, problem.code()).await;
                }
                Err(problem)
            }
        }
    }

    /// The answer, whatever happens on the way: a panic or an overlong wait is a problem too.
    async fn guarded(
        &self,
        answer: impl Future<Output = Result<Response, Problem>>,
    ) -> Result<Response, Problem> {
        let limit = self.state.limits().handler_time;
        let answer = AssertUnwindSafe(tokio::time::timeout(limit, answer));
        match answer.catch_unwind().await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => {
                let detail = format!("There was no answer within {} seconds.", limit.as_secs());
                Err(Problem::new(Code::Timeout, detail))
            }
            Err(panic) => Err(Problem::internal(said(panic.as_ref()))),
        }
    }
}

impl<E: Endpoint, P: Protocol> Endpoint for Middleware<E, P> {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        let began = Instant::now();
        let id = request_id::of(&request);
        let method = request.method().clone();
        let path = request.uri().path().to_owned();
        let takes_gzip = gzip::takes_gzip(request.header(header::ACCEPT_ENCODING));
        let is_foreign = self.protocol.serves(&path);
        let operation = match self.operations.target(&request) {
            _ if is_foreign => P::OPERATION,
            Target::Operation(operation, _) => &*operation.id,
            Target::OtherMethod | Target::Elsewhere => NO_OPERATION,
        };
        let span = span(operation, method.as_str(), &id);
        let answer = if is_foreign {
            let answer = self.protocol.answer(request, &id);
            self.guarded(answer).instrument(span.clone()).await
        } else {
            let answer = self.answer(request, &id);
            self.guarded(answer).instrument(span.clone()).await.and_then(without_foreign_errors)
        };
        let mut response = match answer {
            Ok(response) => response,
            Err(mut problem) => {
                if problem.code() == Code::MethodNotAllowed.as_str() {
                    problem = problem.allow(self.operations.allow(&path));
                }
                problem.place(&path, &id);
                log_failure(&problem, &id, method.as_str(), &path);
                if is_foreign { self.protocol.refusal(&problem) } else { problem.as_response() }
            }
        };
        if !is_foreign {
            response = gzip::compress_text(response, takes_gzip).await;
        }
        let headers = response.headers_mut();
        security_headers::apply(headers);
        if let Some(value) = request_id::header(&id) {
            headers.insert(request_id::HEADER, value);
        }
        let (status, took) = (response.status().as_u16(), began.elapsed());
        span.record("http.response.status_code", status);
        if status >= 500 {
            span.record("otel.status_code", "ERROR");
        }
        if let Some(metrics) = self.state.metrics() {
            metrics.answered(operation, status, took);
        }
        tracing::debug!(
            request_id = id,
            method = method.as_str(),
            path,
            status,
            duration_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
            "answered {method} {path}",
        );
        Ok(response)
    }
}

async fn pass<E: Endpoint>(endpoint: &E, request: Request) -> Result<Response, Problem> {
    match endpoint.call(request).await {
        Ok(response) => Ok(response.into_response()),
        Err(error) => Err(problem::from_poem(error)),
    }
}

/// The span of a request, in the words of OpenTelemetry. It names the operation, never the path:
/// paths hold what callers ask for.
fn span(operation: &str, method: &str, request_id: &str) -> Span {
    tracing::info_span!(
        "request",
        otel.name = operation,
        otel.kind = "server",
        http.request.method = method,
        http.response.status_code = field::Empty,
        otel.status_code = field::Empty,
        request_id,
    )
}

/// No error leaves in another shape than a problem.
fn without_foreign_errors(response: Response) -> Result<Response, Problem> {
    let status = response.status();
    let is_error = status.is_client_error() || status.is_server_error();
    if is_error && response.content_type() != Some(problem::MEDIA_TYPE) {
        return Err(problem::by_status(status, &"an answer that is not a problem"));
    }
    Ok(response)
}

fn log_failure(problem: &Problem, request_id: &str, method: &str, path: &str) {
    let cause = problem.cause().unwrap_or_default();
    match problem.status() {
        StatusCode::INTERNAL_SERVER_ERROR => tracing::error!(
            request_id,
            method,
            path,
            cause,
            "request {request_id} failed: {problem}",
        ),
        // A damaged document is the caller's 410, and the operator's to repair.
        status if status.is_server_error() || problem.cause().is_some() => tracing::warn!(
            request_id,
            method,
            path,
            cause,
            "request {request_id} not served: {problem}",
        ),
        _ => tracing::debug!(request_id, method, path, "request {request_id}: {problem}"),
    }
}

fn said(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    format!("panic: {}", text.as_deref().unwrap_or("without a message"))
}

/// The last resort for endpoints that set a content type by hand.
pub(crate) fn with_content_type(body: impl Into<poem::Body>, media_type: &str) -> Response {
    Response::builder().header(header::CONTENT_TYPE, media_type).body(body)
}
