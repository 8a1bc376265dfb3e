//! Fits of imports agree with SciPy's on the same data: censored lags by `CensoredData`, arrivals
//! by the likelihood of `nbinom`, limits of intervals by the profile that SciPy's optimizers find.
use crate::support::{data_dir, figures, said, wavetank};
use crate::validators::python;
use crate::worlds::Worlds;
use import::fit::{Day, Family, Observation, Seen, arrivals, fit_family};
use serde_json::{Value, json};
use sim::random::{Purpose, RandomStreams, Sampler, count};
use sim::scenario::Scenario;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

const SEED: u64 = 21;
const KINDS: [&str; 4] = ["estimate", "limits", "distance", "arrivals"];
const ENOUGH: u64 = 20;

/// Draws in order.
struct Draws(RandomStreams, u32);

impl Draws {
    fn uniform(&mut self) -> f64 {
        self.1 += 1;
        self.0.uniform(Purpose::Incident, 0, self.1)
    }
}

/// How lags are seen: exactly, until the end of the observation, between two scans.
fn seen(draws: &mut Draws, t: f64, way: u32) -> Seen {
    let end = 80.0 * draws.uniform();
    let scan = 6.0;
    match way {
        0 => Seen::At(t),
        1 if t > end => Seen::After(end),
        1 => Seen::At(t),
        _ if t > end => Seen::After(end),
        _ => Seen::Between((t / scan).floor() * scan, (t / scan).floor() * scan + scan),
    }
}

#[test]
fn fits_agree_with_scipy() {
    let mut draws = Draws(RandomStreams::new(SEED), 0);
    let mut cases: Vec<Value> = Vec::new();
    for n in [12, 60, 400] {
        for way in 0..3 {
            for (family, sampler) in [
                (Family::Lognormal, Sampler::Lognormal { mu: 2.5, sigma: 0.9 }),
                (Family::Exponential, Sampler::Exponential { mean: 20.0 }),
            ] {
                let all: Vec<Observation> = (0..n)
                    .map(|_| {
                        let t = sampler.value(draws.uniform());
                        Observation::alone(seen(&mut draws, t, way))
                    })
                    .collect();
                // Each is fitted to its own data and to the other's.
                for fitted in [family, Family::Lognormal, Family::Exponential] {
                    cases.push(case(&all, fitted));
                }
            }
        }
    }
    for (mean, k) in [(0.3, 0.0), (2.0, 0.4), (2.0, 3.0), (9.0, 1.0), (0.8, 0.2)] {
        for n in [40, 90, 365, 700] {
            let days: Vec<Day> = (0..n)
                .map(|day| {
                    let weight = if day % 7 > 4 { 0.3 } else { 1.28 };
                    Day { count: count(mean * weight, k, draws.uniform()), weight }
                })
                .collect();
            let fit = arrivals(&days).expect("arrivals");
            let counts: Vec<u32> = days.iter().map(|day| day.count).collect();
            let weights: Vec<f64> = days.iter().map(|day| day.weight).collect();
            cases.push(
                json!({"kind": "arrivals", "counts": counts, "weights": weights, "fit": fit}),
            );
        }
    }
    let dir = data_dir();
    let file = dir.path().join("imports.json");
    std::fs::write(&file, serde_json::to_string(&cases).expect("JSON")).expect("a file");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut command = Command::new(python(root));
    command.arg(root.join("tests/interop/imports.py")).arg(&file);
    let output = command.output().expect("Python runs");
    let told = said(&output);
    assert!(output.status.success(), "seed {SEED}:\n{told}");
    let text = String::from_utf8_lossy(&output.stdout);
    for kind in KINDS {
        let line = text.lines().find_map(|line| line.strip_prefix(&format!("{kind} ")));
        let compared = line.and_then(|line| line.split(' ').next()?.parse::<u64>().ok());
        assert!(compared.is_some_and(|compared| compared >= ENOUGH), "too few of {kind}:\n{told}");
    }
}

