//! Whether a version has a vulnerability has one answer, wherever it is asked: findings, VEX
//! statements and documents, exposure, usage, counts and the answer key of two played worlds are
//! compared for every image, version and CVE at several instants.
//!
//! The answer comes from docs/model.md ("What a finding says"): a version does not change, so what
//! was found on it stays open unless it was judged; that a later version is without it is said of the
//! image.
use crate::demo::{get, signed_in, wait_for};
use crate::support::{Background, data_dir, said, scenario, wavetank};
use reqwest::Client;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::net::TcpListener;
use std::path::{Path, PathBuf};

/// An image and the ordinal of its version.
type Version = (String, i64);

struct World {
    client: Client,
    base: String,
}

fn text(value: &Value, field: &str) -> String {
    value[field].as_str().unwrap_or_else(|| panic!("{field} of {value}")).to_owned()
}

fn number(value: &Value, field: &str) -> i64 {
    value[field].as_i64().unwrap_or_else(|| panic!("{field} of {value}"))
}

fn items(page: &Value) -> &[Value] {
    page["items"].as_array().map_or(&[], Vec::as_slice)
}

impl World {
    async fn get(&self, path: &str) -> Value {
        let text = get(&self.client, &format!("{}{path}", self.base)).await;
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("GET {path}: {error}: {text}"))
    }

    /// The first page of a list as of an instant, with the items of all pages in it.
    async fn list(&self, path: &str, at: &str) -> Value {
        let joint = if path.contains('?') { '&' } else { '?' };
        let path = format!("{path}{joint}as_of={at}&page_size=200");
        let mut page = self.get(&path).await;
        let mut all = items(&page).to_vec();
        let mut next = page["next_page_token"].as_str().map(str::to_owned);
        while let Some(token) = next {
            let more = self.get(&format!("{path}&page_token={token}")).await;
            all.extend_from_slice(items(&more));
            next = more["next_page_token"].as_str().map(str::to_owned);
        }
        page["items"] = all.into();
        page
    }
}

/// All that is said at an instant.
struct Story {
    at: String,
    /// The findings of each version.
    findings: BTreeMap<Version, Vec<Value>>,
    /// Each version as its image lists it, with its page of VEX statements.
    versions: BTreeMap<Version, (Value, Value)>,
    images: Vec<Value>,
    /// Of each customer: what it runs and what it is exposed to.
    customers: Vec<(Value, Value)>,
}

impl Story {
    async fn told(world: &World, at: &str) -> Story {
        let mut findings: BTreeMap<Version, Vec<Value>> = BTreeMap::new();
        for finding in items(&world.list("/v1/findings", at).await) {
            let version = (text(finding, "image"), number(finding, "version"));
            findings.entry(version).or_default().push(finding.clone());
        }
        let images = items(&world.list("/v1/images", at).await).to_vec();
        let mut versions = BTreeMap::new();
        for image in &images {
            let name = text(image, "name");
            for version in items(&world.list(&format!("/v1/images/{name}/versions"), at).await) {
                let ordinal = number(version, "version");
                let path = format!("/v1/images/{name}/vex?version={ordinal}");
                let vex = world.list(&path, at).await;
                versions.insert((name.clone(), ordinal), (version.clone(), vex));
            }
        }
        let mut customers = Vec::new();
        for customer in items(&world.list("/v1/customers", at).await) {
            let path = format!("/v1/customers/{}", text(customer, "tenant_namespace"));
            let usage = world.list(&format!("{path}/usage"), at).await;
            customers.push((usage, world.list(&format!("{path}/exposure"), at).await));
        }
        Story { at: at.to_owned(), findings, versions, images, customers }
    }

    fn of(&self, version: &Version) -> &[Value] {
        self.findings.get(version).map_or(&[], Vec::as_slice)
    }

