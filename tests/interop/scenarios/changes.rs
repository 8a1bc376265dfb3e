//! A scenario that is right, and changes that mostly make it wrong.
use serde_json::{Value, json};

/// A scenario that says something in every field.
pub(super) fn whole() -> Value {
    let lognormal = |median: &str| json!({"lognormal": {"median": median, "sigma": 0.9}});
    json!({
        "name": "whole", "title": "Every field", "description": "All of them.",
        "start": "2026-01-05T00:00:00.250Z", "duration": "4w1d12h", "seed": 18_446_744_073_709_551_615_u64,
        "distribution": {
            "packages": 400, "releases_per_year": {"lognormal_number": {"mu": 1.3, "sigma": 1}},
            "end_of_life": "28%", "end_of_life_weight": 0.05
        },
        "vulnerabilities": {
            "per_day": 0.7, "dispersion": 0.384, "weekdays": [16.1, 24.3, 17.9, 0, 17.7, 4.6, 3],
            "single_package": 0.5, "blast_radius_exponent": 1.95, "blast_radius_max": 0.39,
            "severity": {"critical": 8.3, "high": 31, "medium": 53, "low": 0},
            "known_exploited": "0.24%", "fixed_at_disclosure": 0.85,
            "upstream_fix": {"exponential": {"mean": "10d"}}, "package_fix": lognormal("3d"),
            "detection_lag": {"uniform": {"min": "1.4d", "max": "3.6d"}}
        },
        "images": [
            {"name": "base", "description": "A base", "packages": 12},
            {"name": "python-3.12", "base": "base", "packages": 14, "end_of_life": "2026-02-01T00:00:00Z"},
            {"name": "gateway", "base": "python-3.12", "end_of_life": null}
        ],
        "fleet": {"bases": 2, "images": 5, "base_packages": [14, 26], "own_packages": [10, 70]},
        "builders": {
            "count": 3, "duration": lognormal("6m"), "flake": "2%", "retries": 2, "breakage": 0.01,
            "repair": lognormal("8h"), "back_off": {"first": "1h", "max": "2d"},
            "queue": {"priority": ["cve_fix", "manual"], "merge": true}
        },
        "triggers": {
            "rebuild": "0 2 * * *", "upstream": true, "base_change": false, "cve_fix": "medium",
            "arrivals": [{"trigger": "manual", "gap": {"constant": "1h30m"}}]
        },
        "scanner": {"schedule": "0 */4 * * MON-FRI", "false_positives": 0.03, "triage": lognormal("2d")},
        "policies": [
            {"name": "gold", "preset": "hardened-vendor", "days": {"critical": 3, "low": null},
             "exclude_mass_events_over": null, "warn_share": 0.5, "on_reexposure": "restart"},
            {"name": "own", "days": {"high": 7, "medium": 30}, "calendar": "business",
             "clock_start": "detected", "pause_without_fix": false, "exclude_mass_events_over": "25%"}
        ],
        "sla": {"check": "0 */6 * * *"},
        "keep": {"history": "7d"},
        "customers": [
            {"name": "bank", "tier": "first", "policy": "gold", "images": ["gateway", "base"],
             "pinned": 0, "adoption_lag": lognormal("4h"), "pin_age": lognormal("21d")},
            {"name": "shops", "count": 12, "policy": "own", "images": 4}
        ],
        "incidents": [
            {"at": "2026-01-06T00:00:00Z", "mass_vulnerability": {
                "image_share": 0.4, "severity": "high", "upstream_fix_after": "2h",
                "package_fix_after": lognormal("8h"), "detectable_after": "6h"}},
            {"at": "2026-01-07T00:00:00Z", "builder_outage": {"builders": 2, "duration": "9h"}},
            {"at": "2026-01-08T00:00:00Z", "rebuild_all": {"trigger": "manual"}},
            {"at": "2026-01-09T00:00:00Z", "distrust_builder": {"builder": 1}},
            {"at": "2026-01-10T00:00:00Z", "tamper_attestation": {"image": "gateway"}}
        ]
    })
}

/// SplitMix64.
pub(super) struct Random(pub(super) u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(super) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).expect("below a usize")
    }

    fn one_of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }
}

