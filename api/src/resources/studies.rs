//! Studies: asked for, listed, stopped, deleted. The API reads a study strictly and stores it; workers
//! play it (`jobs::studies`). What comes of it is in [`outcome`].
mod document;
mod model;
pub(crate) mod outcome;

use crate::http::access::{Access, Resource};
use crate::http::caller::Caller;
use crate::http::file_errors::invalid;
use crate::http::pages::{CurrentPageQuery, WorldlessPager};
use crate::http::problem::{Code, Failure, Problem, failures};
use crate::http::query::query;
use crate::http::state::ApiState;
use crate::http::tag::Tag;
use crate::http::write::Outcome;
use model::{Checked, NewStudy, Study, StudyDetail, StudyPage, StudyStatus};
use poem_openapi::param::Path;
use poem_openapi::payload::Json;
use poem_openapi::{ApiResponse, OpenApi};
use std::sync::Arc;
use store::studies;
use tokio::sync::Semaphore;

pub(crate) struct StudiesApi {
    state: ApiState,
    /// Studies are made ready one at a time: each may cost a second and some memory.
    thinking: Arc<Semaphore>,
}

failures! {
    /// A list.
    ListStudies: InvalidParameter, UnknownParameter, InvalidPageToken
}
failures! {
    /// A study that cannot be played.
    CreateStudy: InvalidBody, BodyTooLarge, UnsupportedMediaType, InvalidStudy, TooManyStudies
}
failures! {
    /// One study.
    OneStudy: InvalidParameter, UnknownParameter, StudyNotFound
}
failures! {
    /// A study that cannot be stopped.
    CancelStudy: InvalidParameter, UnknownParameter, StudyNotFound, StudyEnded
}

/// A study that was asked for.
#[derive(ApiResponse)]
enum Accepted {
    /// The study waits for the workers; the `Location` header and `href` say where to watch it.
    #[oai(status = 202)]
    Study(
        Json<Study>,
        /// Where the study is.
        #[oai(header = "Location")]
        String,
    ),
}

query! {
    /// The parameters of listStudies.
    struct ListStudiesQuery {
        /// Only those that stand so.
        status: Option<StudyStatus>,
    }
}

fn missing(id: i64) -> Problem {
    Problem::new(Code::StudyNotFound, format!("There is no study {id}."))
}

impl StudiesApi {
    /// What a study is; a problem when it is wrong.
    async fn checked(&self, wanted: NewStudy) -> Result<Checked, Problem> {
        let _turn = self.thinking.clone().acquire_owned().await.map_err(Problem::internal)?;
        let read = tokio::task::spawn_blocking(move || Checked::read(&wanted));
        let read = read.await.map_err(Problem::internal)?;
        read.map_err(|error| invalid(Code::InvalidStudy, &error))
    }
}

impl Resource for StudiesApi {
    const OPERATIONS: &'static [(&'static str, Access)] = &[
        ("listStudies", Access::PlatformRead),
        ("createStudy", Access::PlatformEdit),
        ("getStudy", Access::PlatformRead),
        ("cancelStudy", Access::PlatformEdit),
        ("deleteStudy", Access::PlatformEdit),
    ];

    fn new(state: &ApiState) -> Self {
        StudiesApi { state: state.clone(), thinking: Arc::new(Semaphore::new(1)) }
    }
}

#[OpenApi(tag = "Tag::Studies")]
impl StudiesApi {
    /// List studies
    ///
    /// The latest first.
    #[oai(path = "/v1/studies", method = "get", operation_id = "listStudies")]
    async fn list(
        &self,
        caller: Caller,
        query: ListStudiesQuery,
        page: CurrentPageQuery,
    ) -> Result<Json<StudyPage>, Failure<ListStudies>> {
        let pager = WorldlessPager::<i64>::begin(page)?;
        let status = query.status.map(Into::into);
        let mut tx = self.state.read_tx(&caller).await?;
        let total = studies::total(&mut tx, status).await?.into();
        let mut rows = studies::list(&mut tx, status, pager.after, pager.limit()).await?;
        let next_page_token = pager.end(&mut rows, |row| row.id)?;
        let items = rows.into_iter().map(Study::new).collect::<Result<_, _>>()?;
        Ok(Json(StudyPage { items, total, next_page_token }))
    }

