//! A hundred worlds of known parameters, exported and imported: what is fitted covers the truth.
use crate::support::{Played, days, play};
use import::fit::Parameter;
use import::report::Report;
use import::{Importer, Options};
use std::collections::BTreeMap;

/// Parameters of a world, all others being defaults.
struct Truth {
    per_day: f64,
    dispersion: f64,
    single: f64,
    at_once: f64,
    upstream_days: f64,
    fix_days: f64,
    fix_sigma: f64,
    lag_hours: (f64, f64),
    end_of_life: f64,
    build_minutes: f64,
    build_sigma: f64,
    flake: f64,
    adoption_hours: f64,
    adoption_sigma: f64,
    builders: u32,
}

fn truth(n: u32) -> Truth {
    // Spread over ten worlds, so that no value is special.
    let step = f64::from(n % 10);
    let other = f64::from((n * 7) % 10);
    Truth {
        per_day: 1.0 + 0.15 * step,
        dispersion: if n.is_multiple_of(3) { 0.0 } else { 0.4 + 0.2 * other },
        single: 0.4 + 0.04 * other,
        at_once: 0.5 + 0.04 * step,
        upstream_days: 4.0 + other,
        fix_days: 1.0 + 0.5 * step,
        fix_sigma: 0.6 + 0.12 * other,
        lag_hours: (6.0 + step, 40.0 + 6.0 * other),
        end_of_life: 0.05 + 0.03 * step,
        build_minutes: 4.0 + step,
        build_sigma: 0.4 + 0.07 * other,
        flake: 0.02 + 0.01 * step,
        adoption_hours: 5.0 + 3.0 * other,
        adoption_sigma: 0.5 + 0.1 * step,
        builders: 3 + n % 3,
    }
}

impl Truth {
    fn yaml(&self) -> String {
        let (low, high) = self.lag_hours;
        format!(
            "name: world\ntitle: A world\nstart: 2025-01-06T00:00:00Z\nduration: 365d\n\
             distribution: {{packages: 300, end_of_life: {}}}\n\
             vulnerabilities:\n  per_day: {}\n  dispersion: {}\n  single_package: {}\n  \
             fixed_at_disclosure: {}\n  upstream_fix: {{exponential: {{mean: {}h}}}}\n  \
             package_fix: {{lognormal: {{median: {}h, sigma: {}}}}}\n  \
             detection_lag: {{uniform: {{min: {low}h, max: {high}h}}}}\n\
             images:\n  - {{name: base, packages: 20}}\n  - {{name: web, base: base, packages: 25}}\n  \
             - {{name: api, base: base, packages: 15}}\n  - {{name: job, base: api, packages: 9}}\n\
             builders: {{count: {}, duration: {{lognormal: {{median: {}m, sigma: {}}}}}, flake: {}, \
             breakage: 0}}\n\
             triggers: {{rebuild: 0 2 * * *}}\n\
             scanner: {{schedule: never}}\nsla: {{check: never}}\n\
             policies:\n  - {{name: p, preset: defectdojo-default}}\n\
             customers:\n  - {{name: c, count: 5, policy: p, images: 4, pinned: 0, \
             adoption_lag: {{lognormal: {{median: {}h, sigma: {}}}}}}}\n",
            self.end_of_life,
            self.per_day,
            self.dispersion,
            self.single,
            self.at_once,
            self.upstream_days * 24.0,
            self.fix_days * 24.0,
            self.fix_sigma,
            self.builders,
            self.build_minutes,
            self.build_sigma,
            self.flake,
            self.adoption_hours,
            self.adoption_sigma
        )
    }

    /// By field and parameter.
    fn values(&self) -> Vec<(&'static str, &'static str, f64)> {
        let mut all = vec![
            ("vulnerabilities.per_day", "mean", self.per_day),
            ("vulnerabilities.single_package", "share", self.single),
            ("vulnerabilities.fixed_at_disclosure", "share", self.at_once),
            ("vulnerabilities.upstream_fix", "mean", self.upstream_days * 24.0),
            ("vulnerabilities.package_fix", "median", self.fix_days * 24.0),
            ("vulnerabilities.package_fix", "sigma", self.fix_sigma),
            ("vulnerabilities.detection_lag", "min", self.lag_hours.0),
            ("vulnerabilities.detection_lag", "max", self.lag_hours.1),
            ("distribution.end_of_life", "never", self.end_of_life),
            ("builders.duration", "median", self.build_minutes / 60.0),
            ("builders.duration", "sigma", self.build_sigma),
            ("builders.flake", "share", self.flake),
            ("customers.adoption_lag", "median", self.adoption_hours),
            ("customers.adoption_lag", "sigma", self.adoption_sigma),
            // The defaults, which these worlds have.
            ("vulnerabilities.severity", "critical", 8.3 / 95.6),
            ("vulnerabilities.severity", "high", 31.1 / 95.6),
            ("vulnerabilities.severity", "medium", 53.0 / 95.6),
            ("vulnerabilities.severity", "low", 3.2 / 95.6),
            ("vulnerabilities.known_exploited", "share", 0.0024),
        ];
        if self.dispersion > 0.0 {
            all.push(("vulnerabilities.dispersion", "dispersion", self.dispersion));
        }
        all
    }
}

