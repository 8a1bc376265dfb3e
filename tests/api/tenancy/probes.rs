//! The values of each parameter, filter and field when one tenant asks for another's resources. A
//! parameter that is not listed here fails the tests of isolation: its owner must be stated.
use super::tenants::{NOBODY, Tenant};
use serde_json::{Value, json};

/// What a parameter or a field can name.
pub(crate) enum Names {
    /// Something of a tenant: these, of a tenant that is given.
    Owned(fn(&Tenant) -> Vec<String>),
    /// Something that all see, and of which a tenant may have more than another sees.
    Shared(fn(&Tenant) -> Vec<String>),
    /// Nothing of a tenant; where a value is needed, this one.
    Nothing(&'static str),
}
use Names::{Nothing, Owned, Shared};

fn images(of: &Tenant) -> Vec<String> {
    vec![of.image(), of.nth(1)]
}

fn tenants(of: &Tenant) -> Vec<String> {
    vec![of.name.to_owned()]
}

fn first_rows(of: &Tenant) -> Vec<String> {
    vec![of.nth(1)]
}

fn endpoints(of: &Tenant) -> Vec<String> {
    vec![format!("whe_{}", of.nth(1))]
}

fn cves(of: &Tenant) -> Vec<String> {
    vec![of.cve()]
}

fn packages(of: &Tenant) -> Vec<String> {
    vec![of.package()]
}

/// What a parameter of a path names; the path is given up to it.
pub(crate) fn in_path(place: &str) -> Names {
    match place {
        "/v1/images/{image}" | "/v1/customers/{tenant_namespace}/usage/{image}" => Owned(images),
        "/v1/customers/{tenant_namespace}" => Owned(tenants),
        // (The third build is one that somebody outside is to complete.)
        "/v1/builds/{id}" => Owned(|of| vec![of.nth(1), of.nth(3)]),
        "/v1/artifacts/{sha256}" => Owned(Tenant::addresses),
        "/v1/notifications/{id}" | "/v1/audit-logs/{id}" => Owned(first_rows),
        "/v1/commands/{id}" => Owned(|of| vec![of.nth(1), of.nth(2)]),
        "/v1/webhook-endpoints/{id}" => Owned(endpoints),
        "/v1/webhook-sources/{id}" => Owned(|of| vec![format!("whs_{}", of.nth(1))]),
        "/v1/webhook-deliveries/{id}" => Owned(|of| vec![format!("msg_{}", of.nth(1))]),
        // (An entry of the log says what it is about; only its hash is public.)
        "/v1/logs/transparency/entries/{index}" => Owned(|of| vec![of.log_index()]),
        // Advisories and packages are the catalogue's; who is hit and who holds them is not.
        "/v1/advisories/{cve}" => Shared(cves),
        "/v1/packages/{name}" => Shared(packages),
        // A number within its image.
        "/v1/images/{image}/versions/{version}" => Nothing("1"),
        // The logs are public: their sizes, roots and hashes.
        "/v1/logs/{log}" => Nothing("transparency"),
        // Tenants may not even ask.
        "/v1/studies/{id}" => Nothing("1"),
        // Broken evidence of the shared catalogue.
        "/v1/forgeries/{name}" => Nothing("payload-flipped_fail"),
        // They are files of the program.
        "/v1/scenarios/{name}" | "/problems/{code}" => Nothing("image_not_found"),
        other => panic!("it is not stated what the last parameter of {other} names"),
    }
}

/// What a parameter of a query names.
pub(crate) fn in_query(operation: &str, name: &str) -> Names {
    match (operation, name) {
        (_, "image") => Owned(images),
        (_, "tenant") => Owned(tenants),
        ("listImages", "base") => Owned(|of| vec![of.base(), of.nth(2)]),
        ("listImages", "tag") => Owned(|of| vec![format!("tag-{}", of.name)]),
        ("listImages", "name" | "q") => Owned(|of| vec![of.image()]),
        ("listCustomers", "q") => Owned(tenants),
        ("listAuditLogs" | "listActions", "actor") => {
            Owned(|of| vec![format!("robot-{}", of.name)])
        }
        ("listAuditLogs", "action") => Owned(|of| vec![format!("act.{}", of.name)]),
        ("listAuditLogs", "object") => Owned(|of| vec![format!("image/{}", of.nth(1))]),
        ("listLogEntries", "digest") => {
            Owned(|of| ["manifest", "payload", "bundle", "scan"].map(|what| of.digest(what)).into())
        }
        ("pushUpstream", "source") => Shared(|of| vec![format!("whs_{}", of.nth(1))]),
        ("listFindings" | "listSlaTimers" | "listTimeline", "cve") => Owned(cves),
        ("listFindings", "package") => Owned(packages),
        // The catalogue, searched by its own words.
        ("listAdvisories", "q") => Shared(cves),
        ("listPackages", "q") => Shared(packages),
        ("listPackageImages", "version") => Nothing("1.0.0-r0"),
        ("forecastSla", "by") => Nothing("2026-01-13T00:00:00Z"),
        // A number within the path's image, or within a public log.
        (_, "version" | "from" | "to" | "index" | "tree_size") => Nothing("1"),
        // Words that stand in the specification, instants, and how a list is read.
        (_, "severity" | "status" | "state" | "kind" | "clock" | "queue" | "trigger")
        | (_, "image_status" | "scan" | "slsa_assessment")
        | (_, "format" | "predicate_type" | "slsa_level" | "order_by" | "operation" | "outcome")
        | (_, "known_exploited" | "fix_available" | "published_from" | "published_to")
        | (_, "as_of" | "days" | "points" | "timeline" | "page_size" | "page_token") => Nothing(""),
        other => panic!("what does the parameter {other:?} name?"),
    }
}

/// What a field of a body names, and a body in which it is the only thing that can be wrong; the
/// tenant that is given is the one that asks.
pub(crate) fn in_body(operation: &str, field: &str) -> Option<(Names, Body)> {
    Some(match (operation, field) {
        ("buildImage", "name") => (Owned(|of| vec![of.image()]), |_, name| json!({"name": name})),
        ("buildImage", "base") => (
            Owned(|of| vec![of.base()]),
            |asks, base| json!({"name": format!("{}.new", asks.name), "base": base, "packages": ["nginx"]}),
        ),
        ("useImage", "image") => (Owned(images), |_, image| json!({"image": image})),
        ("useImage", "digest") => (
            Shared(|of| vec![of.digest("manifest")]),
            |_, digest| json!({"image": "nginx", "digest": digest}),
        ),
        ("startScan", "image") => (Owned(images), |_, image| json!({"image": image})),
        ("createScore", "reports") => (
            Owned(images),
            |_, image| json!({"reports": [{"report": {"SchemaVersion": 2, "ArtifactName": image}}]}),
        ),
        ("createWebhookEndpoint", "tenant_namespace") => (
            Owned(tenants),
            |_, tenant| json!({"url": "https://hooks.example.com/", "tenant_namespace": tenant}),
        ),
        ("createWebhookSource", "tenant_namespace") => {
            (Owned(tenants), |_, tenant| json!({"name": "a forge", "tenant_namespace": tenant}))
        }
        // Packages are the catalogue's; the rest are words of the specification or free texts.
        ("buildImage", "packages" | "builder")
        | ("completeBuild", "outcome" | "failure" | "log")
        | ("useImage", "runtime")
        | ("checkScenario", "scenario")
        | ("createStudy", "study" | "scenarios")
        | ("createWebhookSource", "name")
        | ("rotateWebhookSecret", "overlap_seconds")
        | ("createForecast", "horizon_days" | "futures" | "seed" | "confidence")
        | ("createScore", "as_of")
        | ("createDrill", "name" | "scenario" | "incident" | "seed" | "replications")
        | ("getToken", "api_key") => return None,
        (
            "createWebhookEndpoint" | "changeWebhookEndpoint",
            "url" | "description" | "kinds" | "min_severity" | "digest_window_seconds" | "enabled",
        ) => return None,
        other => panic!("it is not stated what the field {other:?} names"),
    })
}

/// A body with a value in one of its fields.
pub(crate) type Body = fn(asks: &Tenant, value: &str) -> Value;

/// The same name of nobody.
pub(crate) fn of_nobody(names: &Names) -> Vec<String> {
    match names {
        Owned(of) | Shared(of) => of(&NOBODY),
        Nothing(value) => vec![(*value).to_owned()],
    }
}