fn case(all: &[Observation], family: Family) -> Value {
    let fit = fit_family(all, family).expect("a fit");
    let ranges: Vec<(f64, Option<f64>)> = all
        .iter()
        .map(|o| match o.seen {
            Seen::At(t) => (t, Some(t)),
            Seen::Between(low, high) => (low, Some(high)),
            Seen::Rounded(..) => panic!("SciPy has no such data"),
            Seen::After(t) => (t, None),
        })
        .collect();
    json!({"kind": "lag", "family": family.as_str(), "ranges": ranges, "fit": fit})
}

/// What `wavetank import` makes of a classroom's exported inventories, in each format, and of its
/// OSV records: the images, bases and packages of the scenario that the world was played from.
#[test]
fn an_exported_world_is_imported_in_every_format() {
    let world = &Worlds::made().current;
    for sbom in ["sbom.cdx.json", "sbom.spdx.json", "sbom.spdx3.json"] {
        let dir = data_dir();
        let file = dir.path().join("imported.yaml");
        let mut command = wavetank();
        command.arg("import").args(inventories(&world.join("images"), sbom)).arg(world.join("osv"));
        command.args(["--format", "json", "--futures", "0", "--output"]).arg(&file);
        command.arg("--report").arg(dir.path().join("report.html"));
        let report = figures(command);
        let text = std::fs::read(&file).expect("a scenario");
        let imported = sim::scenario::parse("imported", &text).expect("it is valid");
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let classroom = std::fs::read(root.join("scenarios/classroom.yaml")).expect("it is there");
        let classroom = sim::scenario::parse("classroom", &classroom).expect("it is valid");
        assert_eq!(told(&imported), told(&classroom), "{sbom}");
        let inputs = report["inputs"].as_array().expect("inputs");
        let rate = inputs.iter().find(|input| input["field"] == "vulnerabilities.per_day");
        assert!(rate.is_some_and(|rate| rate["data"].as_u64() > Some(10)), "{rate:?}");
        let html = std::fs::read_to_string(dir.path().join("report.html")).expect("a report");
        assert!(html.starts_with("<!DOCTYPE html>") && !html.contains("<script"));
    }
}

/// Names, bases and numbers of packages, by name.
fn told(scenario: &Scenario) -> BTreeMap<String, (Option<String>, u32)> {
    let name = |name: &str| name.rsplit("catalogue-").next().unwrap_or(name).to_owned();
    let image = |it: &sim::scenario::Image| {
        let base = it.base.as_ref().map(|base| name(base.value.as_str()));
        (name(it.name.value.as_str()), (base, it.packages))
    };
    scenario.images.iter().map(image).collect()
}

fn inventories(dir: &Path, name: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir).expect("a directory");
    let mut found = Vec::new();
    for path in entries.map(|entry| entry.expect("an entry").path()) {
        if path.is_dir() {
            found.extend(inventories(&path, name));
        } else if path.file_name().is_some_and(|it| it == name) {
            found.push(path);
        }
    }
    found
}

#[test]
fn what_cannot_be_imported_is_refused_on_the_command_line() {
    let dir = data_dir();
    let bad = dir.path().join("bad.csv");
    std::fs::write(&bad, "cve,published\nCVE-2026-1,soon\n").expect("a file");
    let output = dir.path().join("imported.yaml");
    let refused = |arguments: &[&Path], expected: &str| {
        let mut command = wavetank();
        command.arg("import").args(arguments).arg("--output").arg(&output);
        let ran = command.output().expect("the program runs");
        assert!(!ran.status.success() && said(&ran).contains(expected), "{}", said(&ran));
    };
    refused(&[&bad], "bad.csv:2, column published: expected an instant");
    refused(&[Path::new("/dev/null")], "neither a file nor a folder");
    refused(&[&dir.path().join("none")], "cannot read");
    assert!(!output.exists());
    std::fs::write(&output, "mine").expect("a file");
    refused(&[&bad], "is there already\nhint: name another --output");
}