fn imported(played: &Played, futures: u32) -> (String, Report) {
    let mut importer = Importer::default();
    for (name, text) in [
        ("cves.csv", played.cve_table()),
        ("builds.csv", played.build_table()),
        ("adoptions.csv", played.adoption_table()),
    ] {
        importer.add(name, text.as_bytes()).unwrap_or_else(|error| panic!("{error}"));
    }
    let options = Options {
        since_ms: Some(played.end_ms() - days(365)),
        until_ms: Some(played.end_ms()),
        futures,
        ..Options::default()
    };
    let outcome = importer.finish(&options).unwrap_or_else(|error| panic!("{error}"));
    (outcome.scenario, outcome.report)
}

fn parameter<'a>(report: &'a Report, field: &str, name: &str) -> Option<&'a Parameter> {
    let input = report.inputs.iter().find(|input| input.field == field)?;
    input.parameters.iter().find(|p| p.name == name)
}

/// Ten worlds alone cannot be asked: of twenty right 95 % intervals, some one misses two of ten with a
/// probability of five sixths (and two do in the first ten of these). Of a hundred worlds a right
/// interval misses more than ten with about 1 %.
const WORLDS: u32 = 100;

#[test]
fn intervals_cover_the_truth_in_nine_of_ten_worlds_at_least() {
    let mut covered: BTreeMap<(&str, &str), (u32, u32)> = BTreeMap::new();
    let mut missed = String::new();
    for n in 0..WORLDS {
        let truth = truth(n);
        let (_, report) = imported(&play(&truth.yaml(), u64::from(n)), 0);
        for (field, name, value) in truth.values() {
            let found = parameter(&report, field, name);
            let (held, of) = covered.entry((field, name)).or_default();
            *of += 1;
            if found.is_some_and(|found| found.contains(value)) {
                *held += 1;
            } else {
                missed.push_str(&format!("world {n}: {field} {name} {value}: {found:?}\n"));
            }
        }
    }
    let poor: Vec<_> = covered.iter().filter(|(_, (held, of))| 10 * held < 9 * of).collect();
    assert!(poor.is_empty(), "{poor:?}\n{missed}");
    // Nor do they cover because they are too wide: all together as often as they say.
    let (held, of) = covered.values().fold((0, 0), |sum, it| (sum.0 + it.0, sum.1 + it.1));
    let share = f64::from(held) / f64::from(of);
    assert!((0.94..0.97).contains(&share), "{share}: {covered:?}");
}

/// What came in the last third lies within the bands as often as they say: the mean over worlds,
/// whose shares vary.
#[test]
fn bands_of_the_back_test_hold_as_promised() {
    let (mut within, mut of, mut totals_held) = (0, 0, 0);
    let mut told = String::new();
    for n in 0..20 {
        let truth = truth(n);
        let (_, report) = imported(&play(&truth.yaml(), 500 + u64::from(n)), 60);
        let test = report.back_test.unwrap_or_else(|| panic!("{:?}", report.not_tested));
        assert_eq!(test.measures.len(), 3);
        (within, of) = (within + test.within, of + test.of);
        totals_held += test.measures.iter().filter(|measure| measure.total.holds()).count();
        told.push_str(&format!("world {n}: {} of {}\n", test.within, test.of));
    }
    let share = within as f64 / of as f64;
    assert!((0.92..0.99).contains(&share), "{share}\n{told}");
    assert!(totals_held >= 52, "{totals_held} of 60\n{told}");
}

/// A platform that changes between the two thirds and the last one is told by the test.
#[test]
fn the_back_test_tells_when_the_past_does_not_hold() {
    let calm = Truth { per_day: 1.0, dispersion: 0.0, ..truth(4) };
    let played = play(&calm.yaml(), 9);
    let mut table = played.cve_table();
    // Three times as many in the last third.
    let split = sim::time::SimTime(played.end_ms() - days(121)).to_string();
    let late: Vec<String> = table
        .lines()
        .skip(1)
        .filter(|line| line.split(',').nth(1).is_some_and(|at| *at > *split))
        .flat_map(|line| [line.replacen("CVE-", "CVE-1", 1), line.replacen("CVE-", "CVE-2", 1)])
        .collect();
    table.push_str(&late.join("\n"));
    let mut importer = Importer::default();
    importer.add("cves.csv", table.as_bytes()).expect("a table");
    let options = Options { until_ms: Some(played.end_ms()), futures: 60, ..Options::default() };
    let report = importer.finish(&options).expect("an import").report;
    assert!(report.back_test.is_some_and(|test| !test.held));
}
