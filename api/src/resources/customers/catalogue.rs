//! Customers: what they run and what they are exposed to.
mod model;

use crate::http::access::{Access, Resource};
use crate::http::caller::Caller;
use crate::schemas::exposure::{Exposure, ExposurePage};
use crate::http::lookup::{self as filter, customer_id, text};
use crate::http::pages::Turn;
use crate::http::problem::{Failure, failures};
use crate::schemas::severity::Severity;
use crate::http::tag::Tag;
use crate::http::state::ApiState;
use crate::http::time::{Instant, example_as_of};
use crate::http::examples;
use model::{Customer, CustomerDetail, CustomerPage, CustomerUsage, CustomerUsagePage};
use poem_openapi::OpenApi;
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use store::read::Page;
use store::read::customers::{customer, customers, customers_total, usage};
use store::read::exposure::{ExposureFilter, of_customer};

pub(crate) struct CustomersApi(pub(crate) ApiState);

failures! {
    /// A list.
    ListCustomers: InvalidParameter, UnknownParameter, AsOfInFuture, InvalidPageToken
}
failures! {
    /// One customer.
    OneCustomer: InvalidParameter, UnknownParameter, AsOfInFuture, CustomerNotFound
}
failures! {
    /// A list below one customer.
    BelowCustomer:
        InvalidParameter, UnknownParameter, AsOfInFuture, InvalidPageToken, CustomerNotFound
}

impl Resource for CustomersApi {
    const OPERATIONS: &'static [(&'static str, Access)] = &[
        ("listCustomers", Access::Read),
        ("getCustomer", Access::Read),
        ("listCustomerUsage", Access::Read),
        ("listCustomerExposure", Access::Read),
    ];

    fn new(state: &ApiState) -> Self {
        CustomersApi(state.clone())
    }
}

#[OpenApi(tag = "Tag::Customers")]
impl CustomersApi {
    /// List customers
    ///
    /// By namespace. A key of a tenant sees that tenant alone.
    #[oai(path = "/v1/customers", method = "get", operation_id = "listCustomers")]
    async fn list(
        &self,
        caller: Caller,
        /// Only customers whose namespace or name holds this text, whatever its case.
        #[oai(validator(min_length = 1, max_length = 63))]
        q: Query<Option<String>>,
        /// The simulated instant the answer speaks of; the newest state when absent.
        #[oai(example = "example_as_of")]
        as_of: Query<Option<Instant>>,
        /// How many customers a page holds, 25 when absent.
        #[oai(validator(minimum(value = "1"), maximum(value = "200")))]
        page_size: Query<Option<u32>>,
        /// `next_page_token` of the page before.
        page_token: Query<Option<String>>,
    ) -> Result<Json<CustomerPage>, Failure<ListCustomers>> {
        let q = text("q", q.as_deref())?;
        let turning = (page_size.0, page_token.as_deref());
        let list = ("customers", &q);
        let mut turn = Turn::<String>::begin(&self.0, &caller, list, as_of.0, turning).await?;
        let (moment, limit, after) = (turn.moment, turn.limit(), turn.after.clone());
        let conn = turn.view.conn();
        let total = customers_total(conn, moment, q).await?;
        let mut rows = customers(conn, moment, q, after.as_deref(), limit).await?;
        let next = turn.end(&mut rows, |row| row.tenant_namespace.clone())?;
        let items = rows.into_iter().map(Customer::from).collect();
        Ok(Json(CustomerPage::new(items, total, next, &turn.view)))
    }

    /// Read a customer
    #[oai(path = "/v1/customers/:tenant_namespace", method = "get", operation_id = "getCustomer")]
    async fn get(
        &self,
        caller: Caller,
        /// The customer's namespace.
        #[oai(example = "example_tenant")]
        tenant_namespace: Path<String>,
        /// The simulated instant the answer speaks of; the newest state when absent.
        #[oai(example = "example_as_of")]
        as_of: Query<Option<Instant>>,
    ) -> Result<Json<CustomerDetail>, Failure<OneCustomer>> {
        let mut view = self.0.view(&caller, as_of.0).await?;
        let (id, moment) = (customer_id(&mut view, &tenant_namespace).await?, view.moment);
        let row = customer(view.conn(), moment, id).await?;
        Ok(Json(CustomerDetail::new(row, &view)))
    }

