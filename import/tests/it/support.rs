//! A world played by the kernel and written out as people's tools would export it.
use sim::World;
use sim::fact::{BuildResult, Fact, FactKind, Outcome, UsageMode};
use sim::scenario::parse;
use sim::time::{DAY_MS, SimTime};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::sync::Arc;

/// An advisory of a world, with all that came of it.
pub(crate) struct Advisory {
    pub(crate) cve: String,
    pub(crate) severity: String,
    pub(crate) published: SimTime,
    pub(crate) detectable: SimTime,
    pub(crate) exploited: bool,
    pub(crate) fix_available: Option<SimTime>,
    pub(crate) packages: BTreeMap<u32, Option<SimTime>>,
}

/// An image at the beginning.
pub(crate) struct ImageExport {
    pub(crate) name: String,
    pub(crate) base: Option<String>,
    pub(crate) contents: Vec<u32>,
    pub(crate) own: u32,
}

/// What a world leaves behind.
#[derive(Default)]
pub(crate) struct Played {
    pub(crate) start: SimTime,
    pub(crate) end: SimTime,
    pub(crate) advisories: Vec<Advisory>,
    /// Image, builder, start, end, result.
    pub(crate) builds: Vec<(u32, u32, SimTime, Option<SimTime>, &'static str)>,
    /// Customer, image, available, adopted.
    pub(crate) adoptions: Vec<(u32, u32, SimTime, Option<SimTime>)>,
    /// Images at the beginning.
    pub(crate) images: Vec<ImageExport>,
    /// Advisory, image, found.
    pub(crate) found: Vec<(usize, u32, SimTime)>,
}

/// What is kept while a world plays.
#[derive(Default)]
struct Watch {
    played: Played,
    names: Vec<(String, Option<u32>)>,
    /// By build: its attempt among the exported ones.
    running: BTreeMap<u64, usize>,
    /// By image: its version.
    current: BTreeMap<u32, u32>,
    /// Customers and images that follow a tag.
    uses: BTreeSet<(u32, u32)>,
    /// Since when there is something newer for them.
    waiting: BTreeMap<(u32, u32), SimTime>,
}

/// Plays a scenario.
pub(crate) fn play(yaml: &str, seed: u64) -> Played {
    let scenario = parse("world", yaml.as_bytes()).unwrap_or_else(|error| panic!("{error}"));
    let start = scenario.start.time();
    let end = start + scenario.duration.duration();
    let mut world = World::new(Arc::new(scenario), seed);
    let images = world.catalogue().images.iter();
    let names = images.map(|image| (image.name.to_string(), image.base.map(|base| base.0)));
    let mut watch = Watch { names: names.collect(), ..Watch::default() };
    (watch.played.start, watch.played.end) = (start, end);
    world.advance(end, &mut |fact| watch.see(&fact));
    let mut played = watch.played;
    let open = watch.waiting.into_iter().map(|(of, since)| (of.0, of.1, since, None));
    played.adoptions.extend(open);
    played
}

impl Watch {
    fn see(&mut self, fact: &Fact) {
        match &fact.kind {
            FactKind::AdvisoryPublished(it) => self.published(it),
            FactKind::FixAvailable { advisory } => {
                self.played.advisories[advisory.0 as usize].fix_available = Some(fact.at);
            }
            FactKind::PackageReleased { release, fixes } => {
                for advisory in fixes.iter() {
                    let packages = &mut self.played.advisories[advisory.0 as usize].packages;
                    packages.insert(release.package.0, Some(fact.at));
                }
            }
            FactKind::BuildStarted { build, builder, .. } => {
                self.running.insert(build.0, self.played.builds.len());
                self.played.builds.push((0, builder.0, fact.at, None, "running"));
            }
            FactKind::BuildFlaked { build, .. } => {
                let build = &mut self.played.builds[self.running[&build.0]];
                (build.3, build.4) = (Some(fact.at), "flaked");
            }
            FactKind::BuildFinished(result) => self.finished(fact.at, result),
            FactKind::UsageChanged { customer, version, mode, .. }
                if *mode == UsageMode::Follow =>
            {
                let of = (customer.0, version.image.0);
                self.uses.insert(of);
                if let Some(since) = self.waiting.remove(&of) {
                    self.played.adoptions.push((of.0, of.1, since, Some(fact.at)));
                }
            }
            FactKind::Scanned(scan) => {
                for target in &scan.targets {
                    let new = target.new.iter().map(|new| new.finding.advisory.0 as usize);
                    let image = target.version.image.0;
                    self.played.found.extend(new.map(|advisory| (advisory, image, fact.at)));
                }
            }
            _ => {}
        }
    }

