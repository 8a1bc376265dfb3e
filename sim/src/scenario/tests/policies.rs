//! What a policy says beside its preset, what null means, and who uses which images.
use super::*;

/// The resolved days of the one policy that is written: critical, high, medium, low.
fn days(policy: &str) -> [Option<u32>; 4] {
    let text = format!("{SMALLEST}policies: [{{name: p, {policy}}}]\n");
    let scenario = parse("x.yaml", text.as_bytes()).unwrap_or_else(|error| panic!("{error}"));
    let streams = crate::random::RandomStreams::new(1);
    let [low, medium, high, critical] =
        crate::catalogue::Catalogue::new(&scenario, streams).policies[0].days;
    [critical, high, medium, low]
}

#[test]
fn days_beside_a_preset_change_the_severities_they_name() {
    // docs/model.md: hardened-vendor is 7 / 14 / 14 / 14, pci-critical 30 / - / - / -.
    let vendor = |days_: &str| days(&format!("preset: hardened-vendor, days: {days_}"));
    assert_eq!(vendor("{critical: 3}"), [Some(3), Some(14), Some(14), Some(14)]);
    assert_eq!(vendor("{}"), [Some(7), Some(14), Some(14), Some(14)]);
    assert_eq!(vendor("{low: null, medium: 30}"), [Some(7), Some(14), Some(30), None]);
    assert_eq!(days("preset: pci-critical, days: {high: 5}"), [Some(30), Some(5), None, None]);
    assert_eq!(days("days: {high: 5, low: null}"), [None, Some(5), None, None]);
    for (policy, said) in [
        (
            "preset: pci-critical, days: {critical: null}",
            "7:50: policies[0].days: expected days for",
        ),
        (
            "days: {}",
            "7:28: policies[0].days: expected days for some severity, found a promise of n",
        ),
        ("days: {low: null}", "7:28: policies[0].days: expected days for some severity"),
        ("preset: null", "7:12: policies[0]: expected a preset, or days for some severity"),
    ] {
        let found = first_line(&format!("policies: [{{name: p, {policy}}}]\n"));
        assert!(found.starts_with(&format!("x.yaml:{said}")), "{found}");
        let hint = refused(&format!("{SMALLEST}policies: [{{name: p, {policy}}}]\n"));
        assert!(hint.first().hint().is_some_and(|hint| hint.contains("`days: {critical: 7}`")));
    }
}

#[test]
fn null_switches_off_what_can_be_switched_off_and_nothing_else() {
    let read = |more: &str| {
        let text = format!("{SMALLEST}{more}");
        parse("x.yaml", text.as_bytes()).unwrap_or_else(|error| panic!("{error}"))
    };
    let clause = |policy: &str| {
        let scenario = read(&format!("policies: [{{name: p, preset: hardened-vendor{policy}}}]\n"));
        let streams = crate::random::RandomStreams::new(1);
        crate::catalogue::Catalogue::new(&scenario, streams).policies[0].exclude_over_permille
    };
    assert_eq!(clause(""), Some(250));
    assert_eq!(clause(", exclude_mass_events_over: null"), None);
    assert_eq!(clause(", exclude_mass_events_over: 40%"), Some(400));
    assert_eq!(read("triggers: {cve_fix: null}\n").triggers.cve_fix, None);
    for word in ["never", "null"] {
        let off = read(&format!(
            "triggers: {{rebuild: {word}}}\nscanner: {{schedule: {word}}}\nsla: {{check: {word}}}\n"
        ));
        assert_eq!((off.triggers.rebuild, off.scanner.schedule, off.sla.check), (None, None, None));
    }
    for (more, field) in [
        ("vulnerabilities: {per_day: null}\n", "vulnerabilities.per_day"),
        ("policies: [{name: p, days: null}]\n", "policies[0].days"),
        ("policies: [{name: p, preset: pci-critical, calendar: null}]\n", "policies[0].calendar"),
        ("policies: [{name: p, preset: pci-critical, clock_start: null}]\n", "policies[0].clock"),
        ("policies: [{name: p, preset: pci-critical, pause_without_fix: null}]\n", "policies[0].p"),
        ("policies: [{name: p, preset: pci-critical, warn_share: null}]\n", "policies[0].warn"),
        ("policies: [{name: p, preset: pci-critical, on_reexposure: null}]\n", "policies[0].on_"),
        ("customers: [{name: c, policy: p, count: null}]\n", "customers[0].count"),
        ("customers: [{name: c, policy: p, tier: null}]\n", "customers[0].tier"),
        ("customers: [{name: c, policy: p, images: null}]\n", "customers[0].images"),
    ] {
        let said = refused(&format!("{SMALLEST}{more}"));
        let of_field = said.all().find(|refusal| refusal.field().starts_with(field));
        let refusal = of_field.unwrap_or_else(|| panic!("{field}: {said}"));
        assert!(refusal.hint().is_some_and(|hint| hint.contains("leave the key out")), "{said}");
    }
}

#[test]
fn customers_name_the_images_they_use() {
    let text = format!(
        "{SMALLEST}  - {{name: b}}\n  - {{name: c}}\nfleet: {{bases: 1, images: 2}}\n\
         policies: [{{name: p, preset: pci-critical}}]\n\
         customers:\n  - {{name: one, policy: p, images: [c, wave-static]}}\n  \
           - {{name: many, count: 3, policy: p, images: [b]}}\n"
    );
    let scenario = parse("x.yaml", text.as_bytes()).unwrap_or_else(|error| panic!("{error}"));
    let Some(CustomerImages::Named(names)) = &scenario.customers[0].images else {
        panic!("names: {:?}", scenario.customers[0].images)
    };
    assert_eq!(names.iter().map(|name| name.as_str()).collect::<Vec<_>>(), ["c", "wave-static"]);
    let said = refused(&text.replace("wave-static", "wave-statik"));
    assert_eq!(said.first().hint(), Some("did you mean `wave-static`?"));
}
