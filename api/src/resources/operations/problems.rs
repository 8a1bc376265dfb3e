//! The codes of all problems, explained: what a problem's `type` points to.
use crate::http::access::{Access, Resource};
use crate::http::problem::{Code, Failure, Never, Problem, failures};
use crate::http::state::ApiState;
use crate::http::tag::Tag;
use poem_openapi::param::Path;
use poem_openapi::payload::Json;
use poem_openapi::types::Example;
use poem_openapi::{Object, OpenApi};

pub(crate) struct ProblemsApi;

failures! {
    /// Codes that are not there.
    OneProblem: ProblemNotFound
}

/// One code, explained.
#[derive(Object)]
#[oai(example)]
struct ProblemKind {
    /// The stable name.
    code: String,
    /// The HTTP status.
    status: u16,
    /// The code in a few words.
    title: String,
    /// What to do about it.
    hint: String,
}

impl From<Code> for ProblemKind {
    fn from(code: Code) -> Self {
        ProblemKind {
            code: code.as_str().to_owned(),
            status: code.status(),
            title: code.title().to_owned(),
            hint: code.hint().to_owned(),
        }
    }
}

impl Example for ProblemKind {
    fn example() -> Self {
        Code::ImageNotFound.into()
    }
}

impl Resource for ProblemsApi {
    const OPERATIONS: &'static [(&'static str, Access)] =
        &[("listProblems", Access::Public), ("getProblem", Access::Public)];

    fn new(_state: &ApiState) -> Self {
        ProblemsApi
    }
}

#[OpenApi(tag = "Tag::Problems")]
impl ProblemsApi {
    /// All codes of problems.
    #[oai(path = "/problems", method = "get", operation_id = "listProblems")]
    async fn list(&self) -> Result<Json<Vec<ProblemKind>>, Failure<Never>> {
        Ok(Json(Code::ALL.iter().map(|code| (*code).into()).collect()))
    }

    /// One code of a problem.
    #[oai(path = "/problems/:code", method = "get", operation_id = "getProblem")]
    async fn get(
        &self,
        /// The code, for example `image_not_found`.
        #[oai(example = "example_code")]
        code: Path<String>,
    ) -> Result<Json<ProblemKind>, Failure<OneProblem>> {
        match Code::parse(&code.0) {
            Some(code) => Ok(Json(code.into())),
            None => Err(Problem::new(Code::ProblemNotFound, "There is no such code.").into()),
        }
    }
}

fn example_code() -> String {
    Code::ImageNotFound.as_str().to_owned()
}