    fn published(&mut self, it: &sim::fact::Advisory) {
        assert_eq!(it.id.0 as usize, self.played.advisories.len());
        self.played.advisories.push(Advisory {
            cve: it.cve.to_string(),
            severity: it.severity.to_string(),
            published: it.published,
            detectable: it.detectable,
            exploited: it.known_exploited,
            fix_available: None,
            packages: it.affected.iter().map(|hit| (hit.introduced.package.0, None)).collect(),
        });
    }

    fn finished(&mut self, at: SimTime, result: &BuildResult) {
        let image = result.image.0;
        if let Some(place) = self.running.get(&result.build.0) {
            let build = &mut self.played.builds[*place];
            let failed = matches!(result.outcome, Outcome::Failed { .. });
            let outcome = if failed { "failure" } else { "success" };
            (build.0, build.3, build.4) = (image, Some(at), outcome);
        }
        let Outcome::Published(it) = &result.outcome else { return };
        if self.current.insert(image, it.version).is_none() {
            let (name, base) = &self.names[image as usize];
            let base = base.map(|base| self.names[base as usize].0.clone());
            let contents = it.contents.iter().map(|release| release.package.0).collect();
            let own = u32::try_from(it.own_packages.len()).expect("few packages");
            self.played.images.push(ImageExport { name: name.clone(), base, contents, own });
        }
        for of in self.uses.iter().filter(|of| of.1 == image) {
            self.waiting.entry(*of).or_insert(at);
        }
    }
}

fn or_empty(at: Option<SimTime>) -> String {
    at.map(|at| at.to_string()).unwrap_or_default()
}

impl Played {
    /// A table of CVEs, a row for each package.
    pub(crate) fn cve_table(&self) -> String {
        let mut out = String::from(
            "cve,published,fix_available,fixed,detectable,severity,known_exploited,package\n",
        );
        for it in &self.advisories {
            for (package, fixed) in &it.packages {
                let detectable = Some(it.detectable).filter(|at| *at < self.end);
                writeln!(
                    out,
                    "{},{},{},{},{},{},{},package-{package}",
                    it.cve,
                    it.published,
                    or_empty(it.fix_available),
                    or_empty(*fixed),
                    or_empty(detectable),
                    it.severity,
                    it.exploited
                )
                .expect("text");
            }
        }
        out
    }

    /// A table of builds.
    pub(crate) fn build_table(&self) -> String {
        let mut out = String::from("image,runner,started_at,finished_at,conclusion\n");
        for (image, builder, start, end, result) in &self.builds {
            writeln!(out, "image-{image},{builder},{start},{},{result}", or_empty(*end))
                .expect("text");
        }
        out
    }

    /// A table of adoptions.
    pub(crate) fn adoption_table(&self) -> String {
        let mut out = String::from("customer,image,available,adopted\n");
        for (customer, image, available, adopted) in &self.adoptions {
            writeln!(out, "{customer},{image},{available},{}", or_empty(*adopted)).expect("text");
        }
        out
    }

    /// CycloneDX documents, by image: those of Trivy's form, where layers say what stands on what.
    pub(crate) fn sboms(&self) -> Vec<(String, String)> {
        let layers = |name: &str| -> Vec<String> {
            let mut chain = vec![name.to_owned()];
            while let Some(base) =
                self.images.iter().find(|it| it.name == chain[0]).and_then(|it| it.base.clone())
            {
                chain.insert(0, base);
            }
            chain
        };
        let document = |ImageExport { name, contents, .. }: &ImageExport| {
            let properties: Vec<serde_json::Value> = layers(name)
                .iter()
                .map(|layer| {
                    serde_json::json!({"name": "aquasecurity:trivy:DiffID", "value": format!("sha256:{layer}")})
                })
                .collect();
            let components: Vec<serde_json::Value> = contents
                .iter()
                .map(|package| {
                    serde_json::json!({"type": "library", "name": format!("package-{package}"),
                        "version": "1.0-r0", "purl": format!("pkg:apk/wolfi/package-{package}@1.0-r0")})
                })
                .collect();
            let bom = serde_json::json!({"bomFormat": "CycloneDX", "specVersion": "1.6",
                "metadata": {"timestamp": self.start.to_string(), "component": {"type": "container",
                    "name": format!("registry.example/team/{name}:1.2"), "properties": properties}},
                "components": components});
            (format!("{name}.cdx.json"), bom.to_string())
        };
        self.images.iter().map(document).collect()
    }

