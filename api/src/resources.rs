//! The endpoints, a folder a subject. A resource never imports another: what two of them need is a
//! rule of the platform (`store::requests`), a convention (`http`) or a shared representation
//! (`schemas`).
mod builds;
mod customers;
mod drills;
mod events;
mod forecasts;
mod identity;
mod images;
pub(crate) mod logs;
mod operations;
mod sla;
mod studies;
mod vulnerabilities;
mod webhooks;
mod world;

use crate::http::access::{Access, Resource};
use crate::http::state::ApiState;
use poem::endpoint::BoxEndpoint;
use poem::http::Method;
use poem_openapi::OpenApi;
use poem_openapi::registry::{MetaApi, Registry};
use std::collections::HashMap;

/// All resources together.
pub(crate) struct Resources(pub(crate) ApiState);

/// Registers the resources, a line each.
macro_rules! resources {
    ($($resource:path,)*) => {
        /// Who may call the operation with this id; none: nobody may, for no resource lists it.
        pub(crate) fn access(operation: &str) -> Option<Access> {
            let mut known = [$(<$resource as Resource>::OPERATIONS),*].into_iter().flatten();
            known.find(|(id, _)| *id == operation).map(|(_, access)| *access)
        }

        /// The ids of all operations that resources list.
        #[cfg(test)]
        fn listed() -> Vec<&'static str> {
            let all = [$(<$resource as Resource>::OPERATIONS),*].into_iter().flatten();
            all.map(|(id, _)| *id).collect()
        }

        impl OpenApi for Resources {
            fn meta() -> Vec<MetaApi> {
                let mut all = Vec::new();
                $(all.extend(<$resource as OpenApi>::meta());)*
                all
            }

            fn register(registry: &mut Registry) {
                $(<$resource as OpenApi>::register(registry);)*
            }

            fn add_routes(
                self,
                routes: &mut HashMap<String, HashMap<Method, BoxEndpoint<'static>>>,
            ) {
                $(<$resource as Resource>::new(&self.0).add_routes(routes);)*
            }
        }
    };
}

resources! {
    identity::tokens::AuthApi,
    identity::api_keys::ApiKeysApi,
    identity::actions::ActionsApi,
    events::stream::EventsApi,
    events::timeline::TimelineApi,
    events::notifications::NotificationsApi,
    world::clock::ClockApi,
    world::retention::RetentionApi,
    world::scenarios::ScenariosApi,
    studies::StudiesApi,
    studies::outcome::StudyOutcomesApi,
    images::ImagesApi,
    images::parts::ImagePartsApi,
    builds::events::BuildsApi,
    operations::jobs::JobsApi,
    builds::completion::CompletionApi,
    world::commands::CommandsApi,
    world::incidents::IncidentsApi,
    customers::usage::UsageApi,
    operations::dead_letter::DeadLetterApi,
    builds::artifacts::ArtifactsApi,
    vulnerabilities::findings::FindingsApi,
    vulnerabilities::advisories::AdvisoriesApi,
    vulnerabilities::packages::PackagesApi,
    customers::catalogue::CustomersApi,
    sla::SlaApi,
    forecasts::ForecastsApi,
    drills::DrillsApi,
    logs::transparency::LogsApi,
    logs::audit::AuditLogsApi,
    logs::forgeries::ForgeriesApi,
    webhooks::upstream::WebhooksApi,
    webhooks::endpoints::WebhookEndpointsApi,
    webhooks::rotation::WebhookSecretsApi,
    webhooks::deliveries::WebhookDeliveriesApi,
    webhooks::sources::WebhookSourcesApi,
    operations::health::HealthApi,
    operations::problems::ProblemsApi,
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    #[test]
    fn every_operation_is_listed_once_and_nothing_else() {
        let document: serde_json::Value = serde_json::from_str(&crate::openapi_json()).unwrap();
        let paths = document["paths"].as_object().unwrap().values();
        let known: BTreeSet<&str> = paths
            .flat_map(|item| item.as_object().unwrap().values())
            .filter_map(|operation| operation["operationId"].as_str())
            .collect();
        let all = super::listed();
        let listed: BTreeSet<&str> = all.iter().copied().collect();
        assert_eq!(listed.len(), all.len(), "an operation is listed twice");
        assert_eq!(listed, known);
    }
}
