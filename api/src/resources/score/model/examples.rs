//! The examples of scores in the specification.
use super::{
    ImageScore, NewReport, NewScore, PackageRecognition, PackageScore, Score, ScoreCause,
    ScoreCoverage, ScoreDifference, ScoreFigures, ScoredReport, SeverityScore,
};
use crate::http::{examples, time};
use crate::schemas::estimate::Estimate;
use ::score::result;
use poem_openapi::types::{Any, Example};
use serde_json::{Value, json};

/// A small report of Trivy about an image of the demo.
fn example_report() -> Value {
    json!({
        "SchemaVersion": 2,
        "ArtifactName": format!("registry.wavetank.example/{}", examples::IMAGE),
        "Results": [{
            "Target": examples::IMAGE,
            "Class": "os-pkgs",
            "Vulnerabilities": [{
                "VulnerabilityID": examples::CVE,
                "PkgName": examples::PACKAGE,
                "InstalledVersion": "1.0.0-r0",
                "Severity": "HIGH",
            }],
        }],
    })
}

impl Example for NewScore {
    fn example() -> Self {
        let report = NewReport { name: Some("trivy.json".into()), report: Any(example_report()) };
        NewScore { as_of: None, reports: vec![report] }
    }
}

impl Example for Score {
    fn example() -> Self {
        let ratio = |estimate, lower, upper| Estimate {
            estimate: Some(estimate),
            lower: Some(lower),
            upper: Some(upper),
        };
        let figures = || ScoreFigures {
            right: 8,
            missed: 2,
            wrong: 0,
            early: 0,
            precision: ratio(1.0, 0.688, 1.0),
            recall: ratio(0.8, 0.490, 0.943),
            f1: Some(0.889),
        };
        let image = ImageScore {
            image: examples::IMAGE.to_owned(),
            version: examples::VERSION,
            digest: format!("sha256:{}", examples::SHA256),
            as_of: time::example(examples::AS_OF_HOURS),
            distribution: Some("wolfi 20230201".to_owned()),
            packages: 40,
            packages_recognised: None,
            scanned: true,
            figures: figures(),
        };
        let difference = ScoreDifference {
            kind: "missed".to_owned(),
            image: examples::IMAGE.to_owned(),
            version: examples::VERSION,
            vulnerability: examples::CVE.to_owned(),
            package: Some(examples::PACKAGE.to_owned()),
            severity: "high".to_owned(),
            cause: "no_fix_yet".to_owned(),
            installed: Some("1.0.0-r0".to_owned()),
            reported: None,
            fixed: None,
        };
        Score {
            format: result::FORMAT.to_owned(),
            reports: vec![ScoredReport {
                name: "trivy.json".to_owned(),
                format: "trivy".to_owned(),
                tool: Some("Trivy 0.76.0".to_owned()),
                as_of: time::example(examples::AS_OF_HOURS),
                as_of_source: "world".to_owned(),
                images: 1,
            }],
            coverage: ScoreCoverage { images_scored: 1, images_with_inventory_only: 0 },
            total: figures(),
            by_severity: vec![SeverityScore { severity: "high".to_owned(), figures: figures() }],
            by_image: vec![image],
            by_package: vec![PackageScore {
                package: Some(examples::PACKAGE.to_owned()),
                figures: figures(),
            }],
            packages: PackageRecognition {
                images_known: 0,
                images_unknown: 1,
                held: 0,
                recognised: 0,
                other_version: 0,
                missing: 0,
                not_held: 0,
            },
            causes: vec![ScoreCause {
                kind: "missed".to_owned(),
                cause: "no_fix_yet".to_owned(),
                count: 2,
                meaning: ::score::cause::Cause::NoFixYet.meaning().to_owned(),
            }],
            differences: vec![difference],
            unknown_images: Vec::new(),
        }
    }
}
