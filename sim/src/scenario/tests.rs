//! Scenario files: what is shipped, and what is refused with which words.
mod policies;
mod refusals;

use super::*;
use crate::severity::Severity;

/// The smallest scenario; what a test adds begins on line 7.
const SMALLEST: &str = "\
name: small
title: The smallest scenario
start: 2026-01-05T00:00:00Z
duration: 7d
images:
  - name: a
";

fn refused(text: &str) -> FileError {
    parse("x.yaml", text.as_bytes()).expect_err(text)
}

/// The first line of what is said about the smallest scenario with some lines more.
fn first_line(more: &str) -> String {
    let said = refused(&format!("{SMALLEST}{more}")).to_string();
    said.lines().next().expect("a line").to_owned()
}

#[test]
fn the_smallest_scenario_has_every_default() {
    let scenario = parse("x.yaml", SMALLEST.as_bytes()).expect("valid");
    assert_eq!(scenario.images[0].packages, 24);
    assert_eq!(scenario.builders.count, 4);
    assert!(scenario.builders.queue.merge && scenario.builders.queue.priority.len() == 5);
    assert_eq!(scenario.triggers.cve_fix, Some(Severity::Medium));
    assert!(scenario.triggers.rebuild.is_none());
    assert_eq!(scenario.scanner.schedule.expect("a default").as_str(), "0 */4 * * *");
    assert_eq!(scenario.sla.check.expect("a default").as_str(), "0 * * * *");
    assert_eq!(scenario.builders.back_off, Some(BackOff::default()));
    let Draw::Lognormal { median, .. } = scenario.vulnerabilities.package_fix else {
        panic!("the fix is lognormal")
    };
    // LN(1.091, 1.788) d of CALIBRATION, to half a second.
    let exact_ms = 1.091_f64.exp() * 86_400_000.0;
    assert!((median.duration().0 as f64 - exact_ms).abs() < 500.0, "{median}");
}

#[test]
fn the_shipped_scenarios_are_what_they_say() {
    for (file, bytes, images, customers, days) in [
        ("classroom", &include_bytes!("../../../scenarios/classroom.yaml")[..], 8, 3, 7),
        ("four-weeks", include_bytes!("../../../scenarios/four-weeks.yaml"), 60, 12, 28),
        ("friday-night", include_bytes!("../../../scenarios/friday-night.yaml"), 400, 24, 14),
        (
            "enterprise-quarter",
            include_bytes!("../../../scenarios/enterprise-quarter.yaml"),
            1_000,
            200,
            91,
        ),
    ] {
        let scenario = parse(file, bytes).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(scenario.name.as_str(), file);
        let fleet = scenario.fleet.as_ref().map_or(0, |fleet| fleet.bases + fleet.images);
        assert_eq!(scenario.images.len() as u32 + fleet, images, "{file}");
        let counts = scenario.customers.iter().map(|entry| entry.count.unwrap_or(1));
        assert_eq!(counts.sum::<u32>(), customers, "{file}");
        assert_eq!(scenario.duration.duration(), crate::time::SimDuration::days(days), "{file}");
        let header = b"# yaml-language-server: $schema=scenario.schema.json\n";
        assert!(bytes.starts_with(header), "{file}");
    }
}

#[test]
fn what_is_owed_again_and_how_long_a_broken_image_waits() {
    let more = "builders: {back_off: {first: 30m}}\n\
                policies: [{name: p, preset: pci-critical, on_reexposure: restart},\n  \
                {name: q, preset: pci-critical}]\n";
    let scenario = parse("x.yaml", format!("{SMALLEST}{more}").as_bytes()).expect("valid");
    let wait = scenario.builders.back_off.as_ref().expect("a wait");
    assert_eq!((wait.first, wait.max), (units::Span::minutes(30), units::Span::days(2)));
    let streams = crate::random::RandomStreams::new(1);
    let policies = crate::catalogue::Catalogue::new(&scenario, streams).policies;
    assert_eq!(policies[0].on_reexposure, OnReexposure::Restart);
    assert_eq!(policies[1].on_reexposure, OnReexposure::Continue);
    let off = format!("{SMALLEST}builders: {{back_off: null}}\n");
    assert_eq!(parse("x.yaml", off.as_bytes()).expect("valid").builders.back_off, None);
    for (wait, said) in [
        ("{first: 0s}", "7:30: builders.back_off.first: expected a length of time above 0"),
        ("{first: 3d}", "7:30: builders.back_off.first: expected at most `max`, 2d by default"),
        ("{max: 30m}", "7:28: builders.back_off.max: expected at least `first`, 1h, found 30m"),
        ("{max: 366d}", "7:28: builders.back_off.max: expected a length of time up to 365d"),
    ] {
        let found = first_line(&format!("builders: {{back_off: {wait}}}\n"));
        assert!(found.starts_with(&format!("x.yaml:{said}")), "{found}");
    }
}

