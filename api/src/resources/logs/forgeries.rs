//! The catalogue of forgeries: broken evidence of every kind, made from this world's, for those who
//! write verifiers.
mod model;

use crate::http::access::{Access, Resource};
use crate::http::caller::Caller;
use crate::http::problem::{Code, Failure, Problem, failures};
use crate::http::state::ApiState;
use crate::http::tag::Tag;
use documents::forgeries;
use model::{Forgery, ForgeryDetail, ForgeryList};
use poem_openapi::OpenApi;
use poem_openapi::param::Path;
use poem_openapi::payload::Json;
use store::forgeries::{EvidenceError, evidence};

pub(crate) struct ForgeriesApi(ApiState);

failures! {
    /// The list is the same for every world.
    ListForgeries:
}
failures! {
    /// One forgery.
    OneForgery:
        ForgeryNotFound, EvidencePending, ObjectStoreUnavailable, DocumentDamaged
}

impl Resource for ForgeriesApi {
    const OPERATIONS: &'static [(&'static str, Access)] =
        &[("listForgeries", Access::Read), ("getForgery", Access::Read)];

    fn new(state: &ApiState) -> Self {
        ForgeriesApi(state.clone())
    }
}

#[OpenApi(tag = "Tag::Logs")]
impl ForgeriesApi {
    /// List the forgeries
    ///
    /// Every case of the catalogue, with what is wrong and the verdict of a correct verifier.
    /// `wavetank export --forgeries DIR` writes all of them to a directory.
    #[oai(path = "/v1/forgeries", method = "get", operation_id = "listForgeries")]
    async fn list(&self, _caller: Caller) -> Result<Json<ForgeryList>, Failure<ListForgeries>> {
        Ok(Json(ForgeryList { items: forgeries::cases().map(Forgery::of).collect() }))
    }

    /// Read a forgery
    ///
    /// The files of a case: the bundle, the public key that must have signed, the trusted root, and
    /// the artifact, laid out as the cases of sigstore-conformance. They are made from the oldest
    /// evidence of the shared catalogue that the world keeps. Nothing in them is signed with a key of
    /// the world that its own documents do not have.
    #[oai(path = "/v1/forgeries/:name", method = "get", operation_id = "getForgery")]
    async fn get(
        &self,
        _caller: Caller,
        /// The case's name.
        #[oai(example = "example_name")]
        name: Path<String>,
    ) -> Result<Json<ForgeryDetail>, Failure<OneForgery>> {
        let missing = || Problem::new(Code::ForgeryNotFound, "The catalogue has no such case.");
        let case = forgeries::case(&name).ok_or_else(missing)?;
        let objects = self.0.objects()?.clone();
        let mut tx = self.0.platform_read_tx().await?;
        let record = store::world::get(&mut tx).await.map_err(Problem::from)?;
        let found = evidence(&mut tx, &objects, &record.origin).await.map_err(refused)?;
        drop(tx);
        let making = move || forgeries::make_one(case, &found);
        let made = tokio::task::spawn_blocking(making).await.map_err(Problem::internal)?;
        let made = made.map_err(Problem::internal)?;
        Ok(Json(ForgeryDetail::of(case, made).map_err(Problem::internal)?))
    }
}

fn refused(error: EvidenceError) -> Problem {
    match error {
        EvidenceError::Missing => Problem::new(Code::EvidencePending, error.to_string()),
        EvidenceError::Database(error) => error.into(),
        EvidenceError::Object(error) => error.into(),
        EvidenceError::Document(error) => Problem::internal(error),
    }
}

fn example_name() -> String {
    forgeries::cases().next().map_or_else(String::new, |case| case.told().name.to_owned())
}