    /// Start a study
    ///
    /// Reads it strictly, and says what is wrong with line, column and field; then any number of
    /// workers play it. The result is the same for any number of them. At most 20 studies wait or run
    /// at the same time. No world is needed for it, and none is touched.
    #[oai(path = "/v1/studies", method = "post", operation_id = "createStudy")]
    async fn create(
        &self,
        caller: Caller,
        wanted: Json<NewStudy>,
    ) -> Result<Accepted, Failure<CreateStudy>> {
        let text = wanted.0.study.0.clone();
        let checked = self.checked(wanted.0).await?;
        let mut write = self.state.write(&caller).await?;
        let new = studies::NewStudy {
            name: &checked.name,
            title: &checked.title,
            study: &text,
            scenarios: &checked.scenarios,
            seed: checked.seed,
            expected: checked.expected,
            requested_by: &caller.actor,
        };
        let row = studies::insert(&mut write, &new).await?.ok_or_else(|| {
            let detail = format!("{} studies wait or run already.", studies::MOST_OPEN);
            Problem::new(Code::TooManyStudies, detail)
        })?;
        let body = Study::new(row)?;
        let location = body.href.clone();
        let done =
            Outcome { status: 202, object: &location, location: Some(&location), body: &body };
        write.commit(done).await?;
        Ok(Accepted::Study(Json(body), location))
    }

    /// Read a study
    ///
    /// How it stands and how far it is; when it has completed, the answers to its questions and the
    /// arms in short. The whole result is at GET /v1/studies/{id}/result.
    #[oai(path = "/v1/studies/:id", method = "get", operation_id = "getStudy")]
    async fn get(
        &self,
        caller: Caller,
        /// The study's number.
        #[oai(validator(minimum(value = "0")))]
        id: Path<i64>,
    ) -> Result<Json<StudyDetail>, Failure<OneStudy>> {
        let mut tx = self.state.read_tx(&caller).await?;
        let row = studies::detail(&mut tx, id.0).await?.ok_or_else(|| missing(id.0))?;
        Ok(Json(StudyDetail::new(row)?))
    }

    /// Cancel a study
    ///
    /// What is being played of it stops in a moment. The study stays in the list, without a result.
    #[oai(path = "/v1/studies/:id/cancel", method = "post", operation_id = "cancelStudy")]
    async fn cancel(
        &self,
        caller: Caller,
        /// The study's number.
        #[oai(validator(minimum(value = "0")))]
        id: Path<i64>,
    ) -> Result<Json<Study>, Failure<CancelStudy>> {
        let mut write = self.state.write(&caller).await?;
        let stopped = studies::cancel(&mut write, id.0).await?;
        let row = studies::find(&mut write, id.0).await?.ok_or_else(|| missing(id.0))?;
        let body = Study::new(row)?;
        if !stopped {
            let detail = format!("Study {} is {} already.", id.0, body.status.as_str());
            return Err(Problem::new(Code::StudyEnded, detail).into());
        }
        let object = body.href.clone();
        write.commit(Outcome { status: 200, object: &object, location: None, body: &body }).await?;
        Ok(Json(body))
    }

    /// Delete a study
    ///
    /// With its documents; one that waits or runs is cancelled first. The answer is what it was.
    #[oai(path = "/v1/studies/:id", method = "delete", operation_id = "deleteStudy")]
    async fn delete(
        &self,
        caller: Caller,
        /// The study's number.
        #[oai(validator(minimum(value = "0")))]
        id: Path<i64>,
    ) -> Result<Json<Study>, Failure<OneStudy>> {
        let mut write = self.state.write(&caller).await?;
        let row = studies::find(&mut write, id.0).await?.ok_or_else(|| missing(id.0))?;
        if !studies::delete(&mut write, id.0).await? {
            return Err(missing(id.0).into());
        }
        let body = Study::new(row)?;
        let object = body.href.clone();
        write.commit(Outcome { status: 200, object: &object, location: None, body: &body }).await?;
        Ok(Json(body))
    }
}
