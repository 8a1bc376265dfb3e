//! Bad studies: each is refused at once, with file, line, column, field, what was expected and found,
//! and what helps.
#[path = "support/studies.rs"]
mod studies;

/// Three lines of every study here.
const HEAD: &str = "name: s\ntitle: S\nscenario: classroom\n";
const ARM: &str = "arms: [{name: a}]\n";

const BROKEN: &str = "name: broken\ntitle: Broken\nstart: 2026-01-05T00:00:00Z\nduration: 7d\n\
    images:\n  - {name: a, base: b}\n  - {name: b, base: a}\n";

fn refused(text: &str) -> String {
    match studies::ready(text, &[("broken", BROKEN)]) {
        Ok(_) => panic!("it was accepted:\n{text}"),
        Err(said) => said,
    }
}

/// What follows [`HEAD`], and parts of what it is refused with, the first at the beginning.
fn all_refused(cases: &[(&str, &[&str])]) {
    for (rest, expected) in cases {
        let text = format!("{HEAD}{rest}");
        let said = refused(&text);
        assert!(said.starts_with(expected[0]), "{rest}\nwas refused with\n{said}");
        for part in &expected[1..] {
            assert!(said.contains(part), "{rest}\nwas refused with\n{said}\nwithout {part}");
        }
        assert!(said.len() < 2_000, "{rest}\nwas refused with {} bytes", said.len());
    }
}

#[test]
fn too_many_replications() {
    let grid = "grid: {builders.count: [1, 2, 3, 4, 5, 6, 7, 8]}\nreplications: 100000\n";
    all_refused(&[
        (
            &format!("{ARM}replications: 1000000000\n"),
            &["study.yaml:5:15: replications: expected a number from 1 to 100000"],
        ),
        (
            &format!("{ARM}replications: 0\n"),
            &["study.yaml:5:15: replications: expected a number from 1 to 100000"],
        ),
        (
            &format!("{ARM}replications: -1\n"),
            &["study.yaml:5:15: replications: expected a whole number"],
        ),
        (
            &format!(
                "{ARM}precision: {{of: {{measure: violations}}, within: 5%, budget: 1000000000}}\n"
            ),
            &["study.yaml:5:60: precision.budget: expected a number from 10 to 100000"],
        ),
        (
            grid,
            &[
                "study.yaml:5:15: replications: expected at most 100000 replications of all arms",
                "found 8 arms of 100000",
                "hint: the interval narrows with the square root",
            ],
        ),
    ]);
}

#[test]
fn too_many_arms() {
    // 10^6 arms, and more than a number holds: nothing is made of them.
    let grid = |paths: usize, values: usize| {
        let values = (1..=values).map(|n| n.to_string()).collect::<Vec<_>>().join(", ");
        let path = |n: usize| format!("  images[{n}].packages: [{values}]\n");
        format!("grid:\n{}", (0..paths).map(path).collect::<String>())
    };
    let many: String = (0..65).map(|n| format!("  - {{name: a{n}}}\n")).collect();
    all_refused(&[
        (
            &grid(6, 10),
            &[
                "study.yaml:5:3: grid: expected at most 64 arms, found 1000000",
                "hint: fewer values",
            ],
        ),
        (&grid(8, 1000), &["study.yaml:5:3: grid: expected at most 64 arms"]),
        (&grid(9, 2), &["study.yaml:5:3: grid: expected at most 8"]),
        (&format!("arms:\n{many}"), &["study.yaml:5:3: arms: expected a number of arms up to 64"]),
        (
            "grid: {builders.count: 3}\n",
            &["study.yaml:4:24: grid.builders.count: expected a list of values"],
        ),
        (
            "grid: {builders.count: []}\n",
            &["study.yaml:4:24: grid.builders.count: expected a list of values"],
        ),
        (
            "",
            &["study.yaml:1:1: arms: expected at least one arm, or a grid", "hint: an arm without"],
        ),
    ]);
}

