//! What customers run, changed by hand: follow an image's tag, pin a digest, or stop.
use crate::http::access::{Access, Resource};
use crate::http::caller::Caller;
use crate::http::examples;
use crate::http::problem::{Failure, failures};
use crate::http::state::ApiState;
use crate::http::strict_text::StrictText;
use crate::http::tag::Tag;
use crate::schemas::command::Stored;
use poem_openapi::param::Path;
use poem_openapi::payload::Json;
use poem_openapi::types::Example;
use poem_openapi::{Enum, Object, OpenApi};
use sim::catalogue::Runtime;
use store::requests::usage::{self, UsageRequest};

pub(crate) struct UsageApi(pub(crate) ApiState);

failures! {
    /// A use that cannot begin.
    UseImage:
        InvalidParameter, InvalidBody, BodyTooLarge, UnsupportedMediaType, CustomerNotFound,
        UnknownImage, KernelMismatch
}
failures! {
    /// A use that cannot end.
    EndUse: InvalidParameter, CustomerNotFound, UsageNotFound, KernelMismatch
}

/// What an image runs for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
enum Environment {
    /// For customers of the customer.
    Production,
    /// To be tested.
    Staging,
    /// For developers.
    Development,
}

/// Where and how an image runs.
#[derive(Object)]
#[oai(deny_unknown_fields)]
struct RuntimeFacts {
    /// What it runs for.
    environment: Environment,
    /// The cluster's name.
    #[oai(validator(
        min_length = 1,
        max_length = 63,
        pattern = r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$"
    ))]
    cluster: StrictText,
    /// How many replicas.
    #[oai(validator(minimum(value = "1"), maximum(value = "100000")))]
    replicas: u32,
    /// Whether it can be reached from the internet.
    internet_exposed: bool,
}

/// How a customer uses an image.
#[derive(Object)]
#[oai(deny_unknown_fields, example)]
struct NewUse {
    /// The image's name: one of the catalogue or the customer's own.
    #[oai(validator(min_length = 1, max_length = 63))]
    image: StrictText,
    /// The digest to pin, until another request moves the pin: the newest version's, or one that
    /// somebody runs. Without it the tag is followed, with the customer's adoption lag.
    #[oai(validator(max_length = 71, pattern = r"^sha256:[0-9a-f]{64}$"))]
    digest: Option<StrictText>,
    /// Where and how it runs; stays as it is, or is made up, when absent.
    runtime: Option<RuntimeFacts>,
}

impl Example for NewUse {
    fn example() -> Self {
        NewUse {
            image: examples::IMAGE.into(),
            digest: None,
            runtime: Some(RuntimeFacts {
                environment: Environment::Production,
                cluster: "eu-north-1".into(),
                replicas: 3,
                internet_exposed: true,
            }),
        }
    }
}

impl From<&RuntimeFacts> for Runtime {
    fn from(facts: &RuntimeFacts) -> Self {
        let environment = match facts.environment {
            Environment::Production => "production",
            Environment::Staging => "staging",
            Environment::Development => "development",
        };
        Runtime {
            environment: environment.to_owned(),
            cluster: facts.cluster.0.clone(),
            replicas: facts.replicas,
            internet_exposed: facts.internet_exposed,
        }
    }
}

impl Resource for UsageApi {
    const OPERATIONS: &'static [(&'static str, Access)] =
        &[("useImage", Access::Edit), ("endUse", Access::Edit)];

    fn new(state: &ApiState) -> Self {
        UsageApi(state.clone())
    }
}

#[OpenApi(tag = "Tag::Customers")]
impl UsageApi {
    /// Let a customer use an image
    ///
    /// Or change how it does. From a millisecond after the world took the command on, what is
    /// open on the image is owed to the customer, by both clocks. The world refuses a digest that
    /// is neither the newest nor run by anybody; GET the command to see.
    #[oai(
        path = "/v1/customers/:tenant_namespace/usage",
        method = "post",
        operation_id = "useImage"
    )]
    async fn begin(
        &self,
        caller: Caller,
        /// The customer's namespace.
        #[oai(validator(max_length = 63), example = "example_tenant")]
        tenant_namespace: Path<String>,
        wanted: Json<NewUse>,
    ) -> Result<Stored, Failure<UseImage>> {
        let request = UsageRequest {
            tenant: &tenant_namespace,
            image: &wanted.image,
            digest: wanted.digest.as_deref(),
            runtime: wanted.runtime.as_ref().map(Runtime::from),
        };
        let mut write = self.0.write(&caller).await?;
        let row = usage::begin(&mut write, request).await?;
        Ok(Stored::commit(write, row).await?)
    }

    /// End a customer's use of an image
    ///
    /// From a millisecond after the world took the command on, nothing on it is owed to the
    /// customer any more: its timers stop, and violations are resolved. A use that begins again
    /// later does not wake timers that have stopped.
    #[oai(
        path = "/v1/customers/:tenant_namespace/usage/:image",
        method = "delete",
        operation_id = "endUse"
    )]
    async fn end(
        &self,
        caller: Caller,
        /// The customer's namespace.
        #[oai(validator(max_length = 63), example = "example_tenant")]
        tenant_namespace: Path<String>,
        /// The image's name.
        #[oai(validator(max_length = 63), example = "example_image")]
        image: Path<String>,
    ) -> Result<Stored, Failure<EndUse>> {
        let mut write = self.0.write(&caller).await?;
        let row = usage::end(&mut write, &tenant_namespace, &image).await?;
        Ok(Stored::commit(write, row).await?)
    }
}

fn example_tenant() -> String {
    examples::TENANT.to_owned()
}

fn example_image() -> String {
    examples::IMAGE.to_owned()
}
