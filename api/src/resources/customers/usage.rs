//! What customers run, changed by hand: follow an image's tag, pin a digest, or stop.
use crate::http::access::{Access, Resource};
use crate::http::caller::Caller;
use crate::schemas::command::{Stored, store_command};
use crate::http::lookup::{is_name, ordinal};
use crate::http::problem::{Code, Failure, Problem, failures};
use crate::http::tag::Tag;
use crate::http::snapshot::world;
use crate::http::state::ApiState;
use crate::http::strict_text::Text;
use crate::http::examples;
use poem_openapi::param::Path;
use poem_openapi::payload::Json;
use poem_openapi::types::Example;
use poem_openapi::{Enum, Object, OpenApi};
use sim::catalogue::Runtime;
use sim::command::Command;
use sim::ids::{CustomerId, ImageId};
use sqlx::PgConnection;
use std::sync::Arc;
use store::catalogue::SHARED_NAMESPACE;
use store::read::commands::{uses, version_of};
use store::read::customers;
use store::read::definitions::{Definition, definition};

pub(crate) struct UsageApi(pub(crate) ApiState);

failures! {
    /// A use that cannot begin.
    UseImage:
        InvalidParameter, InvalidBody, BodyTooLarge, UnsupportedMediaType, CustomerNotFound,
        UnknownImage, OtherKernel
}
failures! {
    /// A use that cannot end.
    EndUse: InvalidParameter, CustomerNotFound, UsageNotFound, OtherKernel
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
    cluster: Text,
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
    image: Text,
    /// The digest to pin, until another request moves the pin: the newest version's, or one that
    /// somebody runs. Without it the tag is followed, with the customer's adoption lag.
    #[oai(validator(max_length = 71, pattern = r"^sha256:[0-9a-f]{64}$"))]
    digest: Option<Text>,
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
    const OPERATIONS: &'static [(&'static str, Access)] = &[
        ("useImage", Access::Edit),
        ("endUse", Access::Edit),
    ];

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
        let mut write = self.0.write(&caller).await?;
        world(&mut write).await?;
        let customer = customer(&mut write, &tenant_namespace).await?;
        let image = image(&mut write, &wanted.image, &tenant_namespace).await?;
        let image = image.ok_or_else(|| unknown(&wanted.image))?;
        let pin = match wanted.digest.as_deref() {
            Some(digest) => {
                let version = version_of(&mut write, image.id, digest).await?.ok_or_else(|| {
                    let detail = format!("The image has no version with the digest {digest}.");
                    Problem::new(Code::UnknownImage, detail)
                })?;
                Some(u32::try_from(version).map_err(Problem::internal)?)
            }
            None => None,
        };
        let runtime = wanted.runtime.as_ref().map(|facts| Arc::new(Runtime::from(facts)));
        let image = ImageId(ordinal(image.id)?);
        let command = Command::UseImage { customer, image, pin, runtime };
        Ok(store_command(write, &tenant_namespace, command).await?)
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
        world(&mut write).await?;
        let customer = customer(&mut write, &tenant_namespace).await?;
        let not_used = || {
            let detail = format!("The customer does not use an image {:?}.", image.0);
            Problem::new(Code::UsageNotFound, detail)
        };
        let found =
            crate::resources::customers::usage::image(&mut write, &image, &tenant_namespace).await?.ok_or_else(not_used)?;
        if !uses(&mut write, i64::from(customer.0), found.id).await? {
            return Err(not_used().into());
        }
        let command = Command::EndUse { customer, image: ImageId(ordinal(found.id)?) };
        Ok(store_command(write, &tenant_namespace, command).await?)
    }
}

async fn customer(conn: &mut PgConnection, tenant: &str) -> Result<CustomerId, Problem> {
    let plain = !tenant.chars().any(char::is_control);
    let id = if plain { customers::id(conn, tenant).await? } else { None };
    let id = id.ok_or_else(|| {
        let detail = format!("There is no customer {tenant:?}.");
        Problem::new(Code::CustomerNotFound, detail)
    })?;
    Ok(CustomerId(ordinal(id)?))
}

/// An image that a tenant may run: a shared one, or its own.
async fn image(
    conn: &mut PgConnection,
    name: &str,
    tenant: &str,
) -> Result<Option<Definition>, Problem> {
    let found = if is_name(name) { definition(conn, name).await? } else { None };
    Ok(found.filter(|image| [SHARED_NAMESPACE, tenant].contains(&image.tenant_namespace.as_str())))
}

fn unknown(name: &str) -> Problem {
    Problem::new(Code::UnknownImage, format!("There is no image {name:?}."))
}

fn example_tenant() -> String {
    examples::TENANT.to_owned()
}

fn example_image() -> String {
    examples::IMAGE.to_owned()
}
