//! Imports 100,000 components, 50,000 findings, 12,000 rows of CVEs and 50,000 builds, and says how
//! long each step takes: `/usr/bin/time -v cargo run --release -p import --example import_speed`.
#![expect(clippy::disallowed_methods, reason = "an example measures time")]
use import::{Importer, Options};
use sim::random::{Purpose, RandomStreams, Sampler};
use sim::time::{DAY_MS, HOUR_MS, SimTime};
use std::fmt::Write;
use std::time::Instant;

const START_MS: i64 = 1_735_689_600_000;
const LENGTH_MS: i64 = 365 * DAY_MS;
const IMAGES: u32 = 500;
const COMPONENTS: u32 = 200;
const CVES: u32 = 8_000;
const FINDINGS: u32 = 50_000;
const BUILDS: u32 = 50_000;

struct Draws(RandomStreams, u32);

impl Draws {
    fn uniform(&mut self) -> f64 {
        self.1 += 1;
        self.0.uniform(Purpose::Incident, 0, self.1)
    }

    fn below(&mut self, bound: u32) -> u32 {
        self.1 += 1;
        self.0.below(Purpose::Incident, 1, self.1, bound)
    }

    /// A lag with a median of so many hours.
    fn lag(&mut self, median: f64) -> i64 {
        let mu = (median * HOUR_MS as f64).ln();
        Sampler::Lognormal { mu, sigma: 1.0 }.duration(self.uniform()).0
    }
}

fn main() {
    let mut draws = Draws(RandomStreams::new(1), 0);
    let files = files(&mut draws);
    let bytes: usize = files.iter().map(|(_, text)| text.len()).sum();
    println!("{} files, {} MB", files.len(), bytes / 1_000_000);
    let begin = Instant::now();
    let mut importer = Importer::default();
    for (name, text) in &files {
        importer.add(name, text.as_bytes()).unwrap_or_else(|error| panic!("{error}"));
    }
    println!("read in {:.2} s", begin.elapsed().as_secs_f64());
    let options = Options { until_ms: Some(START_MS + LENGTH_MS), ..Options::default() };
    let outcome = importer.finish(&options).unwrap_or_else(|error| panic!("{error}"));
    println!("all in {:.2} s", begin.elapsed().as_secs_f64());
    println!(
        "{}",
        import::report::text(&outcome.report).lines().skip(500).collect::<Vec<_>>().join("\n")
    );
}

fn files(draws: &mut Draws) -> Vec<(String, String)> {
    let mut files = Vec::new();
    for image in 0..IMAGES {
        let mut text = format!(
            "{{\"bomFormat\":\"CycloneDX\",\"metadata\":{{\"timestamp\":\"2025-12-01T00:00:00Z\",\
             \"component\":{{\"type\":\"container\",\"name\":\"image-{image}\",\"properties\":[\
             {{\"name\":\"aquasecurity:trivy:DiffID\",\"value\":\"sha256:{}\"}}]}}}},\"components\":[",
            image / 10
        );
        for place in 0..COMPONENTS {
            let package = draws.below(5_000);
            let comma = if place > 0 { "," } else { "" };
            let _ = write!(
                text,
                "{comma}{{\"bom-ref\":\"{place}\",\"type\":\"library\",\"name\":\"package-{package}\",\
                 \"version\":\"1.2.3-r{place}\",\"purl\":\"pkg:apk/wolfi/package-{package}@1.2.3-r{place}\",\
                 \"licenses\":[{{\"license\":{{\"id\":\"MIT\"}}}}],\"hashes\":[]}}"
            );
        }
        text.push_str("]}");
        files.push((format!("{image}.cdx.json"), text));
    }
    let mut published = Vec::new();
    let mut cves = String::from("cve,published,fix_available,fixed,severity,package\n");
    for cve in 0..CVES {
        let at = START_MS
            + i64::from(draws.below(365)) * DAY_MS
            + i64::from(draws.below(86_400)) * 1_000;
        published.push(at);
        let available = if draws.uniform() < 0.8 { at } else { at + draws.lag(100.0) };
        for _ in 0..=draws.below(2) {
            let fixed = available + draws.lag(70.0);
            let fixed = if fixed < START_MS + LENGTH_MS {
                SimTime(fixed).to_string()
            } else {
                String::new()
            };
            let (at, available) = (SimTime(at), SimTime(available));
            let package = draws.below(5_000);
            let _ =
                writeln!(cves, "CVE-2025-{cve},{at},{available},{fixed},high,package-{package}");
        }
    }
    files.push(("cves.csv".to_owned(), cves));
    let mut findings = String::from("{\"results\":[");
    for finding in 0..FINDINGS {
        let cve = draws.below(CVES);
        let found = published[cve as usize] + 30 * HOUR_MS + draws.lag(10.0);
        let comma = if finding > 0 { "," } else { "" };
        let day = |ms: i64| SimTime(ms).to_string()[..10].to_owned();
        let _ = write!(
            findings,
            "{comma}{{\"id\":{finding},\"title\":\"CVE-2025-{cve} in it\",\"severity\":\"High\",\"date\":\
             \"{}\",\"vulnerability_ids\":[{{\"vulnerability_id\":\"CVE-2025-{cve}\"}}],\"description\":\
             \"{}\",\"is_mitigated\":false,\"component_name\":\"package-{}\",\"test\":{}}}",
            day(found),
            "A long text that nobody needs here. ".repeat(20),
            draws.below(5_000),
            draws.below(IMAGES)
        );
    }
    findings.push_str("]}");
    files.push(("findings.json".to_owned(), findings));
    let mut builds = String::from("image,start,end,result\n");
    for _ in 0..BUILDS {
        let start = START_MS
            + i64::from(draws.below(365)) * DAY_MS
            + i64::from(draws.below(80_000)) * 1_000;
        let end = start + draws.lag(0.1).max(1_000);
        let result = if draws.uniform() < 0.03 { "failure" } else { "success" };
        let (image, start, end) = (draws.below(IMAGES), SimTime(start), SimTime(end));
        let _ = writeln!(builds, "image-{image},{start},{end},{result}");
    }
    files.push(("builds.csv".to_owned(), builds));
    files
}