#[test]
fn the_friday_is_a_friday() {
    let bytes = include_bytes!("../../../scenarios/friday-night.yaml");
    let scenario = parse("friday-night.yaml", bytes).expect("valid");
    let at = scenario.incidents[0].at.value.time();
    assert_eq!(at.to_string(), "2026-03-06T18:40:00Z");
    let friday = at.to_datetime().expect("a date").format("%A").to_string();
    assert_eq!(friday, "Friday");
}

#[test]
fn the_schema_of_the_repository_is_fresh() {
    let stored = include_str!("../../../scenarios/scenario.schema.json");
    let mut fresh = serde_json::to_string_pretty(&schema::schema()).expect("JSON");
    fresh.push('\n');
    assert!(
        stored == fresh,
        "scenarios/scenario.schema.json is stale; refresh it with\n\
         cargo run -- scenario schema > scenarios/scenario.schema.json"
    );
}

#[test]
fn an_error_shows_the_place_the_line_and_a_hint() {
    let said = refused(&format!("{SMALLEST}builders:\n  cuont: 3\n"));
    assert_eq!(
        said.to_string(),
        "x.yaml:8:3: builders: expected a known key, found `cuont`\n\
         8 |   cuont: 3\n  \
           |   ^\n\
         hint: did you mean `count`?"
    );
    let first = said.first();
    assert_eq!((first.line(), first.column(), first.field()), (Some(8), Some(3), "builders"));
}

#[test]
fn files_that_are_no_scenario() {
    for (text, said) in [
        ("", "x.yaml: expected a scenario, found an empty file"),
        ("# nothing\n", "x.yaml: expected a scenario, found an empty file"),
        ("- a\n", "x.yaml:1:1: expected a scenario (`key: value` lines), found a list"),
        ("hello\n", "x.yaml:1:1: expected a scenario (`key: value` lines), found `hello`"),
        ("a: [1,\n", "x.yaml:1:4: expected YAML: unclosed bracket '['"),
        ("name: [a, b]\n", "x.yaml:1:7: name: expected a name of 1 to 63 characters"),
        ("name: small\n", "x.yaml:1:1: expected the key `title`, which is missing"),
        ("a: 1\n---\nb: 1\n", "x.yaml:2:1: expected one document, found a second one"),
    ] {
        let found = refused(text).to_string();
        assert!(found.lines().any(|line| line.starts_with(said)), "{found}");
    }
    let found = parse("x.yaml", b"name: small\ntitle: \xff\n").expect_err("not UTF-8").to_string();
    assert!(found.starts_with("x.yaml:2:8: expected UTF-8 text"), "{found}");
}

#[test]
fn the_usual_slips_get_a_hint() {
    for (more, hint) in [
        ("triggers:\n  rebuild: */15 * * * *\n", "needs quotes: \"*/15 * * * *\""),
        ("description: two: parts\n", "text that holds a colon needs quotes"),
        ("builders:\n", "give it a value, or leave the key out to get the default"),
        ("  - {name: nginx, base: a}\n  - {name: c, base: ngnix}\n", "did you mean `nginx`?"),
        ("builders:\n  duration: 6m\n", "exactly one of constant, uniform, exponential"),
    ] {
        let said = refused(&format!("{SMALLEST}{more}"));
        assert!(said.first().hint().is_some_and(|found| found.contains(hint)), "{said}");
    }
}