    /// OSV records.
    pub(crate) fn osv(&self) -> String {
        let record = |it: &Advisory| {
            let affected: Vec<serde_json::Value> = it
                .packages
                .iter()
                .map(|(package, fixed)| {
                    let mut events = vec![serde_json::json!({"introduced": "0"})];
                    if fixed.is_some() {
                        events.push(serde_json::json!({"fixed": "1.1-r0"}));
                    }
                    serde_json::json!({
                        "package": {"ecosystem": "Wolfi", "name": format!("package-{package}"),
                            "purl": format!("pkg:apk/wolfi/package-{package}")},
                        "ranges": [{"type": "ECOSYSTEM", "events": events}],
                        "database_specific": {"fixed_at": fixed.map(|at| at.to_string())},
                    })
                })
                .collect();
            serde_json::json!({"id": it.cve, "published": it.published.to_string(),
                "modified": self.end.to_string(), "affected": affected,
                "database_specific": {"severity": it.severity}})
        };
        let all: Vec<serde_json::Value> = self.advisories.iter().map(record).collect();
        serde_json::Value::Array(all).to_string()
    }

    /// Findings of Dependency-Track's API: of each advisory and image the first.
    pub(crate) fn dependency_track(&self) -> String {
        let mut first: BTreeMap<(usize, u32), SimTime> = BTreeMap::new();
        for (advisory, image, at) in &self.found {
            first.entry((*advisory, *image)).or_insert(*at);
        }
        let finding = |((advisory, image), at): (&(usize, u32), &SimTime)| {
            let it = &self.advisories[*advisory];
            serde_json::json!({
                "component": {"name": "package", "version": "1.0", "project": format!("image-{image}")},
                "vulnerability": {"vulnId": it.cve, "severity": it.severity.to_uppercase(),
                    "published": it.published.0},
                "analysis": {"isSuppressed": false},
                "attribution": {"analyzerIdentity": "INTERNAL_ANALYZER", "attributedOn": at.0},
            })
        };
        serde_json::Value::Array(first.iter().map(finding).collect()).to_string()
    }

    /// Trivy's reports of an image, one a day at noon, of all that is detectable and not fixed
    /// then.
    pub(crate) fn trivy(&self) -> Vec<String> {
        let mut reports = Vec::new();
        let mut at = self.start.0 + DAY_MS / 2;
        while at < self.end.0 {
            let shown = self.advisories.iter().filter(|it| it.detectable.0 <= at);
            let shown = shown.filter(|it| {
                let fixed = it.packages.values().next().copied().flatten();
                fixed.is_none_or(|fixed| fixed.0 > at)
            });
            let all: Vec<serde_json::Value> = shown
                .map(|it| {
                    serde_json::json!({"VulnerabilityID": it.cve, "PkgName": "package",
                        "Severity": it.severity.to_uppercase(), "PublishedDate": it.published.to_string()})
                })
                .collect();
            let report = serde_json::json!({"SchemaVersion": 2, "CreatedAt": SimTime(at).to_string(),
                "ArtifactName": "registry.example/web:1", "Results": [{"Vulnerabilities": all}]});
            reports.push(report.to_string());
            at += DAY_MS;
        }
        reports
    }

    /// DefectDojo's findings: dates without a time of day.
    pub(crate) fn defect_dojo(&self) -> String {
        let day = |at: SimTime| at.to_string()[..10].to_owned();
        let finding = |it: &Advisory| {
            let fixed = it.packages.values().next().copied().flatten();
            serde_json::json!({"title": format!("{} in package", it.cve), "severity": "High",
                "date": day(it.detectable), "publish_date": day(it.published), "cve": null,
                "vulnerability_ids": [{"vulnerability_id": it.cve}], "component_name": "package",
                "is_mitigated": fixed.is_some(),
                "mitigated": fixed.map(|at| at.max(it.detectable).to_string())})
        };
        let seen = self.advisories.iter().filter(|it| it.detectable < self.end);
        let all: Vec<serde_json::Value> = seen.map(finding).collect();
        serde_json::json!({"count": all.len(), "results": all}).to_string()
    }

    /// The end, in milliseconds since 1970.
    pub(crate) fn end_ms(&self) -> i64 {
        self.end.0
    }
}

/// Days in milliseconds.
pub(crate) fn days(n: i64) -> i64 {
    n * DAY_MS
}
