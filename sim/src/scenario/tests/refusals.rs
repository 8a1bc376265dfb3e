//! All that is wrong with a file is said at once, and nothing twice.
use super::*;

/// The fields and problems of all that is wrong with the smallest scenario and some lines more.
fn all_wrong(more: &str) -> Vec<String> {
    let said = refused(&format!("{SMALLEST}{more}"));
    let place = |r: &Refusal| format!("{}:{}", r.line().unwrap_or(0), r.column().unwrap_or(0));
    said.all().map(|r| format!("{} {}: {}", place(r), r.field(), r.problem())).collect()
}

#[test]
fn all_that_is_wrong_is_said_in_the_order_of_the_file() {
    let wrong = all_wrong(
        &[
            "  - {name: B, base: a}\n",
            "  - {name: c, base: aa, packages: 0}\n",
            "distribution: {packages: lots, end_of_lfie: 1}\n",
            "builders: {count: 0, duration: 6m, retries: 101}\n",
            "triggers: {rebuild: \"*/61 * * * *\", upstream: yes}\n",
            "policies:\n",
            "  - {preset: pci-critical}\n",
            "  - {name: q, days: {critical: 0}}\n",
            "  - {name: p, preset: pci-critical, days: {critical: null}}\n",
            "customers: [{name: c, policy: p, images: [a, b, aa, a]}, {name: c, policy: r}]\n",
            "incidents:\n",
            "  - {at: 2027-01-06T00:00:00Z, rebuild_all: {trigger: cron}}\n",
        ]
        .concat(),
    );
    let expected = [
        "7:12 images[1].name: expected a name of 1 to 63 characters",
        "8:21 images[2].base: expected the name of an image, found `aa`",
        "8:35 images[2].packages: expected a number from 1 to 5000, found 0",
        "9:26 distribution.packages: expected a whole number from 0 to 4294967295, found `lots`",
        "9:32 distribution: expected a known key, found `end_of_lfie`",
        "10:19 builders.count: expected a number from 1 to 10000, found 0",
        "10:32 builders.duration: expected a distribution such as",
        "10:45 builders.retries: expected a number from 0 to 100, found 101",
        "11:21 triggers.rebuild: expected a cron schedule",
        "11:47 triggers.upstream: expected true or false, found `yes`",
        "13:5 policies[0]: expected the key `name`, which is missing",
        "14:32 policies[1].days.critical: expected a number from 1 to 3650, found 0",
        "15:43 policies[2].days: expected days for some severity, found a promise of nothing",
        "16:46 customers[0].images[1]: expected the name of an image, found `b`",
        "16:49 customers[0].images[2]: expected the name of an image, found `aa`",
        "16:53 customers[0].images[3]: expected each image once, found `a` a second time",
        "16:65 customers[1].name: expected each name once, found `c` a second time",
        "16:76 customers[1].policy: expected the name of a policy, found `r`",
        "18:10 incidents[0].at: expected an instant within the run",
    ];
    let matches = |(found, expected): (&String, &&str)| found.starts_with(*expected);
    assert!(
        wrong.len() == expected.len() && wrong.iter().zip(&expected).all(matches),
        "{wrong:#?}"
    );
}

#[test]
fn what_follows_from_a_refusal_is_not_told_as_well() {
    for (more, wrong) in [
        // Nobody knows how many builders there are.
        (
            "builders: {cuont: 9}\nincidents:\n  - {at: 2026-01-06T00:00:00Z, builder_outage: \
             {builders: 8, duration: 1h}}\n",
            1,
        ),
        ("distribution: {packages: -1}\n  \n", 1),
        ("  - {nmae: b, base: a}\n", 1),
        ("  - {colour: red, base: a}\n", 2),
        ("incidents: [{at: 2026-01-06T00:00:00Z, rebiuld_all: {trigger: cron}}]\n", 1),
        ("fleet: {bases: x, images: 19999}\n", 1),
        // A billion names are not made to look one up.
        (
            "fleet: {bases: 1, images: 1000000000}\nincidents:\n  - {at: 2026-01-06T00:00:00Z, \
             tamper_attestation: {image: aa}}\n",
            1,
        ),
        (
            "builders: {count: 0}\nincidents:\n  - {at: 2026-01-06T00:00:00Z, distrust_builder: \
             {builder: 0}}\n",
            1,
        ),
        ("policies: [{name: P, preset: pci-critical}]\n", 1),
        ("policies: [{name: p, preset: pci}]\ncustomers: [{name: c, policy: p}]\n", 1),
    ] {
        assert_eq!(all_wrong(more).len(), wrong, "{more}: {:#?}", all_wrong(more));
    }
}