#[test]
fn scenarios_that_cannot_run() {
    let nowhere = refused("name: s\ntitle: S\nscenario: nowhere\narms: [{name: a}]\n");
    assert!(nowhere.starts_with("study.yaml:3:11: scenario: expected a scenario"), "{nowhere}");
    let broken = refused("name: s\ntitle: S\nscenario: broken\narms: [{name: a}]\n");
    assert!(broken.starts_with("broken.yaml:6:"), "{broken}");
    let friday = "name: s\ntitle: S\nscenario: friday-night\nhorizon: 2d\narms: [{name: a}]\n";
    let friday = refused(friday);
    assert!(friday.starts_with("study.yaml:4:10: horizon: incidents[0].at: expected"), "{friday}");
    all_refused(&[
        (
            "arms: [{name: a, scenario: nowhere}]\n",
            &["study.yaml:4:28: arms[0].scenario: expected a scenario, found `nowhere`"],
        ),
        (
            "arms: [{name: a, set: {builders.count: 0}}]\n",
            &[
                "study.yaml:4:40: arms[0].set.builders.count: builders.count: expected a number from 1",
            ],
        ),
        (
            "arms: [{name: a, set: {triggers.rebuild: 0 0 30 2 *}}]\n",
            &["study.yaml:4:42: arms[0].set.triggers.rebuild: triggers.rebuild: expected", "never"],
        ),
        (
            "arms: [{name: a, set: {builders.count: many}}]\n",
            &["study.yaml:4:40: arms[0].set.builders.count: builders.count: expected a", "`many`"],
        ),
        ("arms: [{name: a, set: {images: []}}]\n", &["study.yaml:4:32: arms[0].set.images: "]),
    ]);
}

#[test]
fn times_that_do_not_fit() {
    let times = |times: &str| format!("{times}{ARM}");
    all_refused(&[
        (
            &times("warm_up: 30d\n"),
            &[
                "study.yaml:4:10: warm_up: expected a warm-up shorter than the horizon, found 30.00 d \
                 of 7.00 d",
                "hint: figures begin after the warm-up",
            ],
        ),
        (
            &times("horizon: 3d\nwarm_up: 3d\n"),
            &["study.yaml:5:10: warm_up: expected a warm-up shorter"],
        ),
        (
            &times("horizon: 30m\n"),
            &["study.yaml:4:10: horizon: expected a horizon of 1h to 3650d"],
        ),
        (
            &times("horizon: 4000d\n"),
            &["study.yaml:4:10: horizon: expected a horizon of 1h to 3650d"],
        ),
        (&times("horizon: -7d\n"), &["study.yaml:4:10: horizon: expected"]),
        (&times("warm_up: soon\n"), &["study.yaml:4:10: warm_up: expected"]),
        (
            "arms: [{name: a, set: {duration: 3d}}]\n",
            &[
                "study.yaml:4:34: arms[0].set.duration: expected settings without `duration`",
                "hint: the study's `horizon`",
            ],
        ),
        (
            "grid: {seed: [1, 2]}\n",
            &["study.yaml:4:14: grid.seed: expected settings without `seed`", "hint: the study's"],
        ),
    ]);
}

