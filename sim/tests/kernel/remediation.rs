//! Vulnerabilities, rebuilds and the SLA engine: rows 11 to 18 of docs/model.md.
use crate::support::{assert_close, play, world};
use sim::fact::{Clock, FactKind};
use std::collections::HashMap;

/// One image of one package: a CVE is fixed, built and published as the row says.
fn one_image(vulnerabilities: &str, rest: &str) -> String {
    format!(
        "name: one\ntitle: One image\nstart: 2026-01-05T00:00:00Z\nduration: 3650d\n\
         distribution: {{ packages: 1, end_of_life: 0, releases_per_year: {{ lognormal_number: {{ mu: -10, sigma: 0 }} }} }}\n\
         vulnerabilities:\n  dispersion: 0\n  weekdays: [1, 1, 1, 1, 1, 1, 1]\n  \
         single_package: 1\n  fixed_at_disclosure: 1\n  detection_lag: {{ constant: 0s }}\n\
         {vulnerabilities}\
         images:\n  - {{ name: only, packages: 1 }}\n{rest}"
    )
}

// LN(-0.307, 1.405) days: the median is exp(-0.307) d.
const FIX: &str = "  package_fix: { lognormal: { median: 63562119ms, sigma: 1.405 } }\n";

#[test]
fn row_11_open_cves_are_poisson() {
    let yaml = one_image(
        &format!("  per_day: 3\n{FIX}"),
        "triggers: { upstream: false, cve_fix: null }\nscanner: { schedule: null }\n\
         sla: { check: null }\nbuilders: { flake: 0, breakage: 0 }\n",
    );
    let mut open_at_end = Vec::new();
    for seed in 1_100..1_500 {
        let mut world = world(&yaml, seed);
        let mut open = 0i64;
        play(&mut world, 120, |fact| match &fact.kind {
            FactKind::AdvisoryPublished(_) => open += 1,
            FactKind::PackageReleased { fixes, .. } => open -= fixes.len() as i64,
            _ => {}
        });
        open_at_end.push(open as f64);
    }
    // The share of fixes that take longer than 120 days is 0.0001: below the tolerance.
    assert_close("open CVEs", 5.9217, 2.40, &open_at_end, 1_100);
    let mean = 5.9217;
    let variance = open_at_end.iter().map(|n| (n - mean) * (n - mean)).sum::<f64>() / 400.0;
    // A Poisson count's variance is its mean; its own deviation is about mean * sqrt(2 / n).
    assert!((variance - mean).abs() < 4.0 * mean * (2.0f64 / 400.0).sqrt(), "variance {variance}");
}

/// Hours from each fix to the publication of the version that has it.
fn waits_for_the_nightly(seed: u64, duration: &str) -> Vec<f64> {
    let yaml = one_image(
        "  per_day: 1\n  package_fix: { uniform: { min: 0s, max: 10d } }\n",
        &format!(
            "builders: {{ count: 100, duration: {duration}, flake: 0, breakage: 0, \
             queue: {{ merge: false }} }}\n\
             triggers: {{ upstream: false, cve_fix: null, rebuild: \"0 0 * * *\" }}\n\
             scanner: {{ schedule: null }}\nsla: {{ check: null }}\n"
        ),
    );
    let mut world = world(&yaml, seed);
    let mut fixed: Vec<(u32, i64)> = Vec::new();
    let mut waits = Vec::new();
    while waits.len() < 5_000 {
        play(&mut world, 100, |fact| match &fact.kind {
            FactKind::PackageReleased { release, .. } => fixed.push((release.release, fact.at.0)),
            FactKind::BuildFinished(result) => {
                if let sim::fact::Outcome::Published(published) = &result.outcome {
                    let has = published.contents[0].release;
                    fixed.retain(|(release, at)| {
                        if *release <= has {
                            waits.push((fact.at.0 - at) as f64 / 3_600_000.0);
                        }
                        *release > has
                    });
                }
            }
            _ => {}
        });
    }
    waits.truncate(5_000);
    waits
}

