//! The review against closed forms and counts worked out by hand.
use super::Review;
use crate::scenario::parse;

fn review(text: &str) -> Review {
    Review::of(&parse("x.yaml", text.as_bytes()).unwrap_or_else(|error| panic!("{error}")))
}

const HEAD: &str = "name: x\ntitle: X\nstart: 2026-01-05T00:00:00Z\nduration: 7d\n";

#[test]
fn the_load_of_enterprise_quarter_is_what_its_comments_say() {
    let load = review(include_str!("../../../../scenarios/enterprise-quarter.yaml")).load;
    let near = |found: f64, expected: f64, within: f64| {
        assert!((found - expected).abs() <= within, "{found} is not {expected}");
    };
    // 6 min x exp(0.9^2 / 2) = 8.996 min; 1 + 0.02 + 0.0004 attempts.
    near(load.attempt_minutes, 8.996, 0.001);
    near(load.attempts, 1.0204, 1e-9);
    near(load.rebuilds_per_day, 1_000.0, 1e-9);
    near(load.needed_hours_per_day, 153.0, 0.5);
    near(load.pool_hours_per_day, 576.0, 1e-9);
    near(load.share, 0.27, 0.005);
    near(load.rebuild_hours, 6.4, 0.05);
}

#[test]
fn streams_and_rare_and_frequent_schedules_are_in_the_load() {
    let with = |triggers: &str| {
        review(&format!(
            "{HEAD}images: [{{name: a}}]\nbuilders: {{count: 2, flake: 0, duration: {{constant: \
             30m}}}}\ntriggers: {triggers}\n"
        ))
        .load
    };
    let streams = "{arrivals: [{trigger: manual, gap: {constant: 2h}}, {trigger: manual, gap: \
                   {uniform: {min: 1h, max: 3h}}}]}";
    let load = with(streams);
    assert_eq!((load.arrivals_per_day, load.needed_hours_per_day), (24.0, 12.0));
    assert_eq!(load.share, 0.25);
    assert_eq!(with("{rebuild: 0 2 * * 2}").rebuilds_per_day, 1.0 / 7.0);
    assert_eq!(with("{rebuild: '*/30 * * * * *'}").rebuilds_per_day, 2_880.0);
    assert_eq!(with("{rebuild: 0 0 29 2 *}").rebuilds_per_day, 2.0 / 2_922.0);
    assert_eq!(with("{rebuild: never}").rebuilds_per_day, 0.0);
}

#[test]
fn the_next_three_firings_have_their_weekday() {
    let schedules = review(&format!(
        "{HEAD}images: [{{name: a}}]\ntriggers: {{rebuild: 30 6 * * 1-5}}\nsla: {{check: never}}\n"
    ))
    .schedules;
    let told: Vec<_> = schedules[0].next.iter().map(|f| (&*f.at, &*f.weekday)).collect();
    let expected = [
        ("2026-01-05T06:30:00Z", "Monday"),
        ("2026-01-06T06:30:00Z", "Tuesday"),
        ("2026-01-07T06:30:00Z", "Wednesday"),
    ];
    assert_eq!(told, expected);
    assert_eq!(schedules[1].schedule.as_deref(), Some("0 */4 * * *"));
    assert_eq!((schedules[2].schedule.as_deref(), schedules[2].next.len()), (None, 0));
}

#[test]
fn what_cannot_work_is_warned_of() {
    let fields = |more: &str| -> Vec<String> {
        let review = review(&format!("{HEAD}{more}"));
        review.warnings.into_iter().map(|warning| warning.field).collect()
    };
    const POLICY: &str = "policies: [{name: p, days: {high: 7}}]\n";
    const ONE: &str = "images: [{name: a}]\ncustomers: [{name: c, policy: p}]\n";
    assert_eq!(fields(&format!("{ONE}{POLICY}")), [""; 0]);
    for (more, field) in [
        ("triggers: {rebuild: '* * * * *'}\nbuilders: {count: 1}\n", "builders.count"),
        ("triggers: {cve_fix: null}\n", "triggers"),
        ("scanner: {schedule: never}\n", "scanner.schedule"),
        ("sla: {check: null}\n", "sla.check"),
        ("distribution: {identity: wolfi}\n", "distribution.identity"),
        ("distribution: {identity: wavetank}\n", "distribution.identity"),
    ] {
        assert_eq!(fields(&format!("{ONE}{POLICY}{more}")), [field], "{more}");
    }
    assert_eq!(fields(&format!("images: [{{name: a}}]\n{POLICY}")), ["policies[0]"]);
}

/// Ten images; what the two that stand on nothing hold: `root` is on eight images, `lone` on one.
/// `root` has 10 packages, each of the seven on it adds 4, `lone` and `other` have 6. They are drawn
/// from 20,000 packages, so hardly any is drawn twice.
#[test]
fn a_clause_that_takes_out_most_of_a_small_fleet_is_warned_of() {
    let mut text = format!(
        "{HEAD}distribution: {{packages: 20000, end_of_life: 0}}\nimages:\n  \
         - {{name: root, packages: 10}}\n  - {{name: lone, packages: 6}}\n  \
         - {{name: other, packages: 6}}\n"
    );
    for n in 0..7 {
        text.push_str(&format!("  - {{name: leaf-{n}, base: root, packages: 4}}\n"));
    }
    text.push_str(
        "policies:\n  - {name: clause, preset: hardened-vendor}\n  \
         - {name: none, preset: hardened-vendor, exclude_mass_events_over: null}\n  \
         - {name: all, preset: hardened-vendor, exclude_mass_events_over: 80%}\n\
         customers:\n  - {name: a, policy: clause}\n  - {name: b, policy: none}\n  \
         - {name: c, policy: all}\n",
    );
    let review = review(&text);
    let warned: Vec<&str> = review.warnings.iter().map(|warning| &*warning.field).collect();
    assert_eq!(warned, ["policies[0].exclude_mass_events_over"], "{:?}", review.warnings);
    // 8 x 10 pairs are of packages on eight of ten images, of 8 x 10 + 7 x 4 + 6 + 6 = 120.
    let share = review.policies[0].excluded_share.expect("a clause");
    assert!((share - 80.0 / 120.0).abs() < 0.02, "{share}");
    assert!(
        review.warnings[0].text.contains("67 % of what can be found on this fleet of 10 images")
    );
    assert_eq!(review.policies[1].excluded_share, None);
    // Exactly 80 % of the images is not more than 80 %.
    assert_eq!(review.policies[2].excluded_share, Some(0.0));
}

#[test]
fn the_seed_of_a_review_is_text() {
    let review = review(&format!("{HEAD}images: [{{name: a}}]\nseed: 18446744073709551615\n"));
    let json = serde_json::to_value(&review).expect("JSON");
    assert_eq!(json["seed"], "18446744073709551615");
}