#[test]
fn floods_are_refused_within_the_budget() {
    let ten_megabytes = "a: [1]\n".repeat(10 << 20 >> 3);
    let nested_blocks: String = (0..500).map(|n| format!("{}a:\n", "  ".repeat(n))).collect();
    let many = format!("{SMALLEST}seed: [{}1]\n", "1,".repeat(200_000));
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for n in 1..9 {
        let inner = vec![format!("*a{}", n - 1); 9].join(", ");
        bomb.push_str(&format!("a{n}: &a{n} [{inner}]\n"));
    }
    let cyclic = format!("{SMALLEST}policies: &p\n  - *p\n");
    let aliases = format!("{SMALLEST}x: &x 1\ny: [{}1]\n", "*x, ".repeat(65));
    for (text, said) in [
        (ten_megabytes, "x.yaml: expected at most 1 MiB of YAML, found "),
        ("[".repeat(100_000), "x.yaml:1:33: expected at most 32 levels of nesting, found more"),
        ("- ".repeat(1_000), "x.yaml:1:65: expected at most 32 levels of nesting"),
        ("{a: ".repeat(1_000), "x.yaml:1:129: expected at most 32 levels of nesting"),
        (nested_blocks, "x.yaml:33:65: expected at most 32 levels of nesting"),
        (many, "x.yaml:7:199976: expected at most 100000 values, found more"),
        (bomb, "x.yaml:5:15: expected few aliases, found some that repeat too much"),
        (cyclic, "x.yaml:8:5: expected few aliases, found some that repeat too much"),
        (aliases, "x.yaml:8:"),
    ] {
        let found = refused(&text).to_string();
        assert!(found.starts_with(said), "{}", found.chars().take(300).collect::<String>());
        assert!(found.len() < 500, "one short message");
    }
}

#[test]
fn values_of_the_wrong_kind() {
    for (more, said) in [
        ("seed: abc\n", "7:7: seed: expected a whole number, 0 or more, found `abc`"),
        ("builders:\n  count: 2.5\n", "8:10: builders.count: expected a whole number from 0"),
        ("builders:\n  flake: 15\n", "8:10: builders.flake: expected a share from 0 to 1"),
        ("builders:\n  duration: 6m\n", "8:13: builders.duration: expected a distribution"),
        (
            "builders:\n  duration: {lognormal: {median: 6, sigma: 1}}\n",
            "8:34: builders.duration.lognormal.median: expected a length of time such as 7d",
        ),
        ("builders:\n", "7:9: builders: expected a mapping (`key: value` lines), found nothing"),
        ("triggers:\n  upstream: yes\n", "8:13: triggers.upstream: expected true or false"),
        ("triggers:\n  cve_fix: hgih\n", "8:12: triggers.cve_fix: expected one of low, medium"),
        ("vulnerabilities:\n  weekdays: [1, 2]\n", "8:13: vulnerabilities.weekdays: expected"),
        (
            "vulnerabilities:\n  weekdays: [1, 1, 1, 1, -1, 1, 1]\n",
            "8:26: vulnerabilities.weekdays[4]: expected a number, 0 or more, found `-1`",
        ),
        ("vulnerabilities:\n  per_day: .nan\n", "8:12: vulnerabilities.per_day: expected a"),
        ("seed: !secret 3\n", "7:"),
    ] {
        let found = first_line(more);
        assert!(found.starts_with(&format!("x.yaml:{said}")), "{found}");
    }
    for (duration, said) in [
        ("-7d", "not a negative one, found `-7d`"),
        ("7", "with a unit (w, d, h, m, s or ms), found `7`"),
        ("7 days", "(units w, d, h, m, s, ms), found `7 days`"),
        ("\"\"", "such as 7d, 15m, 1h30m or 250ms, found ``"),
        ("30s", "expected a run of 1m to 3650d, found 30s"),
        ("11000d", "expected a run of 1m to 3650d, found 11000d"),
    ] {
        let found = refused(&SMALLEST.replace("7d", duration)).to_string();
        let place = "x.yaml:4:11: duration: expected ";
        assert!(found.starts_with(place) && found.contains(said), "{found}");
    }
}

