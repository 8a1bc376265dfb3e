//! The statistics of studies agree with SciPy and with R's `survival` on the same data: with ties,
//! with an event exactly at the end of the horizon, with few values and with many. Both compute
//! anew from the values; the files hold those and what `study::statistics` made of them.
use crate::support::{data_dir, said, wavetank};
use crate::validators::python;
use serde_json::{Value, json};
use sim::random::{Purpose, RandomStreams, Sampler, count};
use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Output};
use study::statistics::{
    Curve, Level, Moments, Paired, Precision, Progress, RatioMoments, Rule, Section, Sequential,
    Variance, holm, quantile, ratio, special, t_mean, wilson,
};

const SEED: u64 = 18;
const CONFIDENCES: [f64; 3] = [0.9, 0.95, 0.99];
/// So many of each kind are compared at least.
const ENOUGH: u64 = 20;
const KINDS: [&str; 9] =
    ["t", "beta", "wilson", "mean", "quantile", "paired", "ratio", "survival", "sequential"];
/// Kinds of `statistics.R`.
const R_KINDS: [&str; 6] = ["greenwood", "clustered", "median", "holm", "mean", "quantile"];

/// Draws in order.
struct Draws(RandomStreams, u32);

impl Draws {
    fn uniform(&mut self) -> f64 {
        self.1 += 1;
        self.0.uniform(Purpose::Incident, 0, self.1)
    }

    fn lognormal(&mut self) -> f64 {
        Sampler::Lognormal { mu: 1.0, sigma: 0.7 }.value(self.uniform())
    }

    fn poisson(&mut self, mean: f64) -> f64 {
        f64::from(count(mean, 0.0, self.uniform()))
    }
}

fn level(confidence: f64) -> Level {
    Level::new(confidence).expect("a confidence")
}

#[test]
fn statistics_agree_with_scipy() {
    let mut draws = Draws(RandomStreams::new(SEED), 0);
    let mut cases = distributions();
    cases.extend(samples(&mut draws));
    cases.extend(sequences(&mut draws));
    for (name, sections) in curves(&mut draws) {
        for confidence in CONFIDENCES {
            let curve = Curve::of(&sections);
            let band = curve.band(level(confidence), Variance::Greenwood);
            cases.push(json!({"kind": "survival", "name": name, "confidence": confidence,
                "tallies": all(&sections).tallies(), "result": band}));
        }
    }
    let dir = data_dir();
    let file = dir.path().join("statistics.json");
    std::fs::write(&file, serde_json::to_string(&cases).expect("JSON")).expect("a file");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut command = Command::new(python(root));
    command.arg(root.join("tests/interop/statistics.py")).arg(&file);
    agreed(&command.output().expect("Python runs"), &KINDS);
}

/// What a study says, and what SciPy makes of the rows that it exports.
#[test]
fn a_studys_own_rows_agree_with_scipy() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let dir = data_dir();
    let mut command = Command::new(python(root));
    command.arg(root.join("tests/interop/study.py"));
    for format in ["json", "csv", "survival"] {
        let played = wavetank()
            .args(["study", "studies/how-many-builders.yaml", "--format", format])
            .current_dir(root)
            .output()
            .expect("a study");
        assert!(played.status.success(), "{}", said(&played));
        let file = dir.path().join(format);
        std::fs::write(&file, played.stdout).expect("a file");
        command.arg(file);
    }
    let kinds = ["mean", "proportion", "subjects", "survival", "median"];
    agreed(&command.output().expect("Python runs"), &kinds);
}

/// Each line is a kind, how many were compared, and how many differ; other lines say how.
fn agreed(output: &Output, kinds: &[&str]) {
    let told = said(output);
    assert!(output.status.success(), "seed {SEED}:\n{told}");
    let text = String::from_utf8_lossy(&output.stdout);
    for kind in kinds {
        let line = text.lines().find_map(|line| line.strip_prefix(&format!("{kind} ")));
        let compared = line.and_then(|line| line.split(' ').next()?.parse::<u64>().ok());
        assert!(compared.is_some_and(|compared| compared >= ENOUGH), "too few of {kind}:\n{told}");
    }
}

