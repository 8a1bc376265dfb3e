//! Prometheus metrics, from their own listener.
use crate::support::{Answer, Api, Content};
use api::Settings;
use api::metrics_listener;
use telemetry::metrics::Metrics;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

async fn scrape(api: &Api, metrics: &Metrics) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/metrics", listener.local_addr().unwrap());
    let shutdown = CancellationToken::new();
    let _stop = shutdown.clone().drop_guard();
    tokio::spawn(metrics_listener::serve(
        listener,
        metrics.clone(),
        api.pool.clone(),
        shutdown.cancelled_owned(),
    ));
    let answer = Answer::of(reqwest::get(url).await.unwrap()).await;
    assert_eq!(answer.status, 200);
    assert!(answer.header("content-type").starts_with("application/openmetrics-text"));
    answer.text
}

/// The value of a sample, by its name and labels as they are written.
fn value(text: &str, sample: &str) -> f64 {
    let line = text.lines().find_map(|line| line.strip_prefix(sample)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {sample} in:\n{text}")).parse().unwrap()
}

#[tokio::test]
async fn metrics_cover_the_database_and_this_process() {
    let api = Api::start("metrics_read").await;
    sqlx::raw_sql(
        "INSERT INTO ledger (id, queue, phase, at, payload, state, error) VALUES
           (1, 'scan', 0, '2026-01-12T05:00Z', '{}', 'owed', NULL),
           (2, 'scan', 0, '2026-01-12T05:00Z', '{}', 'owed', NULL),
           (3, 'build', 0, '2026-01-12T05:00Z', '{}', 'dead', 'a defect'),
           (4, 'build', 0, '2026-01-12T05:00Z', '{}', 'done', NULL);
         UPDATE clock SET mode = 'live', factor = 60, held_reason = 'a defect';",
    )
    .execute(&api.pool)
    .await
    .unwrap();
    let metrics = Metrics::default();
    metrics.answered("listImages", 200, std::time::Duration::from_millis(3));
    metrics.answered("listImages", 404, std::time::Duration::from_secs(60));
    metrics.webhook_attempt("delivered");
    let text = scrape(&api, &metrics).await;
    for (sample, expected) in [
        ("wavetank_jobs{queue=\"scan\",state=\"owed\"}", 2.0),
        ("wavetank_jobs{queue=\"build\",state=\"dead\"}", 1.0),
        ("wavetank_jobs{queue=\"notify\",state=\"owed\"}", 0.0),
        ("wavetank_world_starts_simulated_seconds", 1_768_176_000.0),
        ("wavetank_world_materialized_through_simulated_seconds", 1_768_194_000.0),
        ("wavetank_world_released_through_simulated_seconds", 1_768_197_600.0),
        ("wavetank_clock_factor_simulated_per_wall", 60.0),
        ("wavetank_clock_mode{mode=\"live\"}", 1.0),
        ("wavetank_clock_mode{mode=\"paused\"}", 0.0),
        ("wavetank_clock_held", 1.0),
        ("wavetank_database_up", 1.0),
        ("wavetank_database_connections_max", 4.0),
        ("wavetank_webhook_deliveries{state=\"dead\"}", 0.0),
        ("wavetank_webhook_attempts_total{outcome=\"delivered\"}", 1.0),
        ("wavetank_http_requests_total{operation=\"listImages\",status=\"404\"}", 1.0),
        ("wavetank_http_request_duration_wall_seconds_count{operation=\"listImages\"}", 2.0),
        (
            "wavetank_http_request_duration_wall_seconds_bucket{le=\"0.005\",operation=\"listImages\"}",
            1.0,
        ),
    ] {
        assert_eq!(value(&text, sample), expected, "{sample}");
    }
    // Whoever reads a time must be told which.
    for line in text.lines().filter(|line| line.starts_with("# TYPE") && line.contains("seconds")) {
        assert!(line.contains("_simulated_seconds") || line.contains("_wall_seconds"), "{line}");
    }
    assert!(text.ends_with("# EOF\n"));
}

#[tokio::test]
async fn request_metrics_are_labelled_by_operation_and_no_caller_input() {
    let metrics = Metrics::default();
    let settings = Settings { metrics: metrics.clone(), ..Settings::default() };
    let api = Api::start_with_settings("metrics_requests", Content::World, settings).await;
    api.get("/v1/images/nginx").await.json();
    api.get("/v1/images/nginx?as_of=2026-01-12T05:00:00Z").await.json();
    api.get("/v1/images/nothing").await.problem(404, "image_not_found");
    for n in 0..5 {
        api.get(&format!("/v1/unheard-of-{n}")).await.problem(404, "route_not_found");
    }
    let text = scrape(&api, &metrics).await;
    for (sample, expected) in [
        ("wavetank_http_requests_total{operation=\"getImage\",status=\"200\"}", 2.0),
        ("wavetank_http_requests_total{operation=\"getImage\",status=\"404\"}", 1.0),
        ("wavetank_http_requests_total{operation=\"none\",status=\"404\"}", 5.0),
    ] {
        assert_eq!(value(&text, sample), expected, "{sample}");
    }
    assert!(!text.contains("unheard-of") && !text.contains("nginx"));
    // The API itself does not have them: they have a listener of their own.
    api.get("/metrics").await.problem(404, "route_not_found");
}

#[tokio::test]
async fn metrics_are_served_without_a_database() {
    let api = Api::start("metrics_outage").await;
    let metrics = Metrics::default();
    assert_eq!(value(&scrape(&api, &metrics).await, "wavetank_database_up"), 1.0);
    api.cut_database().await;
    let text = scrape(&api, &metrics).await;
    assert_eq!(value(&text, "wavetank_database_up"), 0.0);
    assert_eq!(value(&text, "wavetank_world_starts_simulated_seconds"), 1_768_176_000.0);
}