#[test]
fn paths_and_names_that_are_not_there() {
    let question = |question: &str| format!("{ARM}questions: [{question}]\n");
    all_refused(&[
        (
            "arms: [{name: a, set: {builder.count: 3}}]\n",
            &["study.yaml:4:39: arms[0].set.builder.count: ", "did you mean `builders`?"],
        ),
        (
            "arms: [{name: a, set: {builders.cuont: 3}}]\n",
            &["study.yaml:4:40: arms[0].set.builders.cuont: ", "did you mean `count`?"],
        ),
        (
            "arms: [{name: a, set: {'policies[strct].days.critical': 3}}]\n",
            &["study.yaml:4:57: arms[0].set.policies[strct]", "did you mean `strict`?"],
        ),
        (
            "arms: [{name: a, set: {'images[8].packages': 3}}]\n",
            &["study.yaml:4:46: arms[0].set.images[8]", "found `8`", "hint: there are foundation"],
        ),
        (
            "arms: [{name: a, set: {builders..count: 3}}]\n",
            &["study.yaml:4:41: arms[0].set.builders..count: expected a path", "hint: keys are"],
        ),
        (
            "grid: {builders.cuont: [1, 2]}\n",
            &["study.yaml:4:24: grid.builders.cuont: ", "did you mean `count`?"],
        ),
        (
            &question("{smallest_sla: {kept: 95%, arm: b}}"),
            &[
                "study.yaml:5:45: questions[0].smallest_sla.arm: expected the name of an arm",
                "hint:",
            ],
        ),
        (
            &question("{better: {arm: a, than: aa, in: {measure: violations}}}"),
            &["study.yaml:5:37: questions[0].better.than: expected the name of an arm", "hint:"],
        ),
        (
            &question("{smallest_sla: {kept: 95%, tier: bnak}}"),
            &["study.yaml:5:46: questions[0].smallest_sla.tier: ", "did you mean `bank`?"],
        ),
        (
            &format!("{ARM}precision: {{of: {{measure: kept, tier: gold}}, within: 5%}}\n"),
            &["study.yaml:5:39: precision.of.tier: expected a tier", "hint: the tiers are bank"],
        ),
        (
            &format!("{ARM}uncertain: {{of: {{measure: kept, tier: gold}}, assumptions: true}}\n"),
            &["study.yaml:5:39: uncertain.of.tier: expected a tier", "hint: the tiers are bank"],
        ),
        (
            &format!("{ARM}repliactions: 3\n"),
            &["study.yaml:5:1: expected a known key", "did you mean `replications`?"],
        ),
    ]);
}

#[test]
fn arms_that_are_equal() {
    all_refused(&[
        (
            "arms: [{name: a}, {name: b, set: {builders.count: 1}}]\n",
            &[
                "study.yaml:4:19: arms[1]: expected an arm that differs from all others, found `b`, \
                 equal to `a`",
                "hint: every setting of it is that of the scenario already",
            ],
        ),
        (
            "arms: [{name: a}, {name: a, set: {builders.count: 2}}]\n",
            &["study.yaml:4:26: arms[1].name: expected each name once, found `a` a second time"],
        ),
        (
            "arms: [{name: two, set: {builders.count: 2}}]\ngrid: {builders.count: [1, 2]}\n",
            &["study.yaml:5:7: grid: expected an arm that differs", "equal to `two`"],
        ),
        (
            "grid: {builders.count: [1, 1]}\n",
            &["study.yaml:4:7: grid: expected", "`builders.count=1`"],
        ),
    ]);
}

#[test]
fn numbers_that_cannot_be() {
    let more = |more: &str| format!("{ARM}{more}\n");
    all_refused(&[
        (
            &more("confidence: 0"),
            &["study.yaml:5:13: confidence: expected a share between 0 and 1"],
        ),
        (
            &more("confidence: 100%"),
            &["study.yaml:5:13: confidence: expected a share between 0 and 1"],
        ),
        (&more("confidence: .nan"), &["study.yaml:5:13: confidence: expected"]),
        (&more("seed: 18446744073709551615"), &["study.yaml:5:7: seed: expected"]),
        (&more("seed: -1"), &["study.yaml:5:7: seed: expected"]),
        (
            &more("costs: {currency: EUR, builder_hour: -1}"),
            &["study.yaml:5:38: costs.builder_hour: expected"],
        ),
        (
            &more("costs: {currency: EUR, builder_hour: .inf}"),
            &["study.yaml:5:38: costs.builder_hour: expected"],
        ),
        (
            &more("precision: {of: {measure: violations}, within: 0}"),
            &["study.yaml:5:48: precision.within: expected a share above 0 and below 1"],
        ),
        (
            &more("replications: 3\nprecision: {of: {measure: violations}, within: 5%}"),
            &["study.yaml:5:15: replications: expected either", "hint: a precision has a `budget`"],
        ),
        (
            &more("precision: {of: {measure: cost}, within: 5%}"),
            &["study.yaml:5:27: precision.of.measure: expected a study with `costs`"],
        ),
        (
            &more("questions: [{fewest_builders: {where: {of: {measure: builds}}}}]"),
            &["study.yaml:5:39: questions[0].fewest_builders.where: expected either at_most or"],
        ),
        (
            &more("questions: [{smallest_sla: {kept: 100%}}]"),
            &[
                "study.yaml:5:35: questions[0].smallest_sla.kept: expected a share",
                "hint: no number",
            ],
        ),
        (
            &more("uncertain: {inputs: [{path: builders.flake, is: {one_of: [1%]}}]}"),
            &["study.yaml:5:49: uncertain.inputs[0].is: expected at least two values"],
        ),
        (
            &more("uncertain: {inputs: [{path: builders.flaek, is: {one_of: [1%, 2%]}}]}"),
            &["study.yaml:5:22: uncertain.inputs[0]: ", "did you mean `flake`?"],
        ),
        (
            &more("uncertain: {inputs: [{path: builders.count, is: {uniform: {min: 0, max: 4}}}]}"),
            &["study.yaml:5:22: uncertain.inputs[0]: builders.count: expected a number from 1"],
        ),
        (
            &more("uncertain: {inputs: [{path: seed, is: {one_of: [1, 2]}}]}"),
            &[
                "study.yaml:5:29: uncertain.inputs[0].path: expected settings without `seed`",
                "hint:",
            ],
        ),
        (
            "grid: {builders.count: [1, 2, 3]}\nuncertain: {assumptions: true, draws: 1000}\n",
            &["study.yaml:5:12: uncertain: expected at most 2000 scenarios in all", "hint: fewer"],
        ),
    ]);
}