fn distributions() -> Vec<Value> {
    let mut cases = Vec::new();
    for df in [1.0, 2.0, 3.0, 4.0, 7.0, 30.0, 99.0, 999.0, 1e5] {
        for tail in [1e-6, 1e-3, 0.025, 0.2, 0.49, 0.7] {
            let t = special::t_upper(tail, df);
            cases.push(json!({"kind": "t", "df": df, "tail": tail, "result": t,
                "back": special::t_sf(t, df)}));
        }
    }
    for (a, b) in [(0.5, 0.5), (2.0, 3.0), (40.0, 0.5), (0.5, 300.0), (1000.0, 3.0), (1e5, 2e5)] {
        for x in [1e-6, 0.01, 0.33, 0.5, 0.9, 0.999] {
            let (below, above) = special::regularized_beta(x, 1.0 - x, a, b);
            cases.push(json!({"kind": "beta", "a": a, "b": b, "x": x, "result": [below, above]}));
        }
    }
    for confidence in CONFIDENCES {
        for (k, n) in
            [(0, 1), (1, 1), (0, 60), (60, 60), (1, 2), (1, 29), (81, 263), (5000, 1_000_000)]
        {
            cases.push(json!({"kind": "wilson", "k": k, "n": n, "confidence": confidence,
                "result": wilson(k, n, level(confidence))}));
        }
    }
    cases
}

/// Values with ties and without, few and many.
fn values(draws: &mut Draws) -> Vec<Vec<f64>> {
    [2, 3, 10, 75, 400]
        .into_iter()
        .flat_map(|n| {
            let smooth = (0..n).map(|_| draws.lognormal()).collect();
            let tied = (0..n).map(|_| draws.poisson(4.0)).collect();
            [smooth, tied]
        })
        .collect()
}

fn samples(draws: &mut Draws) -> Vec<Value> {
    let mut cases = Vec::new();
    for values in values(draws) {
        let mut sorted = values.clone();
        sorted.sort_by(f64::total_cmp);
        let (mut paired, mut ratios) = (Paired::default(), RatioMoments::default());
        let others: Vec<f64> = values.iter().map(|a| a * 0.8 + draws.poisson(3.0)).collect();
        for (a, b) in values.iter().zip(&others) {
            paired.push(*a, *b);
            ratios.push(*a, 5.0 + *b);
        }
        for confidence in CONFIDENCES {
            let level = level(confidence);
            let moments: Moments = values.iter().copied().collect();
            cases.push(json!({"kind": "mean", "values": values, "confidence": confidence,
                "result": t_mean(&moments, level)}));
            for q in [0.05, 0.5, 0.9, 0.99] {
                cases.push(json!({"kind": "quantile", "values": values, "q": q,
                    "confidence": confidence, "result": quantile(&sorted, q, level)}));
            }
            cases.push(json!({"kind": "paired", "a": values, "b": others,
                "confidence": confidence, "p": paired.p_value(),
                "ratio": paired.variance_ratio(), "result": paired.interval(level)}));
            cases.push(json!({"kind": "ratio", "y": values,
                "x": others.iter().map(|b| 5.0 + b).collect::<Vec<f64>>(),
                "confidence": confidence, "result": ratio(&ratios, level)}));
        }
    }
    cases
}

fn sequences(draws: &mut Draws) -> Vec<Value> {
    let mut cases = Vec::new();
    for (number, precision) in (0..24).zip([0.3, 0.1, 0.06].into_iter().cycle()) {
        let values: Vec<f64> = (0..900)
            .map(|_| if number % 2 == 0 { draws.lognormal() } else { draws.poisson(1.5) })
            .collect();
        let rule = Rule::new(Precision::Relative(precision), level(0.95), 600);
        let mut sequential = Sequential::new(rule).expect("a rule");
        let mut fed = values.iter();
        while sequential.progress() == Progress::Continue {
            sequential.feed(*fed.next().expect("enough values"));
        }
        cases.push(json!({"kind": "sequential", "values": values, "precision": precision,
            "cap": 600, "progress": sequential.progress(), "result": sequential.interval()}));
    }
    cases
}

/// Lifetimes by section: `(name, sections)`, with an event exactly at the end of the horizon in
/// each.
fn curves(draws: &mut Draws) -> Vec<(String, Vec<Section>)> {
    let mut curves = Vec::new();
    for (sections, subjects, horizon) in
        [(1, 1, 5), (4, 3, 6), (12, 8, 10), (30, 20, 91), (25, 40, 2184), (60, 1, 40), (8, 9, 3)]
    {
        let mut made = vec![Section::default(); sections];
        for section in &mut made {
            let pace = f64::from(horizon) * (0.2 + draws.uniform());
            for _ in 0..subjects {
                let lasts = Sampler::Exponential { mean: pace }.value(draws.uniform());
                // Some leave before the end.
                let end = f64::from(horizon) * (0.4 + draws.uniform()).min(1.0);
                let step = |time: f64| time.ceil() as u32;
                if lasts <= end { section.event(step(lasts)) } else { section.censored(step(end)) }
            }
        }
        made[0].event(horizon);
        curves.push((format!("{sections} of {subjects} in {horizon}"), made));
    }
    curves
}

fn all(sections: &[Section]) -> Section {
    let mut all = Section::default();
    sections.iter().for_each(|section| all.merge(section));
    all
}

/// A number, or what R reads as none.
fn cell(value: Option<f64>) -> String {
    value.map_or("NA".into(), |value| format!("{value:e}"))
}

