//! The codes: each with its status, its title and the hint that helps most people.

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident $text:literal $status:literal $title:literal $hint:literal;)*) => {
        /// A stable name for what can go wrong.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $($(#[$doc])* $variant,)*
        }

        impl Code {
            /// All codes.
            pub const ALL: &'static [Code] = &[$(Code::$variant),*];

            /// The code as programs see it.
            pub const fn as_str(self) -> &'static str {
                match self { $(Code::$variant => $text,)* }
            }

            /// The HTTP status that goes with it.
            pub const fn status(self) -> u16 {
                match self { $(Code::$variant => $status,)* }
            }

            /// The code in a few words.
            pub const fn title(self) -> &'static str {
                match self { $(Code::$variant => $title,)* }
            }

            /// What to do about it.
            pub const fn hint(self) -> &'static str {
                match self { $(Code::$variant => $hint,)* }
            }
        }
    };
}

codes! {
    /// A parameter in the path or the query cannot be read or is out of range.
    InvalidParameter "invalid_parameter" 400 "A parameter is wrong"
        "The parameters of every operation are described at /docs.";
    /// The query names a parameter that the operation does not have.
    UnknownParameter "unknown_parameter" 400 "There is no such parameter"
        "Look for a misspelling; the parameters of every operation are described at /docs.";
    /// The body is not JSON, or not of the form the operation wants.
    InvalidBody "invalid_body" 400 "The body is wrong"
        "Send one JSON object as described at /docs.";
    /// `as_of` lies later than the world has come.
    AsOfInFuture "as_of_in_future" 400 "The instant has not come yet"
        "Ask for an instant up to `released_through` of GET /v1/clock, or leave `as_of` out.";
    /// `as_of` lies before what the world still keeps of its past.
    AsOfBeforeHistory "as_of_before_history" 400 "The world keeps no history of that instant"
        "Ask for an instant from `history_from` of GET /v1/retention on, or leave `as_of` out.";
    /// The page token was changed, or belongs to another query.
    InvalidPageToken "invalid_page_token" 400 "The page token is wrong"
        "Pass `next_page_token` of the page before, unchanged, with the same other parameters.";
    /// No token came with the request, or one that does not hold.
    Unauthenticated "unauthenticated" 401 "A valid token is needed"
        "Get a token for an API key at POST /v1/auth/token and send it as `Authorization: Bearer TOKEN`.";
    /// The API key is unknown, revoked or past its end.
    InvalidApiKey "invalid_api_key" 401 "The API key is not valid"
        "Check the key for missing characters; an admin can make a new one at POST /v1/api-keys.";
    /// The message is not signed with the secret of its source.
    InvalidSignature "invalid_signature" 401 "The message is not signed as it must be"
        "Sign the body with the secret of the source, as `X-Hub-Signature-256`; see POST /v1/webhook-sources.";
    /// The caller's role does not allow the operation.
    Forbidden "forbidden" 403 "The role may not do this"
        "Use a key with a role that may; each operation lists its roles.";
    /// Nothing is at this path.
    RouteNotFound "route_not_found" 404 "Nothing is at this path"
        "All paths are listed at /docs and in /openapi.json.";
    /// The image is not there, or was not at that instant.
    ImageNotFound "image_not_found" 404 "There is no such image"
        "GET /v1/images lists the images; with `as_of`, those that existed at that instant.";
    /// The image has no such version, or had not at that instant.
    VersionNotFound "version_not_found" 404 "The image has no such version"
        "GET /v1/images/{image}/versions lists the versions; with `as_of`, those published by that instant.";
    /// The build is not there, or was not at that instant.
    BuildNotFound "build_not_found" 404 "There is no such build"
        "GET /v1/builds lists the builds; with `as_of`, those asked for by that instant.";
    /// There is no such command, or it is another tenant's.
    CommandNotFound "command_not_found" 404 "There is no such command"
        "A POST that asks something of the world answers with the command's address.";
    /// There is no such customer, or it is another tenant.
    CustomerNotFound "customer_not_found" 404 "There is no such customer"
        "GET /v1/customers lists the customers with their namespaces.";
    /// The customer does not use the image.
    UsageNotFound "usage_not_found" 404 "The customer does not use this image"
        "GET /v1/customers/{tenant}/usage lists what a customer uses.";
    /// There is no such notification, or it is another tenant's.
    NotificationNotFound "notification_not_found" 404 "There is no such notification"
        "GET /v1/notifications lists the notifications; with `as_of`, those sent by that instant.";
    /// The audit log has no such line, or it is another tenant's.
    AuditLogNotFound "audit_log_not_found" 404 "The audit log has no such line"
        "GET /v1/audit-logs lists the lines; with `as_of`, those written by that instant.";
    /// The build has no log yet.
    BuildLogNotFound "build_log_not_found" 404 "The build has no log yet"
        "A build that has ended has a log; look at its status at GET /v1/builds/{id}.";
    /// There is no such scenario.
    ScenarioNotFound "scenario_not_found" 404 "There is no such scenario"
        "GET /v1/scenarios lists those that come with the program; `current` is that of the world.";
    /// There is no such load.
    ScenarioLoadNotFound "scenario_load_not_found" 404 "There is no such load"
        "POST /v1/scenarios/load answers with the load's address.";
    /// There is no such study.
    StudyNotFound "study_not_found" 404 "There is no such study"
        "GET /v1/studies lists the studies.";
    /// There is no such job any more.
    JobNotFound "job_not_found" 404 "There is no such job"
        "GET /v1/jobs lists the jobs; those that were done are forgotten after a while.";
    /// The job is not in the dead letter.
    DeadJobNotFound "dead_job_not_found" 404 "The job is not in the dead letter"
        "GET /v1/jobs?state=dead lists what is; somebody may have dealt with it already.";
    /// No build made a document with this address.
    ArtifactNotFound "artifact_not_found" 404 "There is no such artifact"
        "GET /v1/builds/{id}/artifacts lists the artifacts of a build with their addresses.";
    /// The advisory is not there, or was not published at that instant.
    AdvisoryNotFound "advisory_not_found" 404 "There is no such advisory"
        "GET /v1/advisories lists the advisories; with `as_of`, those published by that instant.";
    /// There is no package of this name.
    PackageNotFound "package_not_found" 404 "There is no such package"
        "GET /v1/packages lists the packages; `q` searches them.";
    /// The log has no such entry.
    LogEntryNotFound "log_entry_not_found" 404 "There is no such log entry"
        "GET /v1/logs tells how many entries the logs have.";
    /// The catalogue of forgeries has no such case.
    ForgeryNotFound "forgery_not_found" 404 "There is no such forgery"
        "GET /v1/forgeries lists the cases.";
    /// What the answer is made of was not signed yet, or is not kept any more.
    EvidencePending "evidence_pending" 409 "Not enough has been signed yet"
        "Let the world run until two images are published, and ask again.";
    /// The document was made, and the object store has lost or damaged it.
    DocumentDamaged "document_damaged" 410 "The document is lost or damaged"
        "An operator can have it made again with `wavetank repair`; until then it is not to be had.";
    /// The image belongs to somebody else.
    NotYourImage "not_your_image" 403 "The image belongs to somebody else"
        "Build images of your own namespace; they may stand on those of the catalogue.";
    /// There is no API key with this id.
    ApiKeyNotFound "api_key_not_found" 404 "There is no such API key"
        "GET /v1/api-keys lists the keys with their ids.";
    /// There is no webhook delivery with this id.
    WebhookDeliveryNotFound "webhook_delivery_not_found" 404 "There is no such webhook delivery"
        "GET /v1/webhook-endpoints/{id}/deliveries lists them; what ended is kept for 30 days.";
    /// There is no webhook endpoint with this id.
    WebhookEndpointNotFound "webhook_endpoint_not_found" 404 "There is no such webhook endpoint"
        "GET /v1/webhook-endpoints lists them.";
    /// There is no webhook source with this id.
    WebhookSourceNotFound "webhook_source_not_found" 404 "There is no such webhook source"
        "GET /v1/webhook-sources lists them.";
    /// There is no such code.
    ProblemNotFound "problem_not_found" 404 "There is no such code"
        "GET /problems lists all codes.";
    /// The path exists, but not with this method.
    MethodNotAllowed "method_not_allowed" 405 "This path has no such method"
        "The `Allow` header lists the methods of this path.";
    /// The world that should be replaced is not the one there is.
    OtherWorld "other_world" 409 "The world is another one"
        "GET /v1/clock tells the name of the world there is; give that as `replace`.";
    /// The world was made by another version of the kernel, so it cannot go on here.
    KernelMismatch "kernel_mismatch" 409 "Another version of the kernel made the world"
        "Read, export and verify it here. To go on, use the release that made it, or begin a new world in another data directory or database.";
    /// Another load is not over.
    LoadUnderWay "load_under_way" 409 "Another scenario is being loaded"
        "Wait until it is over, then ask again.";
    /// The build has ended, or its completion was posted before.
    BuildEnded "build_ended" 409 "The build has ended already"
        "GET /v1/builds/{id} tells how and when; a completion counts once.";
    /// The build is made by the platform.
    BuildNotExternal "build_not_external" 409 "The build is not an external one"
        "Only builds asked for with `builder: external` are completed from outside.";
    /// An image of this name is there already, made of something else.
    ImageDiffers "image_differs" 409 "The image exists with another definition"
        "Leave out `base` and `packages` to rebuild it, or choose another name.";
    /// The image is no longer built.
    ImageEndOfLife "image_end_of_life" 409 "The image has reached the end of its life"
        "Create an image under another name.";
    /// The study has no documents: it has not completed, or never will.
    StudyNotCompleted "study_not_completed" 409 "The study has not completed"
        "GET /v1/studies/{id} tells how it stands; GET /v1/studies/{id}/events tells when it ends.";
    /// The study has completed, failed, or was cancelled before.
    StudyEnded "study_ended" 409 "The study has ended already"
        "DELETE /v1/studies/{id} deletes it with its documents.";
    /// As many studies wait or run as may.
    TooManyStudies "too_many_studies" 409 "Too many studies wait or run"
        "Wait until one has ended, or cancel one: POST /v1/studies/{id}/cancel.";
    /// The first request with this key has not been answered yet.
    IdempotencyKeyInUse "idempotency_key_in_use" 409 "The same request is being answered"
        "Send the request again in a moment: it will get the first one's answer.";
    /// There are as many as one owner may have.
    TooManyWebhooks "too_many_webhooks" 409 "There are too many already"
        "Delete one that is no longer needed, or wait for those that are on their way.";
    /// The delivery has arrived.
    WebhookDelivered "webhook_delivered" 409 "The webhook has arrived"
        "Only what is dead or waits can be sent again.";
    /// The delivery is not in the dead letter.
    WebhookNotDead "webhook_not_dead" 409 "The webhook is not in the dead letter"
        "GET /v1/webhook-endpoints/{id}/deliveries?state=dead lists what is.";
    /// The endpoint is disabled.
    WebhookDisabled "webhook_disabled" 409 "The webhook endpoint is disabled"
        "Enable it with PATCH /v1/webhook-endpoints/{id}.";
    /// The delivery was taken before.
    WebhookReplayed "webhook_replayed" 409 "The message was taken before"
        "Nothing is to be done; a new push has a new delivery id and another body.";
    /// The document was there, and its version is no longer kept.
    DocumentExpired "document_expired" 410 "The document is no longer kept"
        "GET /v1/retention tells how long history is kept, and what was removed when.";
    /// The entry is in the log, and what it is about is no longer kept.
    LogEntryExpired "log_entry_expired" 410 "The log entry's attestation is no longer kept"
        "Its leaf stays: GET /v1/logs/transparency/inclusion-proof proves it as before.";
    /// The page token is of a world that another one has replaced.
    StalePageToken "stale_page_token" 410 "The page token is of another world"
        "Begin the list again, without `page_token`.";
    /// The body is longer than the limit.
    BodyTooLarge "body_too_large" 413 "The body is too large"
        "Send less; the limit is in the message.";
    /// The body is not declared as JSON.
    UnsupportedMediaType "unsupported_media_type" 415 "The body has the wrong media type"
        "Send the header `Content-Type: application/json`.";
    /// The scenario is wrong.
    InvalidScenario "invalid_scenario" 422 "The scenario is wrong"
        "docs/model.md and `wavetank scenario schema` describe scenarios.";
    /// The study is wrong, or a scenario of it.
    InvalidStudy "invalid_study" 422 "The study is wrong"
        "docs/studies.md and `wavetank study schema` describe studies.";
    /// The body names a scenario that does not come with the program.
    UnknownScenario "unknown_scenario" 422 "The body names a scenario that does not exist"
        "GET /v1/scenarios lists the scenarios; any other one is given whole, as `scenario`.";
    /// The body names an image that is not there.
    UnknownImage "unknown_image" 422 "The body names an image that does not exist"
        "GET /v1/images lists the images; to create one, give its `packages`.";
    /// A new image of a tenant is named after the tenant.
    NameOutsideNamespace "name_outside_namespace" 422 "The name is outside the tenant's namespace"
        "Begin the image's name with the namespace of the key and a dot.";
    /// The CVSS vector cannot be read, or scores 0.
    InvalidVector "invalid_vector" 422 "The CVSS vector is wrong"
        "Give a complete CVSS 3.1 base vector whose score is above 0.";
    /// The body names a package that is not there.
    UnknownPackage "unknown_package" 422 "The body names a package that does not exist"
        "The SBOM of any image lists packages of this world.";
    /// The repository is not the source of any image.
    UnknownRepository "unknown_repository" 422 "No image is built from this repository"
        "Name the image instead, or a repository whose last part is a package or an image.";
    /// The scenario has no such event to drill.
    NoSuchDrill "no_such_drill" 422 "The scenario has no such event to drill"
        "A drill plays a `mass_vulnerability` among the scenario's `incidents`; count them from 0.";
    /// To work it out takes longer than a request may.
    TooMuchWork "too_much_work" 422 "That takes too long to work out in a request"
        "Ask for less: fewer futures or replications, a shorter horizon, a smaller scenario.";
    /// The fields are right one by one, but not together.
    Contradiction "contradiction" 422 "The fields contradict each other"
        "The message says which; each field is described at /docs.";
    /// The key was given to another request.
    IdempotencyKeyReused "idempotency_key_reused" 422 "The key belongs to another request"
        "Choose a new `Idempotency-Key` for every new request; repeat a request unchanged.";
    /// The body names a tenant that the world does not have.
    UnknownTenant "unknown_tenant" 422 "There is no such tenant"
        "GET /v1/customers lists the tenants with their namespaces.";
    /// The address cannot be a target of webhooks.
    WebhookUrlRefused "webhook_url_refused" 422 "Nothing can be sent to this address"
        "Give an https address of a public host; an operator may allow others.";
    /// Too many requests.
    RateLimited "rate_limited" 429 "Too many requests"
        "Wait as long as the `Retry-After` header says.";
    /// A defect of ours.
    Internal "internal" 500 "Something failed on our side"
        "Try again; if it stays, report it with the request id.";
    /// Some of what is needed to serve is missing.
    NotReady "not_ready" 503 "Not ready to serve"
        "`errors` lists what is missing.";
    /// The database holds no world.
    NoWorld "no_world" 503 "There is no world yet"
        "Start one with `wavetank demo` or `wavetank run SCENARIO`, then try again.";
    /// The database does not answer.
    DatabaseUnavailable "database_unavailable" 503 "The database does not answer"
        "Try again in a moment; GET /ready tells when it is back.";
    /// The object store does not answer.
    ObjectStoreUnavailable "object_store_unavailable" 503 "The object store does not answer"
        "Try again in a moment; GET /ready tells when it is back.";
    /// The request took too long.
    Timeout "timeout" 503 "The request took too long"
        "Try again, with a smaller page or a narrower filter.";
}

impl Code {
    /// The code with this name.
    pub fn parse(text: &str) -> Option<Code> {
        Code::ALL.iter().copied().find(|code| code.as_str() == text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_stable_in_form() {
        for code in Code::ALL {
            assert_eq!(Code::parse(code.as_str()), Some(*code));
            assert!(code.as_str().bytes().all(|b| b.is_ascii_lowercase() || b == b'_'));
            assert!((400..600).contains(&code.status()), "{}", code.as_str());
            assert!(!code.title().ends_with('.') && code.hint().ends_with('.'));
        }
    }
}