    /// The CVEs that are open on a version, with their severities.
    fn open(&self, version: &Version) -> BTreeMap<String, String> {
        let open = self.of(version).iter().filter(|finding| finding["status"] == "open");
        open.map(|finding| (text(finding, "cve"), text(finding, "severity"))).collect()
    }

    fn newest(&self, image: &str) -> i64 {
        let of = self.versions.keys().filter(|(name, _)| name == image);
        of.map(|(_, version)| *version).max().unwrap_or_default()
    }

    /// VEX says of a version what its findings say.
    fn vex_agrees(&self) {
        for (version, (_, vex)) in &self.versions {
            let at = &self.at;
            let mut stated: BTreeMap<(String, String), &Value> = BTreeMap::new();
            for statement in items(vex) {
                stated.insert((text(statement, "cve"), text(statement, "package")), statement);
            }
            for finding in self.of(version) {
                let key = (text(finding, "cve"), text(finding, "package"));
                let statement = stated.remove(&key);
                let statement = statement.unwrap_or_else(|| panic!("{at}: no VEX of {finding}"));
                let expected = match finding["status"].as_str() {
                    Some("not_affected") => "not_affected",
                    _ if finding["fixed_version"].is_string() => "affected",
                    _ => "under_investigation",
                };
                assert_eq!(statement["status"], expected, "{at}: {finding} {statement}");
                assert_eq!(statement["justification"], finding["justification"], "{at}: {finding}");
            }
            for ((cve, package), statement) in stated {
                assert_eq!(statement["status"], "fixed", "{at}: {version:?}: {statement}");
                let before = self.findings.range((version.0.clone(), 0)..version.clone());
                let had = before.flat_map(|(_, found)| found).any(|finding| {
                    finding["cve"] == cve
                        && finding["package"] == package
                        && finding["fixed_in_version"] == version.1
                });
                assert!(had, "{at}: {version:?}: none before had it: {statement}");
            }
        }
    }

    /// What is said of the image follows from its versions.
    fn images_agree(&self) {
        let at = &self.at;
        for (version, found) in &self.findings {
            let newest = (version.0.clone(), self.newest(&version.0));
            for finding in found {
                let same = |other: &Value| {
                    other["cve"] == finding["cve"] && other["package"] == finding["package"]
                };
                match finding["image_status"].as_str() {
                    Some("open") => {
                        assert_eq!(finding["status"], "open", "{at}: {finding}");
                        assert!(self.of(&newest).iter().any(same), "{at}: not on it: {finding}");
                    }
                    Some("fixed") => {
                        assert_eq!(finding["status"], "open", "{at}: {finding}");
                        let fixed_in = number(finding, "fixed_in_version");
                        assert!(fixed_in > version.1, "{at}: {finding}");
                        let fixed_in = (version.0.clone(), fixed_in);
                        let (published, _) = &self.versions[&fixed_in];
                        assert_eq!(published["published_at"], finding["fixed_in_at"], "{at}");
                        assert!(!self.of(&fixed_in).iter().any(same), "{at}: it has: {finding}");
                        assert!(!self.of(&newest).iter().any(same), "{at}: back: {finding}");
                    }
                    _ => assert_eq!(finding["status"], "not_affected", "{at}: {finding}"),
                }
            }
        }
    }

    /// Counts are of open findings, each CVE once.
    fn count(&self, version: &Version, counts: &Value, scan: &Value) {
        let at = &self.at;
        let open = self.open(version);
        assert_eq!(counts.is_null(), *scan == "pending", "{at}: {version:?} is {scan}: {counts}");
        for severity in ["critical", "high", "medium", "low"] {
            let found = open.values().filter(|of| *of == severity).count();
            let said = counts[severity].as_u64();
            assert!(counts.is_null() || said == Some(found as u64), "{at}: {version:?} {counts}");
        }
    }