    /// List what a customer runs
    ///
    /// By image: the version, where it runs, and the advisories on it.
    #[oai(
        path = "/v1/customers/:tenant_namespace/usage",
        method = "get",
        operation_id = "listCustomerUsage"
    )]
    async fn usage(
        &self,
        caller: Caller,
        /// The customer's namespace.
        #[oai(example = "example_tenant")]
        tenant_namespace: Path<String>,
        /// The simulated instant the answer speaks of; the newest state when absent.
        #[oai(example = "example_as_of")]
        as_of: Query<Option<Instant>>,
        /// How many images a page holds, 25 when absent.
        #[oai(validator(minimum(value = "1"), maximum(value = "200")))]
        page_size: Query<Option<u32>>,
        /// `next_page_token` of the page before.
        page_token: Query<Option<String>>,
    ) -> Result<Json<CustomerUsagePage>, Failure<BelowCustomer>> {
        let list = ("customer usage", &tenant_namespace.0);
        let turning = (page_size.0, page_token.as_deref());
        let mut turn = Turn::<i64>::begin(&self.0, &caller, list, as_of.0, turning).await?;
        let id = customer_id(&mut turn.view, &tenant_namespace).await?;
        let (moment, limit, after) = (turn.moment, turn.limit(), turn.after);
        let row = customer(turn.view.conn(), moment, id).await?;
        let mut rows = usage(turn.view.conn(), moment, row.id, after, limit).await?;
        let next = turn.end(&mut rows, |row| row.image_id)?;
        let items = rows.into_iter().map(CustomerUsage::from).collect();
        Ok(Json(CustomerUsagePage::new(items, row.images, next, &turn.view)))
    }

    /// List what a customer is exposed to
    ///
    /// Every advisory on every version that it runs, the most severe first, with how many hours
    /// there are until the deadline.
    #[oai(
        path = "/v1/customers/:tenant_namespace/exposure",
        method = "get",
        operation_id = "listCustomerExposure"
    )]
    async fn exposure(
        &self,
        caller: Caller,
        /// The customer's namespace.
        #[oai(example = "example_tenant")]
        tenant_namespace: Path<String>,
        /// Only advisories of this severity.
        severity: Query<Option<Severity>>,
        /// Only this image: its name or number.
        #[oai(validator(min_length = 1, max_length = 63))]
        image: Query<Option<String>>,
        /// The simulated instant the answer speaks of; the newest state when absent.
        #[oai(example = "example_as_of")]
        as_of: Query<Option<Instant>>,
        /// How many exposures a page holds, 25 when absent.
        #[oai(validator(minimum(value = "1"), maximum(value = "200")))]
        page_size: Query<Option<u32>>,
        /// `next_page_token` of the page before.
        page_token: Query<Option<String>>,
    ) -> Result<Json<ExposurePage>, Failure<BelowCustomer>> {
        let severity = severity.0.map(Severity::as_str);
        let filters = (&tenant_namespace.0, severity, &image.0);
        let list = ("customer exposure", &filters);
        let turning = (page_size.0, page_token.as_deref());
        let mut turn = Turn::<Key>::begin(&self.0, &caller, list, as_of.0, turning).await?;
        let id = customer_id(&mut turn.view, &tenant_namespace).await?;
        let image_id = filter::image(&mut turn.view, image.as_deref()).await?;
        let filter = ExposureFilter { severity, image_id };
        let (moment, limit, after) = (turn.moment, turn.limit(), turn.after);
        let Page { mut rows, total } =
            of_customer(turn.view.conn(), moment, id, &filter, after, limit).await?;
        let rank = |name: &str| Severity::parse(name).map_or(0, Severity::rank);
        let next =
            turn.end(&mut rows, |row| (rank(&row.severity), row.image_id, row.advisory_id))?;
        let items = rows.into_iter().map(|row| Exposure::new(row, moment.as_of));
        let items = items.collect::<Result<_, _>>()?;
        Ok(Json(ExposurePage::new(items, total, next, &turn.view)))
    }
}

/// Rank of the severity, image, advisory.
type Key = (i32, i64, i64);

fn example_tenant() -> String {
    examples::TENANT.to_owned()
}
