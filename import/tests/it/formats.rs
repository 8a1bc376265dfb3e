//! Each format is told by its content and read for what it holds; what it leaves open stays
//! unknown.
use crate::support::{Played, days, play};
use import::fit::Parameter;
use import::report::{Input, Report, Source};
use import::{Importer, Options};
use sim::scenario::Scenario;

const WORLD: &str = "name: world\ntitle: A world\nstart: 2025-01-06T00:00:00Z\nduration: 200d\n\
    distribution: {packages: 300, end_of_life: 0}\n\
    vulnerabilities:\n  per_day: 2\n  detection_lag: {uniform: {min: 20h, max: 70h}}\n  \
    package_fix: {lognormal: {median: 4d, sigma: 0.8}}\n  fixed_at_disclosure: 1\n  \
    single_package: 1\n\
    images:\n  - {name: base, packages: 60}\n  - {name: web, base: base, packages: 80}\n  \
    - {name: api, base: base, packages: 70}\n  - {name: job, base: api, packages: 60}\n\
    builders: {breakage: 0}\n";

fn import(files: &[(String, String)], options: &Options) -> (Scenario, Report) {
    let mut importer = Importer::default();
    for (name, text) in files {
        importer.add(name, text.as_bytes()).unwrap_or_else(|error| panic!("{error}"));
    }
    let outcome = importer.finish(options).unwrap_or_else(|error| panic!("{error}"));
    let scenario = sim::scenario::parse("scenario", outcome.scenario.as_bytes());
    (scenario.unwrap_or_else(|error| panic!("{error}\n{}", outcome.scenario)), outcome.report)
}

fn options(played: &Played) -> Options {
    Options {
        since_ms: Some(played.end_ms() - days(200)),
        until_ms: Some(played.end_ms()),
        futures: 0,
        ..Options::default()
    }
}

fn input<'a>(report: &'a Report, field: &str) -> &'a Input {
    report.inputs.iter().find(|input| input.field == field).expect(field)
}

fn covers(report: &Report, field: &str, truth: &[(&str, f64)]) {
    let input = input(report, field);
    assert_eq!(input.source, Source::Fitted, "{field}");
    for (name, value) in truth {
        let found: Option<&Parameter> = input.parameters.iter().find(|p| p.name == *name);
        assert!(found.is_some_and(|p| p.contains(*value)), "{field} {name} {value}: {input:#?}");
    }
}

fn named(name: &str, text: String) -> (String, String) {
    (name.to_owned(), text)
}

#[test]
fn inventories_give_images_their_packages_and_their_lineage() {
    let played = play(WORLD, 1);
    let (scenario, report) = import(&played.sboms(), &options(&played));
    let distinct: std::collections::BTreeSet<u32> =
        played.images.iter().flat_map(|image| image.contents.clone()).collect();
    assert_eq!(scenario.distribution.packages as usize, distinct.len());
    assert_eq!(scenario.images.len(), 4);
    for image in &played.images {
        let name = format!("team-{}", image.name);
        let found = scenario.images.iter().find(|it| it.name.value.as_str() == name).expect("it");
        assert_eq!(found.packages, image.own, "{name}");
        let base = found.base.as_ref().map(|base| base.value.as_str().to_owned());
        assert_eq!(base, image.base.as_ref().map(|base| format!("team-{base}")), "{name}");
    }
    assert!(
        input(&report, "images").value.contains("3 with a base (0 by annotation, 3 by layers)")
    );
    // Nothing was said of CVEs: the defaults stay, and are no zeros.
    assert_eq!(input(&report, "vulnerabilities.per_day").source, Source::Default);
    assert!(scenario.vulnerabilities.per_day.is_none());
}

#[test]
fn osv_records_beside_inventories_count_where_they_hit() {
    // Of seed 2, the interval of a build's sigma (0.956) is one of the twenty that miss.
    let played = play(WORLD, 7);
    let mut files = played.sboms();
    files.push(named("osv.json", played.osv()));
    files.push(named("builds.csv", played.build_table()));
    let (_, report) = import(&files, &options(&played));
    let known: std::collections::BTreeSet<u32> =
        played.images.iter().flat_map(|image| image.contents.clone()).collect();
    let hit = played.advisories.iter().filter(|it| it.packages.keys().any(|p| known.contains(p)));
    assert_eq!(input(&report, "vulnerabilities.per_day").data, hit.count() as u64);
    covers(&report, "vulnerabilities.package_fix", &[("median", 96.0), ("sigma", 0.8)]);
    covers(&report, "builders.duration", &[("median", 0.1), ("sigma", 0.9)]);
}

