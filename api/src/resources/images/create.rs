//! A request for a build.
use crate::http::caller::Caller;
use crate::http::examples;
use crate::http::problem::Problem;
use crate::http::state::ApiState;
use crate::http::strict_text::StrictText;
use crate::http::write::Outcome;
use crate::schemas::build::Build;
use poem_openapi::types::Example;
use poem_openapi::{Enum, Object};
use store::requests::build::{BuildRequest, request};

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
    name: StrictText,
    /// The name of the image that a new image is built on.
    #[oai(validator(min_length = 1, max_length = 63))]
    base: Option<StrictText>,
    /// The names of a new image's own packages, its main package first, without those of its
    /// base.
    #[oai(validator(min_items = 1, max_items = 2000))]
    packages: Option<Vec<StrictText>>,
    /// Who builds; `platform` when absent. An external build takes no builder and stays `pending`
    /// until its completion is posted. It is never merged with another.
    builder: Option<Builder>,
}

impl Example for NewBuild {
    fn example() -> Self {
        NewBuild { name: examples::IMAGE.into(), base: None, packages: None, builder: None }
    }
}

impl NewBuild {
    /// Asks for the build, and answers with it as it waits.
    pub(super) async fn request(
        &self,
        state: &ApiState,
        caller: &Caller,
    ) -> Result<Build, Problem> {
        let wanted = BuildRequest {
            name: &self.name,
            base: self.base.as_deref(),
            packages: self.packages.as_ref().map(|names| names.iter().map(|n| &**n).collect()),
            external: self.builder == Some(Builder::External),
        };
        let mut write = state.write(caller).await?;
        let row = request(&mut write, caller.requester(), &wanted).await?;
        let build = Build::new(row)?;
        let location = Some(build.href.as_str());
        let done = Outcome { status: 202, object: &build.href, location, body: &build };
        write.commit(done).await?;
        Ok(build)
    }
}