    /// Who runs a version is exposed to what is open on it, and to nothing else.
    fn customers_agree(&self) -> usize {
        let at = &self.at;
        let mut exposures = 0;
        for (usage, exposure) in &self.customers {
            let mut exposed: BTreeMap<Version, BTreeSet<String>> = BTreeMap::new();
            for each in items(exposure) {
                exposures += 1;
                let version = (text(each, "image"), number(each, "version"));
                let newest = (version.0.clone(), self.newest(&version.0));
                let still = self.of(&newest).iter().any(|finding| finding["cve"] == each["cve"]);
                let known = self.versions[&newest].0["scan"] != "pending";
                let free = (newest.1 > version.1 && known && !still).then_some(newest.1);
                assert_eq!(each["fixed_in_version"].as_i64(), free, "{at}: {each}");
                exposed.entry(version).or_default().insert(text(each, "cve"));
            }
            for used in items(usage) {
                let version = (text(used, "image"), number(used, "version"));
                let open: BTreeSet<String> = self.open(&version).into_keys().collect();
                let of = exposed.remove(&version).unwrap_or_default();
                assert_eq!(of, open, "{at}: {version:?} {used}");
                self.count(&version, &used["findings"], &used["scan"]);
                assert_eq!(used["scan"], self.versions[&version].0["scan"], "{at}: {used}");
            }
            assert!(exposed.is_empty(), "{at}: exposed by what it does not run: {exposed:?}");
        }
        for image in self.images.iter().filter(|image| !image["current"].is_null()) {
            let version = (text(image, "name"), number(&image["current"], "version"));
            self.count(&version, &image["open_findings"], &image["current"]["scan"]);
        }
        exposures
    }

    /// What a scan has found is in the answer key, and what the key knows a scan has found as soon as
    /// it could.
    fn key_agrees(&self, key: &Key) -> usize {
        let at = &self.at;
        let mut compared = 0;
        for (version, (listed, _)) in &self.versions {
            let of_version = key.held.get(version).cloned().unwrap_or_default();
            let found: BTreeMap<(String, String), &Value> = self
                .of(version)
                .iter()
                .map(|finding| ((text(finding, "cve"), text(finding, "package")), finding))
                .collect();
            for (of, finding) in &found {
                let held = of_version.get(of);
                let held = held.unwrap_or_else(|| panic!("{at}: not in the key: {finding}"));
                assert!(text(held, "from") <= text(finding, "detected_at"), "{at}: {finding}");
                assert!(finding["detected_at"].as_str() <= listed["scanned_at"].as_str(), "{at}");
                let judged = finding["status"] == "not_affected";
                assert!(!(judged && held["affected"] == true), "{at}: {finding} {held}");
                compared += 1;
            }
            let Some(scanned) = listed["scanned_at"].as_str() else { continue };
            for (of, held) in &of_version {
                let seen = key.detectable[&of.0].as_str() <= scanned;
                assert_eq!(
                    found.contains_key(of),
                    seen,
                    "{at}: {version:?} {of:?} {held} {listed}"
                );
            }
        }
        compared
    }
}

/// The answer key of a world.
struct Key {
    /// What each version truly holds, by CVE and package.
    held: BTreeMap<Version, BTreeMap<(String, String), Value>>,
    /// From when on scanners could see each CVE.
    detectable: BTreeMap<String, String>,
}

impl Key {
    fn of(data: &Path) -> Key {
        let out = data_dir();
        let mut export = wavetank();
        export.args(["export", "--all-versions", "--data-dir"]).arg(data).arg(out.path());
        let written = export.output().expect("the program runs");
        assert!(written.status.success(), "{}", said(&written));
        let key = std::fs::read_to_string(out.path().join("answers.json")).expect("a key");
        let key: Value = serde_json::from_str(&key).expect("JSON");
        let mut held: BTreeMap<Version, BTreeMap<_, _>> = BTreeMap::new();
        for image in key["images"].as_array().expect("images") {
            let version = (text(image, "name"), number(image, "version"));
            let of_version = held.entry(version).or_default();
            for each in image["vulnerabilities"].as_array().expect("vulnerabilities") {
                of_version.insert((text(each, "cve"), text(each, "package")), each.clone());
            }
        }
        let disclosed = key["vulnerabilities"].as_array().expect("vulnerabilities").iter();
        let detectable = disclosed.map(|each| (text(each, "cve"), text(each, "detectable_at")));
        Key { held, detectable: detectable.collect() }
    }
}

