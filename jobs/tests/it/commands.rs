//! Commands from outside, in a paused and in a running world: the jobs agree with the kernel about
//! each of them, and the same commands make the same rows.
use crate::support::Bench;
use crate::support::conducting::{CLASSROOM, SEED, end, scenario};
use jobs::conductor::{Options, Stop};
use sim::command::{Command, ImageDefinition, NewAdvisory, Report};
use sim::ids::{BuildId, BuilderId, CustomerId, ImageId, PackageId};
use sim::severity::{Severity, Vector};
use sim::time::{DAY_MS, HOUR_MS, SimDuration, SimTime};
use std::sync::Arc;
use store::world::Mode;

/// The image that the first customer adds.
const OWN: ImageId = ImageId(8);

fn report(succeeded: bool) -> Arc<Report> {
    let failure = (!succeeded).then(|| "no space left on device".into());
    Arc::new(Report { succeeded, failure, log: Some("one line\nand another".into()) })
}

async fn ask(bench: &Bench, command: Command) -> u64 {
    let mut tx = bench.pool.begin().await.unwrap();
    let seq = store::commands::submit(&mut tx, |_| command).await.unwrap();
    tx.commit().await.unwrap();
    seq
}

async fn build(bench: &Bench, image: ImageId, owner: Option<&str>, external: bool) -> BuildId {
    let create = owner.map(|namespace| ImageDefinition {
        name: format!("{namespace}.web").into(),
        base: Some(ImageId(0)),
        packages: (20..40).map(PackageId).collect(),
        owner: Some(CustomerId(0)),
    });
    let mut tx = bench.pool.begin().await.unwrap();
    let make = |seq| Command::BuildImage {
        build: BuildId::of_command(seq),
        image,
        create,
        requested_by: None,
        external,
    };
    let seq = store::commands::submit(&mut tx, make).await.unwrap();
    tx.commit().await.unwrap();
    BuildId::of_command(seq)
}

/// Lets the world go as fast as it can to an instant, and waits until all of it is done.
async fn go(bench: &Bench, until: SimTime) {
    let mut conn = bench.pool.acquire().await.unwrap();
    let mut clock = store::world::clock(&mut conn).await.unwrap();
    clock.mode = Mode::Fast;
    clock.run_until = Some(until);
    clock.then_mode = Mode::Paused;
    store::world::set_clock(&mut conn, &clock).await.unwrap();
    drop(conn);
    bench
        .holds(
            "SELECT (SELECT mode = 'paused' OR held_reason IS NOT NULL FROM clock)
                AND (SELECT materialized_seq = released_seq FROM world)
                 OR EXISTS (SELECT FROM ledger WHERE state = 'dead')",
        )
        .await;
    let dead: Vec<String> = sqlx::query_scalar("SELECT error FROM ledger WHERE state = 'dead'")
        .fetch_all(&bench.pool)
        .await
        .unwrap();
    assert_eq!(dead, [""; 0], "seed {SEED}, before {until}");
}

/// Pairs of customer and image that are in use, or not.
async fn pairs(bench: &Bench, used: bool) -> Vec<(CustomerId, ImageId)> {
    let rows: Vec<(i64, i64)> = sqlx::query_as(
        "SELECT c.id, i.id FROM customers c CROSS JOIN images i
         WHERE i.tenant_namespace = 'catalogue'
           AND $1 = EXISTS (SELECT FROM customer_image_usage u WHERE u.customer_id = c.id
                            AND u.image_id = i.id AND u.valid_to IS NULL)
         ORDER BY c.id, i.id",
    )
    .bind(used)
    .fetch_all(&bench.pool)
    .await
    .unwrap();
    rows.into_iter().map(|(c, i)| (CustomerId(c as u32), ImageId(i as u32))).collect()
}

fn advisory() -> Command {
    Command::DiscloseAdvisory(Arc::new(NewAdvisory {
        cve: Some("CVE-2026-2000001".into()),
        vector: Vector("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H".into()),
        severity: Severity::Critical,
        known_exploited: true,
        packages: Vec::new(),
        image_share_permille: Some(500),
        detectable_after: SimDuration(0),
        fix_after: Some(SimDuration(5 * HOUR_MS)),
        package_fix_after: SimDuration(7 * HOUR_MS),
    }))
}