/// Changes one place of a scenario.
pub(super) fn change(scenario: &mut Value, random: &mut Random) {
    let mut places = Vec::new();
    places_of(scenario, String::new(), &mut places);
    let place = random.one_of(&places).clone();
    let (parent, key) = place.rsplit_once('/').expect("below the root");
    match random.below(8) {
        0 => match scenario.pointer_mut(parent) {
            Some(Value::Object(entries)) => drop(entries.remove(key)),
            Some(Value::Array(items)) => drop(items.remove(key.parse().expect("an index"))),
            _ => {}
        },
        1 => match scenario.pointer_mut(parent) {
            Some(Value::Object(entries)) => {
                let name = random.one_of(&["cuont", "images", "base", "tier", "constant", "low"]);
                entries.insert((*name).to_owned(), some_value(random));
            }
            Some(Value::Array(items)) => items.push(items[0].clone()),
            _ => {}
        },
        2 | 3 => set(scenario, &place, some_value(random)),
        _ => {
            let Some(value) = scenario.pointer_mut(&place) else { return };
            match value {
                Value::String(text) => edit(text, random),
                Value::Number(_) => *value = some_number(random),
                Value::Null | Value::Bool(_) => *value = some_value(random),
                Value::Array(items) => {
                    let item = some_value(random);
                    items.push(item);
                }
                Value::Object(_) => {}
            }
        }
    }
}

fn set(scenario: &mut Value, place: &str, new: Value) {
    if let Some(value) = scenario.pointer_mut(place) {
        *value = new;
    }
}

fn places_of(value: &Value, path: String, places: &mut Vec<String>) {
    let mut inside = |key: &str, inner: &Value| {
        let path = format!("{path}/{key}");
        places.push(path.clone());
        places_of(inner, path, places);
    };
    match value {
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                inside(&index.to_string(), item);
            }
        }
        Value::Object(entries) => entries.iter().for_each(|(key, item)| inside(key, item)),
        _ => {}
    }
}

fn some_number(random: &mut Random) -> Value {
    let all = json!([
        -1,
        0,
        1,
        2,
        3,
        7,
        10,
        11,
        100,
        101,
        500,
        1000,
        1001,
        3650,
        3651,
        5000,
        5001,
        9999,
        10_000,
        10_001,
        20_000,
        20_001,
        100_000,
        100_001,
        1_000_000,
        1_000_001,
        1_000_000_000,
        1_000_000_001,
        4_294_967_295_u64,
        4_294_967_296_u64,
        18_446_744_073_709_551_615_u64,
        0.0,
        -0.5,
        0.5,
        1.0,
        1.5,
        4.0,
        10.5,
        -10.0,
        -10.5,
        1e12,
        1e20
    ]);
    let all = all.as_array().expect("a list");
    random.one_of(all).clone()
}

fn some_value(random: &mut Random) -> Value {
    let all = json!([
        null, true, false, "", " ", "x", "never", "7d", "0s", "1m", "3651d", "36501d", "0.5ms", "1h1h",
        "30m1h", "15%", "0%", "100%", "100.5%", "101%", "-1%", "15.%", ".5%", "0 2 * * *", "*/61 * * * *",
        "0 22-6 * * *", "0 0 30 2 *", "0 0 * * MON,", "0 0 * * SUN-SUN", "* * * * * *", "*/5 9-17 * * 1-5",
        "2026-01-05T00:00:00Z", "2026-02-29T00:00:00Z", "2028-02-29T00:00:00Z", "2201-01-01T00:00:00Z",
        "2026-01-05T00:00:00.0001Z", "2026-01-05T24:00:00Z", "gold", "gateway", "nowhere", "high", "cron",
        "bootstrap", "restart", "business", "pci-critical", [], [1, 2], [30, 10], ["gateway"],
        ["gateway", "gateway"], ["nowhere"], {}, {"constant": "1d"}, {"constant": "0s"},
        {"uniform": {"min": "2d", "max": "1d"}}, {"exponential": {"mean": "6m"}},
        {"lognormal_number": {"mu": 1, "sigma": 1}}, {"critical": 7}, {"low": null},
        {"critical": null, "high": null, "medium": null, "low": null}, {"first": "3d"}, {"max": "366d"},
        {"name": "x"}, {"name": "x", "preset": "pci-critical"}, {"name": "base"}
    ]);
    let all = all.as_array().expect("a list");
    match random.below(3) {
        0 => some_number(random),
        _ => random.one_of(all).clone(),
    }
}

/// Takes out, puts in or replaces one character.
fn edit(text: &mut String, random: &mut Random) {
    const LETTERS: &[u8] = b"0123456789abdehlmnrstwxzADFJLMNSTUWZ*/-,.#%_:?+ ";
    let mut letters: Vec<char> = text.chars().collect();
    let letter = char::from(*random.one_of(LETTERS));
    let place = random.below(letters.len() + 1);
    match random.below(3) {
        0 if place < letters.len() => drop(letters.remove(place)),
        1 if place < letters.len() => letters[place] = letter,
        _ => letters.insert(place, letter),
    }
    *text = letters.into_iter().collect();
}