#[test]
fn texts_that_would_steer_a_terminal() {
    let long = "x".repeat(101);
    all_refused(&[
        (
            "arms: [{name: \"a\\e[31m\"}]\n",
            &["study.yaml:4:15: arms[0].name: expected one line of text"],
        ),
        (
            "arms: [{name: \"a\\nb\"}]\n",
            &["study.yaml:4:15: arms[0].name: expected one line of text"],
        ),
        (
            "arms: [{name: \"a\\u202Eb\"}]\n",
            &["study.yaml:4:15: arms[0].name: expected one line of text"],
        ),
        ("arms: [{name: ' '}]\n", &["study.yaml:4:15: arms[0].name: expected a name"]),
        ("arms: [{name: ''}]\n", &["study.yaml:4:15: arms[0].name: expected"]),
        (&format!("arms: [{{name: {long}}}]\n"), &["study.yaml:4:15: arms[0].name: expected"]),
        (
            &format!("{ARM}costs: {{currency: \"E\\tR\"}}\n"),
            &["study.yaml:5:19: costs.currency: expected one line of text"],
        ),
    ]);
    let title = refused(&format!("name: s\ntitle: \"S\\e[2J\"\nscenario: classroom\n{ARM}"));
    assert!(title.starts_with("study.yaml:2:8: title: expected one line of text"), "{title}");
    // What is shown of a bad text is harmless as well.
    let shown = refused("name: s\ntitle: S\nscenario: \"\\e[2J\\u0007\"\narms: [{name: a}]\n");
    assert!(!shown.contains(['\u{1b}', '\u{7}']), "{shown:?}");
}

#[test]
fn files_that_are_no_studies() {
    let mut bomb = "a: &a [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for (name, of) in ["b", "c", "d", "e", "f", "g", "h"].iter().zip("abcdefg".chars()) {
        bomb.push_str(&format!("{name}: &{name} [*{of}, *{of}, *{of}, *{of}, *{of}, *{of}]\n"));
    }
    let grid = format!("{HEAD}grid: {{builders.count: &a [1, 2]}}\nx: &b [*a, *a, *a, *a]\n");
    let binary = "name: s\u{0}\n";
    let twice = format!("{HEAD}{ARM}{ARM}");
    for (text, expected) in [
        ("", "empty"),
        ("- a\n- b\n", "study"),
        (&bomb, "study.yaml"),
        (&grid, "study.yaml:5:1"),
        (&"[".repeat(2 << 20), "study.yaml: "),
        (&"[".repeat(5_000), "levels of nesting"),
        (binary, "study.yaml:1"),
        (&twice, "study.yaml:5:1"),
    ] {
        let said = refused(text);
        assert!(said.contains(expected), "{:.60}\nwas refused with\n{said}", text);
        assert!(said.len() < 2_000, "{:.60}\nwas refused with {} bytes", text, said.len());
    }
}