/// The week, with an answer for every command: none is refused.
async fn played() -> Bench {
    let bench = Bench::new().await;
    let (workers, stop) = bench.really_work();
    let conducting = bench.conduct(Options::default()).await;
    let start = scenario(CLASSROOM).start.time();
    // At hours at which everything has just been evaluated.
    go(&bench, start + SimDuration(36 * HOUR_MS)).await;
    let namespace = sqlx::query_scalar("SELECT tenant_namespace FROM customers WHERE id = 0");
    let namespace: String = namespace.fetch_one(&bench.pool).await.unwrap();
    ask(&bench, advisory()).await;
    ask(&bench, Command::Scan { image: None }).await;
    ask(&bench, Command::Scan { image: Some(ImageId(0)) }).await;
    ask(&bench, Command::CheckSla).await;
    let [good, bad] =
        [build(&bench, ImageId(1), None, true).await, build(&bench, ImageId(2), None, true).await];
    build(&bench, OWN, Some(&namespace), false).await;
    let begin = |(customer, image)| Command::UseImage { customer, image, pin: None, runtime: None };
    let finish = |(customer, image)| Command::EndUse { customer, image };
    let (free, used) = (pairs(&bench, false).await, pairs(&bench, true).await);
    for pair in &free[..3] {
        ask(&bench, begin(*pair)).await;
    }
    ask(&bench, begin((CustomerId(0), OWN))).await;
    go(&bench, start + SimDuration(42 * HOUR_MS)).await;
    let build = BuildId::of_command(99);
    ask(&bench, Command::UpstreamChanged { build, image: ImageId(1), revision: None }).await;
    ask(&bench, Command::CompleteBuild { build: good, report: report(true) }).await;
    ask(&bench, Command::CompleteBuild { build: bad, report: report(false) }).await;
    for pair in [used[0], used[3], free[0]] {
        ask(&bench, finish(pair)).await;
    }
    ask(&bench, Command::Scan { image: None }).await;
    ask(&bench, Command::BuilderOutage { builders: 1, duration: SimDuration(HOUR_MS) }).await;
    go(&bench, start + SimDuration(3 * DAY_MS)).await;
    for pair in [used[0], free[0]] {
        ask(&bench, begin(pair)).await;
    }
    ask(&bench, finish(free[1])).await;
    ask(&bench, Command::DistrustBuilder { builder: BuilderId::EXTERNAL }).await;
    ask(&bench, Command::CheckSla).await;
    go(&bench, end()).await;
    let refused: Vec<String> =
        sqlx::query_scalar("SELECT rejected FROM commands WHERE rejected IS NOT NULL")
            .fetch_all(&bench.pool)
            .await
            .unwrap();
    assert_eq!(refused, [""; 0], "seed {SEED}");
    conducting.stop.cancel();
    assert_eq!(conducting.ended.await.unwrap().unwrap(), Stop::Shutdown);
    stop.cancel();
    workers.stopped().await;
    bench
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_take_effect_and_the_same_commands_make_the_same_rows() {
    let bench = played().await;
    for (what, sql) in [
        (
            "requested scans",
            "SELECT count(*) FROM timeline WHERE kind = 'scanned' AND data ->> 'trigger' = 'requested'",
        ),
        (
            "the advisory is found",
            "SELECT count(*) FROM cve_findings f JOIN advisories a ON a.id = f.advisory_id WHERE a.cve = 'CVE-2026-2000001'",
        ),
        (
            "and fixed",
            "SELECT count(*) FROM cve_findings f JOIN advisories a ON a.id = f.advisory_id WHERE a.cve = 'CVE-2026-2000001' AND f.resolved_at IS NOT NULL",
        ),
        (
            "an external version",
            "SELECT count(*) FROM build_events WHERE builder = 'external' AND status = 'completed'",
        ),
        (
            "an external failure",
            "SELECT count(*) FROM build_events WHERE builder = 'external' AND status = 'failed' AND failure = 'no space left on device'",
        ),
        (
            "its level",
            "SELECT count(*) FROM slsa_assessments s JOIN build_events b ON b.image_id = s.image_id AND b.version = s.version WHERE b.builder = 'external' AND s.slsa_level = 2",
        ),
        (
            "its trust ends",
            "SELECT count(*) FROM trusted_builders WHERE builder = 'external' AND valid_to IS NOT NULL",
        ),
        ("timers of ended uses", "SELECT count(*) FROM sla_timers WHERE stop_reason = 'ended'"),
        (
            "timers of new uses",
            "SELECT count(*) FROM sla_timers t JOIN customer_image_usage u USING (customer_id, image_id) WHERE u.used_since > (SELECT starts_at FROM world) AND t.opened_at = u.used_since AND t.clock = 'provider'",
        ),
        ("versions of the own image", "SELECT count(*) FROM image_versions WHERE image_id = 8"),
        ("findings on it", "SELECT count(*) FROM cve_findings WHERE image_id = 8"),
    ] {
        assert!(bench.count(sql).await > 0, "{what}");
    }
    // What is kept apart for those who look for it is what the versions say.
    for (kept, said) in [
        (
            "SELECT package_id, image_id, tenant_namespace FROM image_packages",
            "SELECT DISTINCT unnest(package_ids), image_id, tenant_namespace FROM image_versions",
        ),
        (
            "SELECT image_id, tag, tenant_namespace, since, name FROM image_tags",
            "SELECT v.image_id, tag, v.tenant_namespace, min(v.published_at), i.name
             FROM image_versions v JOIN images i ON i.id = v.image_id, unnest(v.tags) AS tag
             GROUP BY 1, 2, 3, 5",
        ),
        (
            "SELECT image_id, version, at, tenant_namespace, critical, high, medium, low
             FROM finding_counts",
            "SELECT image_id, version, c.at, min(tenant_namespace),
                    coalesce(sum(n) FILTER (WHERE severity = 'critical'), 0)::integer,
                    coalesce(sum(n) FILTER (WHERE severity = 'high'), 0)::integer,
                    coalesce(sum(n) FILTER (WHERE severity = 'medium'), 0)::integer,
                    coalesce(sum(n) FILTER (WHERE severity = 'low'), 0)::integer
             FROM (SELECT image_id, version, severity, min(tenant_namespace) AS tenant_namespace,
                          min(detected_at) AS found_at, min(not_affected_at) AS judged_at
                   FROM cve_findings GROUP BY image_id, version, advisory_id, severity) f,
                  LATERAL (VALUES (found_at, 1), (greatest(judged_at, found_at), -1)) AS c (at, n)
             WHERE n > 0 OR judged_at IS NOT NULL
             GROUP BY 1, 2, 3",
        ),
    ] {
        let other = format!("(({kept}) EXCEPT ({said})) UNION ALL (({said}) EXCEPT ({kept}))");
        let sql = format!("SELECT (SELECT count(*) FROM ({said}) s), count(*) FROM ({other}) o");
        let counts = sqlx::query_as(sqlx::AssertSqlSafe(sql)).fetch_one(&bench.pool);
        let (rows, other): (i64, i64) = counts.await.unwrap();
        assert!(rows > 0 && other == 0, "{kept}: of {rows} rows, {other} differ");
    }
    // Whatever hangs on a customer's image is the customer's.
    for (table, of) in [
        ("images", "id = 8"),
        ("build_events", "image_id = 8"),
        ("image_versions", "image_id = 8"),
        ("artifacts", "build_id IN (SELECT id FROM build_events WHERE image_id = 8)"),
        ("sbom_records", "image_id = 8"),
        ("attestations", "image_id = 8"),
        ("slsa_assessments", "image_id = 8"),
        ("cve_findings", "image_id = 8"),
        ("triages", "image_id = 8"),
        (
            "timeline",
            "image_id = 8 OR build_id IN (SELECT id FROM build_events WHERE image_id = 8)",
        ),
        ("audit_logs", "object LIKE 'image/8%'"),
    ] {
        let sql = format!(
            "SELECT count(*) FROM {table} WHERE ({of}) AND tenant_namespace
             <> (SELECT tenant_namespace FROM customers WHERE id = 0)"
        );
        let astray: i64 =
            sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_one(&bench.pool).await.unwrap();
        assert_eq!(astray, 0, "{table}");
    }
    let again = played().await;
    assert_eq!(again.dump().await, bench.dump().await, "seed {SEED}");
}