/// Whether R and its package are there.
fn has_r() -> bool {
    let mut command = Command::new("Rscript");
    command.args(["-e", "library(survival)"]).output().is_ok_and(|output| output.status.success())
}

#[test]
fn statistics_agree_with_r() {
    if !has_r() {
        println!("SKIPPED: statistics: Rscript with the package survival is not installed");
        return;
    }
    let mut draws = Draws(RandomStreams::new(SEED), 0);
    let (samples, p_values) = (values(&mut draws), p_values(&mut draws));
    let dir = data_dir();
    let write = |name: &str, text: String| {
        std::fs::write(dir.path().join(name), text).expect("a file");
    };
    let (mut subjects, mut points, mut medians) = (String::new(), String::new(), String::new());
    for (case, (_, sections)) in curves(&mut draws).into_iter().enumerate() {
        tabulate(case, &sections, &mut subjects, &mut points, &mut medians);
    }
    write("subjects.csv", format!("case,section,time,event\n{subjects}"));
    write(
        "points.csv",
        format!(
            "case,confidence,time,survival,lower,upper,robust,robust_lower,robust_upper\n{points}"
        ),
    );
    write("medians.csv", format!("case,confidence,q,estimate,lower,upper\n{medians}"));
    let mut numbers = String::new();
    for (case, values) in samples.iter().enumerate() {
        for value in values {
            writeln!(numbers, "{case},{value:e}").expect("a text");
        }
    }
    write("values.csv", format!("case,value\n{numbers}"));
    write("results.csv", results(&samples));
    let mut table = "case,p,adjusted\n".to_owned();
    for (case, p_values) in p_values.iter().enumerate() {
        let given: Vec<Option<f64>> = p_values.iter().copied().map(Some).collect();
        for (p, adjusted) in p_values.iter().zip(holm(&given)) {
            writeln!(table, "{case},{p:e},{}", cell(adjusted)).expect("a text");
        }
    }
    write("holm.csv", table);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop/statistics.R");
    let mut command = Command::new("Rscript");
    command.arg("--vanilla").arg(script).arg(dir.path());
    agreed(&command.output().expect("R runs"), &R_KINDS);
}

fn p_values(draws: &mut Draws) -> Vec<Vec<f64>> {
    (1..8).map(|n| (0..n).map(|_| draws.uniform() * 0.1).collect()).collect()
}

/// The intervals of means and quantiles.
fn results(samples: &[Vec<f64>]) -> String {
    let mut results = "kind,case,q,confidence,estimate,lower,upper\n".to_owned();
    for (case, values) in samples.iter().enumerate() {
        let mut sorted = values.clone();
        sorted.sort_by(f64::total_cmp);
        for confidence in CONFIDENCES {
            let moments: Moments = values.iter().copied().collect();
            let mut row = |kind: &str, q: f64, interval: study::statistics::Interval| {
                let limits = [interval.estimate, interval.lower, interval.upper].map(cell);
                writeln!(results, "{kind},{case},{q},{confidence},{}", limits.join(","))
                    .expect("a text");
            };
            row("mean", 0.0, t_mean(&moments, level(confidence)));
            row("quantile", 0.9, quantile(&sorted, 0.9, level(confidence)));
        }
    }
    results
}

/// The subjects of a curve and what was made of it, as rows.
fn tabulate(
    case: usize,
    sections: &[Section],
    subjects: &mut String,
    points: &mut String,
    medians: &mut String,
) {
    for (number, section) in sections.iter().enumerate() {
        for tally in section.tallies() {
            for (count, event) in [(tally.events, 1), (tally.censored, 0)] {
                for _ in 0..count {
                    writeln!(subjects, "{case},{number},{},{event}", tally.time).expect("a text");
                }
            }
        }
    }
    let curve = Curve::of(sections);
    for confidence in CONFIDENCES {
        let bands = [Variance::Greenwood, Variance::Clustered]
            .map(|variance| curve.band(level(confidence), variance));
        for ((point, plain), robust) in curve.points.iter().zip(&bands[0]).zip(&bands[1]) {
            let error = point.clustered.map(|variance| point.survival * variance.sqrt());
            let cells = [plain.lower, plain.upper, error, robust.lower, robust.upper].map(cell);
            let (time, survival) = (point.time, point.survival);
            writeln!(points, "{case},{confidence},{time},{survival:e},{}", cells.join(","))
                .expect("a text");
        }
        for q in [0.25, 0.5, 0.9] {
            let interval = curve.quantile(q, level(confidence), Variance::Greenwood);
            let cells = [interval.estimate, interval.lower, interval.upper].map(cell);
            writeln!(medians, "{case},{confidence},{q},{}", cells.join(",")).expect("a text");
        }
    }
}