#[test]
fn keys_that_are_unknown_or_double() {
    for (more, said) in [
        ("buidlers: {}\n", "7:1: expected a known key, found `buidlers`"),
        ("  - nmae: b\n", "7:5: images[1]: expected a known key, found `nmae`"),
        ("seed: 1\nseed: 2\n", "8:1: seed: expected each key once, found `seed` a second time"),
        (
            "builders:\n  count: 3\n  count: 4\n",
            "9:3: builders.count: expected each key once, found `count` a second time",
        ),
        ("builders: {<<: {count: 3}}\n", "7:12: expected a known key, found a merge key `<<`"),
    ] {
        let found = first_line(more);
        assert!(found.starts_with(&format!("x.yaml:{said}")), "{found}");
    }
}

#[test]
fn the_lineage_is_a_forest_of_known_images() {
    for (more, said) in [
        ("  - {name: b, base: aa}\n", "7:21: images[1].base: expected the name of an image"),
        ("  - {name: a}\n", "7:12: images[1].name: expected each name once, found `a` a second"),
        (
            "  - {name: b, base: d}\n  - {name: c, base: b}\n  - {name: d, base: c}\n",
            "7:21: images[1].base: expected a base that does not stand on this image, \
             found a cycle: b -> d -> c -> b",
        ),
        ("  - {name: b, base: b}\n", "7:21: images[1].base: expected a base that does not"),
        (
            "  - {name: b, base: a, packages: 390}\n",
            "7:34: images[1].packages: expected at most the 400 packages of the distribution, \
             found 414 with those of its bases",
        ),
        (
            "    end_of_life: 2025-12-31T00:00:00Z\n",
            "7:18: images[0].end_of_life: expected an instant after the start",
        ),
        ("fleet: {bases: 0, images: 3}\n", "7:16: fleet.bases: expected a number from 1 to 1000"),
        (
            "fleet: {bases: 1, images: 3, own_packages: [9, 3]}\n",
            "7:44: fleet.own_packages: expected [least, most] with least <= most, found [9, 3]",
        ),
        ("fleet: {bases: 1, images: 20000}\n", "7:8: fleet: expected at most 20000 images in all"),
    ] {
        let found = first_line(more);
        assert!(found.starts_with(&format!("x.yaml:{said}")), "{found}");
    }
    let found = refused(&SMALLEST.replace("images:\n  - name: a\n", "")).to_string();
    assert!(found.starts_with("x.yaml:1:1: images: expected at least one image"), "{found}");
}

#[test]
fn work_that_makes_no_sense() {
    for (more, said) in [
        (
            "triggers:\n  rebuild: 0 0 30 2 *\n",
            "8:12: triggers.rebuild: expected a cron schedule in UTC of five fields (minute, \
             hour, day, month, weekday) such as `0 2 * * *` that fires at some time; this one \
             never does, found `0 0 30 2 *`",
        ),
        ("triggers:\n  rebuild: 0 25 * * *\n", "8:12: triggers.rebuild: expected a cron schedule"),
        (
            "triggers:\n  arrivals: [{trigger: cron, gap: {constant: 0s}}]\n",
            "8:35: triggers.arrivals[0].gap: expected a gap that lets at most",
        ),
        ("builders:\n  count: 0\n", "8:10: builders.count: expected a number from 1 to 10000"),
        (
            "builders:\n  queue:\n    priority: [cron, cron]\n",
            "9:22: builders.queue.priority[1]: expected each trigger once",
        ),
        (
            "builders:\n  duration: {uniform: {min: 2m, max: 1m}}\n",
            "8:23: builders.duration.uniform: expected min up to max, found min 2m above max 1m",
        ),
        (
            "distribution:\n  releases_per_year: {constant: 3d}\n",
            "8:22: distribution.releases_per_year: expected a number without a unit",
        ),
        ("policies:\n  - name: gold\n", "8:5: policies[0]: expected a preset, or days for some"),
        (
            "customers:\n  - {name: c, policy: gold, images: 1}\n",
            "8:23: customers[0].policy: expected the name of a policy, found `gold`",
        ),
        (
            "policies: [{name: p, preset: pci-critical}]\n\
             customers:\n  - {name: c, policy: p, images: 2}\n",
            "9:34: customers[0].images: expected 1 to 1, the images of the scenario, found 2",
        ),
    ] {
        let found = first_line(more);
        assert!(found.starts_with(&format!("x.yaml:{said}")), "{found}");
    }
}

