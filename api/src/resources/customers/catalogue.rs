//! Customers: what they run and what they are exposed to.
mod model;

use crate::http::access::{Access, Resource};
use crate::http::caller::Caller;
use crate::http::examples;
use crate::http::lookup::{self, customer_id, text};
use crate::http::pages::{PageQuery, Pager};
use crate::http::problem::{Failure, failures};
use crate::http::query::{AsOf, length, query};
use crate::http::state::ApiState;
use crate::http::tag::Tag;
use crate::schemas::exposure::{Exposure, ExposurePage, LookedAt};
use crate::schemas::severity::Severity;
use model::{Customer, CustomerDetail, CustomerPage, CustomerUsage, CustomerUsagePage};
use poem_openapi::OpenApi;
use poem_openapi::param::Path;
use poem_openapi::payload::Json;
use store::read::customers::{customer, customers, customers_total, usage};
use store::read::exposure::{ExposureFilter, of_customer};
use store::read::{Page, scans, sla};

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

query! {
    /// The parameters of listCustomers.
    struct ListCustomersQuery {
        /// Only customers whose namespace or name holds this text, whatever its case.
        q: Option<String> = length(1, 63),
    }
}

query! {
    /// The parameters of listCustomerExposure.
    struct ListCustomerExposureQuery {
        /// Only advisories of this severity.
        severity: Option<Severity>,
        /// Only this image: its name or number.
        image: Option<String> = length(1, 63),
    }
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
        query: ListCustomersQuery,
        page: PageQuery,
    ) -> Result<Json<CustomerPage>, Failure<ListCustomers>> {
        let q = text("q", query.q.as_deref())?;
        let mut pager = Pager::<String>::begin(&self.0, &caller, page).await?;
        let (moment, limit, after) = (pager.moment, pager.limit(), pager.after.clone());
        let conn = pager.snapshot.conn();
        let total = customers_total(conn, moment, q).await?;
        let mut rows = customers(conn, moment, q, after.as_deref(), limit).await?;
        let next = pager.end(&mut rows, |row| row.tenant_namespace.clone())?;
        let items = rows.into_iter().map(Customer::from).collect();
        Ok(Json(CustomerPage::new(items, total, next, &pager.snapshot)))
    }

    /// Read a customer
    #[oai(path = "/v1/customers/:tenant_namespace", method = "get", operation_id = "getCustomer")]
    async fn get(
        &self,
        caller: Caller,
        /// The customer's namespace.
        #[oai(example = "example_tenant")]
        tenant_namespace: Path<String>,
        as_of: AsOf,
    ) -> Result<Json<CustomerDetail>, Failure<OneCustomer>> {
        let mut snapshot = self.0.snapshot(&caller, as_of.0).await?;
        let (id, moment) = (customer_id(&mut snapshot, &tenant_namespace).await?, snapshot.moment);
        let row = customer(snapshot.conn(), moment, id).await?;
        Ok(Json(CustomerDetail::new(row, &snapshot)))
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
        page: PageQuery,
    ) -> Result<Json<CustomerUsagePage>, Failure<BelowCustomer>> {
        let mut pager = Pager::<i64>::begin(&self.0, &caller, page).await?;
        let id = customer_id(&mut pager.snapshot, &tenant_namespace).await?;
        let (moment, limit, after) = (pager.moment, pager.limit(), pager.after);
        let row = customer(pager.snapshot.conn(), moment, id).await?;
        let mut rows = usage(pager.snapshot.conn(), moment, row.id, after, limit).await?;
        let next = pager.end(&mut rows, |row| row.image_id)?;
        let items = rows.into_iter().map(CustomerUsage::from).collect();
        Ok(Json(CustomerUsagePage::new(items, row.images, next, &pager.snapshot)))
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
        query: ListCustomerExposureQuery,
        page: PageQuery,
    ) -> Result<Json<ExposurePage>, Failure<BelowCustomer>> {
        let severity = query.severity.map(Severity::as_str);
        let mut pager = Pager::<Key>::begin(&self.0, &caller, page).await?;
        let id = customer_id(&mut pager.snapshot, &tenant_namespace).await?;
        let image_id = lookup::image(&mut pager.snapshot, query.image.as_deref()).await?;
        let filter = ExposureFilter { severity, image_id };
        let (moment, limit, after) = (pager.moment, pager.limit(), pager.after);
        let Page { mut rows, total } =
            of_customer(pager.snapshot.conn(), moment, id, &filter, after, limit).await?;
        let rank = |name: &str| Severity::parse(name).map_or(0, Severity::rank);
        let next =
            pager.end(&mut rows, |row| (rank(&row.severity), row.image_id, row.advisory_id))?;
        let items = rows.into_iter().map(|row| Exposure::new(row, moment.as_of));
        let items = items.collect::<Result<_, _>>()?;
        let conn = pager.snapshot.conn();
        let looked = LookedAt {
            scan: scans::of_customer(conn, moment, id).await?.map(Into::into),
            evaluated_at: sla::evaluated_at(conn, moment.as_of).await?,
        };
        Ok(Json(ExposurePage::new(items, total, next, looked, &pager.snapshot)))
    }
}

/// Rank of the severity, image, advisory.
type Key = (i32, i64, i64);

fn example_tenant() -> String {
    examples::TENANT.to_owned()
}
