//! Which format a report has, told by its content.
use super::error::ReportError;
use super::report::Format;
use serde_json::Value;

/// Reads the bytes as JSON. A mark of byte order is passed over; nesting is bounded by
/// `serde_json`.
pub(super) fn json(bytes: &[u8]) -> Result<Value, ReportError> {
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(ReportError::Utf16);
    }
    let text = bytes.strip_prefix(&[0xef, 0xbb, 0xbf]).unwrap_or(bytes);
    serde_json::from_slice(text).map_err(ReportError::Json)
}

/// The format of a report.
pub(super) fn format(report: &Value) -> Result<Format, ReportError> {
    let Some(fields) = report.as_object() else {
        let found = match report {
            Value::Array(_) => "the report is a list, as Trivy wrote them before version 0.20",
            _ => "the report is one value, not an object",
        };
        return Err(ReportError::unknown(found.to_owned()));
    };
    let has = |name: &str| fields.contains_key(name);
    let is = |name: &str, value: &str| fields.get(name).and_then(Value::as_str) == Some(value);
    if is("bomFormat", "CycloneDX") {
        return Ok(Format::CycloneDx);
    }
    if has("runs") {
        let version = fields.get("version").and_then(Value::as_str).unwrap_or("none");
        return if version == "2.1.0" {
            Ok(Format::Sarif)
        } else {
            let found = format!("the report is SARIF of version {}", cut(version));
            Err(ReportError::OtherFormat { found, hint: "write SARIF 2.1.0" })
        };
    }
    if has("ClusterName") || (has("Resources") && has("SchemaVersion")) {
        let found = "the report is Trivy's of a cluster".to_owned();
        let hint = "give a report of each image (`trivy image --format json`)";
        return Err(ReportError::OtherFormat { found, hint });
    }
    if has("SchemaVersion") && (has("ArtifactName") || has("Results")) {
        return trivy(fields.get("SchemaVersion"));
    }
    if has("matches") {
        return Ok(Format::Grype);
    }
    if has("artifacts") && has("source") {
        return Ok(Format::Syft);
    }
    if has("results") {
        return Ok(Format::OsvScanner);
    }
    if has("spdxVersion") || has("@graph") {
        let found = "the report is an SBOM in SPDX, which holds no vulnerabilities".to_owned();
        let hint =
            "give what a scanner made of it; for packages alone give CycloneDX, or Syft's JSON";
        return Err(ReportError::OtherFormat { found, hint });
    }
    let names: Vec<String> = fields.keys().take(8).map(|name| format!("`{}`", cut(name))).collect();
    let names = if names.is_empty() { "nothing".to_owned() } else { names.join(", ") };
    Err(ReportError::unknown(format!("the report is of no known format: it holds {names}")))
}

fn trivy(version: Option<&Value>) -> Result<Format, ReportError> {
    if version.and_then(Value::as_i64) == Some(2) {
        return Ok(Format::Trivy);
    }
    let version = version.map_or_else(String::new, |version| cut(&version.to_string()));
    let found = format!("the report is Trivy's with SchemaVersion {version}");
    Err(ReportError::OtherFormat { found, hint: "write SchemaVersion 2 (Trivy 0.20 and newer)" })
}

/// A text of somebody else in few characters.
fn cut(text: &str) -> String {
    text.chars().take(40).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}