#[test]
fn row_12_a_fix_waits_half_a_night_and_day_for_the_nightly() {
    let mut means = Vec::new();
    let mut deviations = Vec::new();
    for seed in 1_200..1_208 {
        let waits = waits_for_the_nightly(seed, "{ constant: 1ms }");
        let mean = waits.iter().sum::<f64>() / 5_000.0;
        let square = waits.iter().map(|w| (w - 12.0) * (w - 12.0)).sum::<f64>() / 5_000.0;
        means.push(mean);
        deviations.push(square.sqrt());
    }
    assert_close("wait for the nightly", 12.0, 0.098, &means, 1_200);
    // The deviation of the sample deviation of a uniform: 0.316 sd / sqrt(n) is about 0.031.
    assert_close("its deviation", 6.9282, 0.044, &deviations, 1_200);
}

#[test]
fn row_13_a_wait_and_a_build_longer_than_a_day() {
    let mut shares = Vec::new();
    for seed in 1_300..1_308 {
        let waits = waits_for_the_nightly(seed, "{ exponential: { mean: 30m } }");
        shares.push(waits.iter().filter(|w| **w > 24.0).count() as f64 / 5_000.0);
    }
    assert_close("P(wait + build > 24 h)", 0.020_833, 0.0020, &shares, 1_300);
}

#[test]
fn row_15_survival_of_the_fix_delay() {
    let yaml = one_image(
        &format!("  per_day: 50\n{FIX}"),
        "triggers: { upstream: false, cve_fix: null }\nscanner: { schedule: null }\n\
         sla: { check: null }\n",
    );
    let mut world = world(&yaml, 1_500);
    let mut published = HashMap::new();
    let mut delays = Vec::new();
    play(&mut world, 1_000, |fact| match &fact.kind {
        FactKind::AdvisoryPublished(advisory) => {
            published.insert(advisory.id, fact.at.0);
        }
        FactKind::PackageReleased { fixes, .. } => {
            for advisory in fixes.iter() {
                delays.push((fact.at.0 - published[advisory]) as f64 / 86_400_000.0);
            }
        }
        _ => {}
    });
    let n = delays.len() as f64;
    assert!(n > 45_000.0, "only {n} fixes");
    for (days, exact) in [(1.0, 0.413_518), (7.0, 0.054_413), (14.0, 0.018_004), (30.0, 0.004_154)]
    {
        let share = delays.iter().filter(|d| **d > days).count() as f64 / n;
        let sd = (exact * (1.0 - exact) / n).sqrt();
        // The last thirty days of a run hide delays longer than what is left: a bias below 0.0001.
        assert!((share - exact).abs() < 4.0 * sd + 1e-4, "P(> {days} d) = {share}, seed 1500");
    }
}

#[test]
fn row_18_violations_a_year() {
    let yaml = one_image(
        &format!(
            "  per_day: 0.24\n  severity: {{ critical: 1, high: 0, medium: 0, low: 0 }}\n{FIX}"
        ),
        "builders: { count: 10, duration: { constant: 1ms }, flake: 0, breakage: 0 }\n\
         triggers: { upstream: false, cve_fix: low }\n\
         scanner: { schedule: \"0 * * * *\", false_positives: 0 }\nsla: { check: \"0 * * * *\" }\n\
         policies:\n  - name: week\n    days: { critical: 7 }\n    clock_start: published\n    \
         pause_without_fix: false\n\
         customers:\n  - { name: one, policy: week, images: 1, pinned: 0 }\n",
    );
    let (mut violations, mut any) = (Vec::new(), Vec::new());
    for seed in 1_800..2_000 {
        let mut world = world(&yaml, seed);
        // A year in equilibrium: what was disclosed in the month before can breach in it.
        let begin = world.now().0 + 60 * 86_400_000;
        let mut breached = 0u32;
        play(&mut world, 60 + 365, |fact| {
            if let FactKind::SlaChecked(check) = &fact.kind {
                let provider = |timer: &&sim::fact::TimerRef| timer.clock == Clock::Provider;
                if fact.at.0 > begin {
                    breached += check.breached.iter().filter(provider).count() as u32;
                }
            }
        });
        violations.push(f64::from(breached));
        any.push(f64::from(u8::from(breached > 0)));
    }
    assert_close("violations a year", 4.7666, 2.10, &violations, 1_800);
    assert_close("P(at least one)", 0.991_490, 0.102, &any, 1_800);
}