#[test]
fn dependency_track_tells_detection_within_the_time_between_two_scans() {
    let played = play(WORLD, 3);
    let files = [named("findings.json", played.dependency_track())];
    let options = Options { scan_every_ms: Some(4 * 3_600_000), ..options(&played) };
    let (_, report) = import(&files, &options);
    covers(&report, "vulnerabilities.detection_lag", &[("min", 20.0), ("max", 70.0)]);
    assert!(input(&report, "vulnerabilities.detection_lag").between > 20);
    // It drops what is gone, so that it says nothing of fixes.
    assert_eq!(input(&report, "vulnerabilities.package_fix").source, Source::Default);
}

#[test]
fn a_series_of_trivy_reports_tells_when_things_came_and_went() {
    let played = play(WORLD, 4);
    let reports = played.trivy();
    let files: Vec<(String, String)> =
        reports.into_iter().enumerate().map(|(n, it)| named(&format!("{n}.json"), it)).collect();
    let (_, report) = import(&files, &options(&played));
    covers(&report, "vulnerabilities.detection_lag", &[("min", 20.0), ("max", 70.0)]);
    let fixes = input(&report, "vulnerabilities.package_fix");
    assert!(fixes.between > 100 && fixes.assumed.iter().any(|it| it.contains("upper limit")));
}

#[test]
fn defect_dojo_has_dates_without_a_time_of_day() {
    let played = play(WORLD, 5);
    let (_, report) = import(&[named("dojo.json", played.defect_dojo())], &options(&played));
    covers(&report, "vulnerabilities.detection_lag", &[("min", 20.0), ("max", 70.0)]);
    // Those of the last days are left out.
    let of = played.advisories.iter().filter(|it| it.published.0 < played.end_ms() - days(6));
    assert!(input(&report, "vulnerabilities.detection_lag").data >= of.count() as u64);
}

#[test]
fn spdx_documents_of_both_versions_name_the_base() {
    let two = |name: &str, base: &str, extra: &str| {
        format!(
            r#"{{"spdxVersion":"SPDX-2.3","name":"{name}","creationInfo":{{"created":"2026-01-05T00:00:00Z"}},
            "documentDescribes":["SPDXRef-image"],"packages":[
            {{"SPDXID":"SPDXRef-image","name":"registry.example/{name}:1"}},
            {{"SPDXID":"SPDXRef-zlib","name":"zlib","externalRefs":[{{"referenceCategory":"PACKAGE-MANAGER",
              "referenceType":"purl","referenceLocator":"pkg:apk/wolfi/zlib@1.3-r0?arch=x86_64"}}]}}{extra}],
            "relationships":[{{"spdxElementId":"SPDXRef-image","relationshipType":"DESCENDANT_OF",
              "relatedSpdxElement":"{base}"}}]}}"#
        )
    };
    let base = two("base", "NONE", "");
    let more = r#",{"SPDXID":"SPDXRef-base","name":"registry.example/base"},{"SPDXID":"SPDXRef-curl","name":"curl"}"#;
    let web = two("web", "SPDXRef-base", more);
    let three = r#"{"@context":"https://spdx.org/rdf/3.0.1/spdx-context.jsonld","@graph":[
        {"type":"CreationInfo","@id":"_:c","created":"2026-01-05T00:00:00Z"},
        {"type":"SpdxDocument","spdxId":"u:doc","rootElement":["u:job"]},
        {"type":"software_Package","spdxId":"u:job","name":"job","software_primaryPurpose":"container"},
        {"type":"software_Package","spdxId":"u:web","name":"web","software_primaryPurpose":"container"},
        {"type":"software_Package","spdxId":"u:z","name":"zlib","software_packageUrl":"pkg:apk/wolfi/zlib@1.3"},
        {"type":"software_Package","spdxId":"u:q","name":"jq","software_packageUrl":"pkg:apk/wolfi/jq@1.7"},
        {"type":"software_Package","spdxId":"u:k","name":"curl"},
        {"type":"Relationship","spdxId":"u:r","from":"u:job","to":["u:web"],"relationshipType":"descendantOf"}]}"#;
    let files =
        [named("base.json", base), named("web.json", web), named("job.json", three.to_owned())];
    let (scenario, _) = import(&files, &Options { futures: 0, ..Options::default() });
    let shown: Vec<(String, Option<String>, u32)> = scenario
        .images
        .iter()
        .map(|it| {
            let base = it.base.as_ref().map(|base| base.value.as_str().to_owned());
            (it.name.value.as_str().to_owned(), base, it.packages)
        })
        .collect();
    let image = |name: &str, base: Option<&str>| (name.to_owned(), base.map(str::to_owned), 1);
    assert_eq!(shown, [image("base", None), image("web", Some("base")), image("job", Some("web"))]);
    assert_eq!(scenario.distribution.packages, 3);
}

#[test]
fn order_of_files_does_not_matter() {
    let played = play(WORLD, 6);
    let mut files = played.sboms();
    files.push(named("cves.csv", played.cve_table()));
    files.push(named("builds.csv", played.build_table()));
    let one = import(&files, &options(&played)).1;
    files.reverse();
    let other = import(&files, &options(&played)).1;
    assert_eq!(one.inputs, other.inputs);
}