#[test]
fn a_schedule_that_would_drown_the_run() {
    let text = SMALLEST.replace("7d", "30d") + "scanner:\n  schedule: \"* * * * * *\"\n";
    let found = refused(&text).to_string();
    let said = "x.yaml:8:13: scanner.schedule: expected a schedule that fires at most 1000000 \
                times in the run, found `* * * * * *` with about 2592000";
    assert!(found.starts_with(said), "{found}");
}

#[test]
fn incidents_name_images_of_the_fleet_too() {
    let fleet = "fleet: {bases: 1, images: 1}\n";
    let incident = |image: &str| {
        let at = "{at: 2026-01-06T00:00:00Z, tamper_attestation: {image: ";
        format!("{SMALLEST}{fleet}incidents:\n  - {at}{image}}}}}\n")
    };
    for image in ["a", "wave-static"] {
        parse("x.yaml", incident(image).as_bytes()).expect("valid");
    }
    let said = refused(&incident("wave-statik"));
    assert_eq!(said.first().hint(), Some("did you mean `wave-static`?"));
    let said = refused(&incident("quite-another"));
    let hint = "it is one named under `images` or one of the fleet, such as `a`";
    assert_eq!(said.first().hint(), Some(hint));
    let pool = "incidents:\n  - {at: 2026-01-06T00:00:00Z, distrust_builder: {builder: 9}}\n";
    let said = refused(&format!("{SMALLEST}{pool}"));
    assert_eq!(said.first().hint(), Some("`builders.count` is 4, and they are numbered from 0"));
}

#[test]
fn incidents_that_cannot_happen() {
    for (incident, said) in [
        ("  - at: 2026-01-06T00:00:00Z\n", "8:5: incidents[0]: expected exactly one of mass_"),
        (
            "  - {at: 2026-01-12T00:00:00Z, rebuild_all: {trigger: cron}}\n",
            "8:10: incidents[0].at: expected an instant within the run",
        ),
        (
            "  - {at: 2026-01-06T00:00:00Z, builder_outage: {builders: 5, duration: 1h}}\n",
            "8:59: incidents[0].builder_outage.builders: expected 1 to 4 builders of the pool, found 5",
        ),
        (
            "  - {at: 2026-01-06T00:00:00Z, builder_outage: {builders: 3, duration: 2h}}\n  \
               - {at: 2026-01-06T01:00:00Z, builder_outage: {builders: 2, duration: 2h}}\n",
            "9:59: incidents[1].builder_outage.builders: expected outages of at most the 4",
        ),
        (
            "  - {at: 2026-01-06T00:00:00Z, builder_outge: {builders: 5, duration: 1h}}\n",
            "8:32: incidents[0]: expected a known key, found `builder_outge`",
        ),
        (
            "  - {at: 2026-01-06T00:00:00Z, distrust_builder: {builder: 4}}\n",
            "8:60: incidents[0].distrust_builder.builder: expected a builder of the pool, 0 to 3, \
             found 4",
        ),
        (
            "  - {at: 2026-01-06T00:00:00Z, distrust_builder: {builder: 2}}\n  \
               - {at: 2026-01-05T00:00:00Z, distrust_builder: {builder: 2}}\n",
            "9:60: incidents[1].distrust_builder.builder: expected each builder once, found 2 a \
             second time",
        ),
        (
            "  - {at: 2026-01-06T00:00:00Z, tamper_attestation: {image: b}}\n",
            "8:60: incidents[0].tamper_attestation.image: expected the name of an image, found `b`",
        ),
    ] {
        let found = first_line(&format!("incidents:\n{incident}"));
        assert!(found.starts_with(&format!("x.yaml:{said}")), "{found}");
    }
}

#[test]
fn history_is_kept_for_days_and_for_ever_when_nothing_is_said() {
    let scenario = parse("x.yaml", SMALLEST.as_bytes()).expect("valid");
    assert!(scenario.keep.history.is_none());
    let text = format!("{SMALLEST}keep: {{history: 28d}}\n");
    let scenario = parse("x.yaml", text.as_bytes()).expect("valid");
    assert_eq!(scenario.keep.history.map(|span| span.to_string()).as_deref(), Some("28d"));
    let said = first_line("keep: {history: 23h}\n");
    assert!(said.contains("a day or more of history"), "{said}");
    let said = first_line("keep: {history: 2d}\nsla: {check: never}\n");
    assert!(said.contains("never evaluated"), "{said}");
}