/// The signed document of a version says of it what its findings said when it was issued.
async fn documents_agree(world: &World, story: &Story) -> usize {
    let mut compared = 0;
    for ((image, version), (_, vex)) in &story.versions {
        let Some(href) = vex["document_href"].as_str() else { continue };
        let document = world.get(href).await;
        let issued = text(&document, "timestamp");
        let path = format!("/v1/images/{image}/findings?version={version}");
        let page = world.list(&path, &issued).await;
        let expected: BTreeMap<String, bool> = items(&page)
            .iter()
            .map(|finding| (text(finding, "cve"), finding["status"] == "open"))
            .collect();
        let mut stated = BTreeMap::new();
        for statement in document["statements"].as_array().into_iter().flatten() {
            let cve = text(&statement["vulnerability"], "name");
            if cve == "NONE-FOUND" {
                continue;
            }
            match statement["status"].as_str() {
                Some("affected" | "under_investigation") => _ = stated.insert(cve, true),
                Some("not_affected") => _ = stated.insert(cve, false),
                _ => {}
            }
        }
        assert_eq!(stated, expected, "{image} {version} at {issued}");
        compared += stated.len();
    }
    compared
}

/// Plays a world to its end and compares what is said of it at those instants; `least`: how many
/// findings, exposures, statements of documents, and findings that are fixed in a later version.
async fn one_story(file: PathBuf, seed: &str, instants: &[&str], least: [usize; 4]) {
    let port =
        TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a port").port();
    let data = data_dir();
    let mut command = wavetank();
    command.arg("demo").arg(file).args(["--seed", seed]);
    command.args(["--listen", &format!("127.0.0.1:{port}"), "--data-dir"]).arg(data.path());
    let demo = Background::start(command);
    let base = format!("http://127.0.0.1:{port}");
    let client = signed_in(&base, &data.path().join("demo-keys.json")).await;
    wait_for(&client, &format!("{base}/v1/clock"), |clock| clock["mode"] == "live").await;
    let world = World { client, base };
    let mut stories = Vec::new();
    let (mut exposures, mut documents, mut fixed) = (0, 0, 0);
    for at in instants {
        let story = Story::told(&world, at).await;
        story.vex_agrees();
        story.images_agree();
        exposures += story.customers_agree();
        documents += documents_agree(&world, &story).await;
        let all = story.findings.values().flatten();
        fixed += all.filter(|finding| finding["image_status"] == "fixed").count();
        stories.push(story);
    }
    assert!(demo.stop(), "the demo stops when it is asked to");
    let key = Key::of(data.path());
    let compared: usize = stories.iter().map(|story| story.key_agrees(&key)).sum();
    let counts = [compared, exposures, documents, fixed];
    let enough = counts.iter().zip(least).all(|(count, least)| *count >= least);
    assert!(enough, "findings, exposures, statements, fixed ones: {counts:?}, not {least:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_classroom_tells_one_story() {
    let instants = [
        "2026-01-05T00:00:00Z",
        "2026-01-06T03:17:00Z",
        "2026-01-07T12:00:00Z",
        "2026-01-09T08:00:00Z",
        "2026-01-11T21:30:00Z",
    ];
    one_story(scenario("classroom"), "11", &instants, [50, 10, 20, 10]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_small_world_tells_one_story() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/upgrade/scenario.yaml");
    let instants = ["2026-01-06T05:59:00Z", "2026-01-07T18:00:00Z", "2026-01-09T12:00:00Z"];
    one_story(file, "7351", &instants, [20, 2, 20, 10]).await;
}