#[test]
fn every_field_can_be_mended_when_it_is_refused() {
    // Whatever is missing or of the wrong kind, reading goes on behind it: the last line is told of.
    let last = "sla: {check: \"*/61 * * * *\"}\n";
    for more in [
        "fleet: 1\n",
        "fleet: {}\n",
        "distribution: []\n",
        "distribution: {releases_per_year: {constant: 1d}}\n",
        "vulnerabilities: {weekdays: [1]}\n",
        "vulnerabilities: {severity: {}}\n",
        "vulnerabilities: {detection_lag: {uniform: {}}}\n",
        "builders: {queue: {priority: [x]}}\n",
        "builders: {back_off: 1h}\n",
        "triggers: {arrivals: [{}]}\n",
        "scanner: {triage: {lognormal: {median: 1}}}\n",
        "policies: [{}]\n",
        "policies: [{name: p, days: 7}]\n",
        "policies: [{name: p, preset: x, calendar: x, clock_start: x, on_reexposure: x}]\n",
        "customers: [{}, 1, null]\n",
        "customers: [{name: c, policy: 1, images: x}]\n",
        "incidents: [{}, {at: x}, {at: 2026-01-06T00:00:00Z, x: 1}]\n",
        "incidents: [{at: 2026-01-06T00:00:00Z, mass_vulnerability: {}}]\n",
        "incidents: [{at: 2026-01-06T00:00:00Z, builder_outage: null, rebuild_all: {}}]\n",
    ] {
        let wrong = all_wrong(&format!("{more}{last}"));
        assert!(wrong.len() > 1, "{more}: {wrong:#?}");
        let said = wrong.last().expect("a problem");
        assert!(said.contains("sla.check"), "{more}: {wrong:#?}");
    }
}

#[test]
fn a_default_is_not_blamed_for_what_is_written() {
    for (more, said) in [
        (
            "distribution: {packages: 20}\n",
            "7:26: distribution.packages: expected at least the 24 packages of `a` with those of its \
             bases, found 20",
        ),
        (
            "distribution: {packages: 50}\nfleet: {bases: 1, images: 1}\n",
            "7:26: distribution.packages: expected at least the 96 packages that an image of the \
             fleet may have, found 50",
        ),
        (
            "distribution: {packages: 50}\nfleet: {bases: 1, images: 1, base_packages: [1, 2]}\n",
            "8:45: fleet.base_packages: expected at most the 50 packages of the distribution, found \
             up to 72 (2 of a base and 70 of its own)",
        ),
        (
            "builders: {back_off: {first: 3d}}\n",
            "7:30: builders.back_off.first: expected at most `max`, 2d by default, found 3d",
        ),
        (
            "  - {name: b, base: a, packages: 390}\n",
            "7:34: images[1].packages: expected at most the 400 packages",
        ),
    ] {
        let found = first_line(more);
        assert!(found.starts_with(&format!("x.yaml:{said}")), "{found}");
    }
    // Eight images by default, and there is one: all of them.
    let more = "policies: [{name: p, preset: pci-critical}]\ncustomers: [{name: c, policy: p}]\n";
    parse("x.yaml", format!("{SMALLEST}{more}").as_bytes()).expect("valid");
}
