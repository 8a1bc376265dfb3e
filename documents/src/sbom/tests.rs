//! Both formats give the same list back; hostile input is refused quickly and without a crash.

use super::*;
use crate::{cyclonedx, sample, spdx};

fn refused(text: impl AsRef<[u8]>) -> String {
    parse_components(text.as_ref()).unwrap_err().to_string()
}

fn both(count: usize) -> [Vec<u8>; 2] {
    let contents = sample::contents(count);
    let subject = sample::subject(&contents).unwrap();
    [spdx::document(&subject).unwrap(), cyclonedx::document(&subject).unwrap()]
}

#[test]
fn both_formats_give_the_resolved_list() {
    for count in [0, 1, 60] {
        let contents = sample::contents(count);
        let expected: Vec<(&str, &str)> =
            contents.components.iter().map(|c| (c.name.as_str(), c.version.as_str())).collect();
        for bytes in both(count) {
            let found = parse_components(&bytes).unwrap();
            let found: Vec<(&str, &str)> = found.iter().map(|(n, v)| (&**n, &**v)).collect();
            assert_eq!(found, expected);
        }
    }
}

#[test]
fn names_are_borrowed_from_the_bytes() {
    for bytes in both(10) {
        for (name, version) in parse_components(&bytes).unwrap() {
            assert!(matches!((name, version), (Cow::Borrowed(_), Cow::Borrowed(_))));
        }
    }
}

#[test]
fn escaped_names_are_unescaped() {
    let text = r#"{"spdxVersion":"SPDX-2.3","packages":[{"name":"a\u002db","versionInfo":"1\u002e0",
        "externalRefs":[{"referenceLocator":"pkg:apk\/wavetank/a-b@1.0"}]}]}"#;
    assert_eq!(parse_components(text.as_bytes()).unwrap(), vec![("a-b".into(), "1.0".into())]);
}

#[test]
fn other_documents_are_refused() {
    for text in [
        "{}",
        "[]",
        "null",
        "",
        "\u{feff}{}",
        r#"{"spdxVersion":"SPDX-2.2"}"#,
        r#"{"bomFormat":"CycloneDX","specVersion":"1.4"}"#,
        r#"{"bomFormat":"CycloneDX"}"#,
        r#"{"spdxVersion":"SPDX-2.3","bomFormat":"CycloneDX","specVersion":"1.6"}"#,
        r#"{"spdxVersion":"SPDX-2.3"} trailing"#,
    ] {
        refused(text);
    }
    refused(b"\xff\xfe{\x00}\x00");
}

#[test]
fn wrong_types_are_refused() {
    for text in [
        r#"{"spdxVersion":23}"#,
        r#"{"spdxVersion":"SPDX-2.3","packages":{}}"#,
        r#"{"spdxVersion":"SPDX-2.3","packages":["x"]}"#,
        r#"{"spdxVersion":"SPDX-2.3","packages":[{"name":1}]}"#,
        r#"{"spdxVersion":"SPDX-2.3","packages":[{"name":"x","externalRefs":"pkg:apk/x"}]}"#,
        r#"{"bomFormat":"CycloneDX","specVersion":"1.6","components":[{"version":"1"}]}"#,
        r#"{"bomFormat":"CycloneDX","specVersion":"1.6","components":[{"name":"x","purl":[]}]}"#,
        r#"{"spdxVersion":"SPDX-2.3","packages":[],"packages":[]}"#,
    ] {
        refused(text);
    }
}

#[test]
fn a_package_that_a_scan_would_miss_is_refused() {
    let nested = r#"{"bomFormat":"CycloneDX","specVersion":"1.6","components":[{"name":"x",
        "version":"1","components":[{"name":"y","version":"1","purl":"pkg:apk/w/y@1"}]}]}"#;
    assert!(refused(nested).contains("nested"));
    let unversioned = r#"{"bomFormat":"CycloneDX","specVersion":"1.6","components":[
        {"name":"x","purl":"pkg:apk/w/x"}]}"#;
    assert!(refused(unversioned).contains("no version"));
}

#[test]
fn deep_nesting_does_not_overflow_the_stack() {
    let depth = 2_000_000;
    let (open, close) = ("[".repeat(depth), "]".repeat(depth));
    let ignored = format!(r#"{{"spdxVersion":"SPDX-2.3","annotations":{open}{close}}}"#);
    assert_eq!(parse_components(ignored.as_bytes()).unwrap(), vec![]);
    refused(format!(r#"{{"spdxVersion":"SPDX-2.3","packages":{open}{close}}}"#));
    refused(format!(r#"{{"spdxVersion":"SPDX-2.3","annotations":{open}"#));
}

#[test]
fn huge_arrays_are_refused() {
    let mut text = r#"{"bomFormat":"CycloneDX","specVersion":"1.6","components":["#.to_owned();
    text.push_str(&r#"{"name":"x","version":"1"},"#.repeat(MAX_COMPONENTS + 10));
    text.push_str(r#"{"name":"x","version":"1"}]}"#);
    assert!(refused(text).contains("more than 100000"));
    assert!(matches!(
        parse_components(&vec![b' '; MAX_SBOM_BYTES + 1]),
        Err(Error::TooLarge { .. })
    ));
}

#[test]
fn cut_documents_are_refused_everywhere() {
    for bytes in both(3) {
        for end in 0..bytes.len() {
            assert!(parse_components(&bytes[..end]).is_err(), "cut at {end}");
        }
    }
}
