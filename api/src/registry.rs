//! The world as a registry: images, tags, and what refers to them, by OCI distribution-spec 1.1, for the
//! tools that fetch images that way. It is read-only and has no state of its own: all of it is made from
//! rows and objects. docs/registry.md says how to use it.
mod access;
mod answer;
mod blobs;
mod by_digest;
mod generated;
mod kept;
mod lists;
mod manifests;
mod path;
mod pieces;
mod range;
mod referrers;
mod refusal;
mod service;
mod trivy_db;
mod trust;

pub(crate) use service::Registry;

use crate::http::caller::Caller;
use crate::http::middleware::Protocol;
use crate::http::problem::{Code, Problem};
use answer::{json, whole};
use path::{Reference, Wanted};
use poem::error::ResponseError;
use poem::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use poem::{Body, Request, Response};
use refusal::{Failure, OciCode};
use service::{OPERATION, View};

const VERSION_HEADER: HeaderName = HeaderName::from_static("docker-distribution-api-version");

impl Registry {
    async fn respond(&self, request: &Request, id: &str) -> Result<Response, Failure> {
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return Err(path::read_only().into());
        }
        let wanted = path::parse(request.uri().path())?;
        if wanted == Wanted::Token {
            return self.token(request, id).await;
        }
        let public = wanted.repository().is_some();
        let caller = self.caller(request, id, public).await?;
        let answer = self.read(request, &caller, &wanted).await;
        match answer {
            // Who has not said who they are may see more once they do.
            Err(Failure::Refusal(refusal))
                if refusal.code == OciCode::NameUnknown
                    && !request.headers().contains_key(header::AUTHORIZATION) =>
            {
                let detail = "There is no such repository for those who come without a token.";
                Err(Problem::new(Code::Unauthenticated, detail).into())
            }
            other => other,
        }
    }

    async fn read(
        &self,
        request: &Request,
        caller: &Caller,
        wanted: &Wanted,
    ) -> Result<Response, Failure> {
        let Some(repository) = wanted.repository() else {
            return match wanted {
                Wanted::Catalogue => self.catalogue(request, caller).await,
                _ => Ok(json("{}".into())),
            };
        };
        let as_of = repository.as_of.map(Into::into);
        let snapshot = self.state.snapshot(caller, as_of).await?;
        let mut view = View { snapshot, repository };
        if let Some(generated) = self.generated_as(&repository.image) {
            return generated::answer(generated, &mut view, wanted, request).await;
        }
        match wanted {
            Wanted::Tags(_) => self.tags(&mut view, request).await,
            Wanted::Manifest(_, Reference::Tag(tag)) => {
                let content = self.by_tag(&mut view, tag).await?;
                Ok(whole(request, &content))
            }
            Wanted::Manifest(_, Reference::Digest(digest)) => {
                let content = self.by_digest(&mut view, digest).await?;
                Ok(whole(request, &content))
            }
            Wanted::Blob(_, digest) => self.blob(view, digest, request).await,
            Wanted::Referrers(_, digest) => self.referrers(&mut view, digest, request).await,
            Wanted::Ping | Wanted::Token | Wanted::Catalogue => Ok(json("{}".into())),
        }
    }
}

impl Protocol for Registry {
    const OPERATION: &'static str = OPERATION;

    fn serves(&self, path: &str) -> bool {
        path::serves(path)
    }

    async fn answer(&self, request: Request, id: &str) -> Result<Response, Problem> {
        let mut response = match self.respond(&request, id).await {
            Ok(response) => response,
            Err(Failure::Refusal(refusal)) => refusal.response(),
            Err(Failure::Problem(problem)) if problem.status() == StatusCode::UNAUTHORIZED => {
                self.challenge(&request, problem.detail()).response()
            }
            Err(Failure::Problem(problem)) => return Err(problem),
        };
        if request.method() == Method::HEAD {
            response.set_body(Body::empty());
        }
        let version = HeaderValue::from_static("registry/2.0");
        response.headers_mut().insert(VERSION_HEADER, version);
        Ok(response)
    }

    fn refusal(&self, problem: &Problem) -> Response {
        refusal::of_problem(problem).response()
    }
}
