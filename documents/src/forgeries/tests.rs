//! Each case differs from its valid origin in what it says, and in nothing else.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::draft::{BODY, EXPECTED, PAYLOAD};
use serde_json::Value;

use super::case::{FAIL, Origin};
use super::*;
use crate::statement::PredicateType;

/// What follows from a statement that was signed and logged anew.
const CONSEQUENCES: [&str; 8] = [
    "bundle:/dsseEnvelope/signatures/0/sig",
    "bundle:/verificationMaterial/tlogEntries/0/logIndex",
    "bundle:/verificationMaterial/tlogEntries/0/inclusionProof",
    "bundle:/verificationMaterial/tlogEntries/0/inclusionPromise",
    "body:/spec/envelopeHash",
    "body:/spec/payloadHash",
    "body:/spec/signatures/0/signature",
    "bundle:/verificationMaterial/tlogEntries/0/integratedTime",
];

/// The values of a document by their places; of what is no JSON, the text.
fn places(file: &str, bytes: &[u8]) -> BTreeMap<String, Value> {
    fn gather(place: String, value: &Value, found: &mut BTreeMap<String, Value>) {
        match value {
            Value::Object(members) if !members.is_empty() => {
                for (name, value) in members {
                    gather(format!("{place}/{name}"), value, found);
                }
            }
            Value::Array(items) if !items.is_empty() => {
                for (at, value) in items.iter().enumerate() {
                    gather(format!("{place}/{at}"), value, found);
                }
            }
            value => {
                found.insert(place, value.clone());
            }
        }
    }
    let mut found = BTreeMap::new();
    match serde_json::from_slice::<Value>(bytes) {
        Ok(value) if value.is_object() => gather(format!("{file}:"), &value, &mut found),
        _ => {
            found.insert(file.to_owned(), String::from_utf8_lossy(bytes).into());
        }
    }
    found
}

/// Where two documents differ.
fn differences(file: &str, one: &[u8], two: &[u8]) -> BTreeSet<String> {
    let (one, two) = (places(file, one), places(file, two));
    if one.contains_key(file) != two.contains_key(file) {
        return BTreeSet::from([file.to_owned()]);
    }
    let all: BTreeSet<&String> = one.keys().chain(two.keys()).collect();
    all.into_iter().filter(|place| one.get(*place) != two.get(*place)).cloned().collect()
}

/// The same of two bundles, looking into statement and logged body where both are JSON.
fn bundle_differences(one: &[u8], two: &[u8]) -> BTreeSet<String> {
    let mut found = differences("bundle", one, two);
    for (pointer, inside) in [(PAYLOAD, "statement"), (BODY, "body")] {
        let decoded = |bytes: &[u8]| {
            let bundle: Value = serde_json::from_slice(bytes).ok()?;
            let text = STANDARD.decode(bundle.pointer(pointer)?.as_str()?).ok()?;
            serde_json::from_slice::<Value>(&text).is_ok().then_some(text)
        };
        if let (true, Some(one), Some(two)) =
            (found.contains(&format!("bundle:{pointer}")), decoded(one), decoded(two))
        {
            found.remove(&format!("bundle:{pointer}"));
            found.extend(differences(inside, &one, &two));
        }
    }
    found
}

/// Whether a change that is stated explains a difference. Who changes an entry changes its body.
fn covers(stated: &str, place: &str) -> bool {
    for (inside, pointer) in [("statement:", PAYLOAD), ("body:", BODY)] {
        if place.starts_with(inside) && covers(stated, &format!("bundle:{pointer}")) {
            return true;
        }
    }
    let stated = stated.strip_suffix("/*").unwrap_or(stated);
    place.strip_prefix(stated).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', ':']))
}

#[test]
fn each_case_differs_from_its_origin_in_what_it_says_alone() {
    let evidence = sample(7).unwrap();
    let bench = bench(&evidence).unwrap();
    let anew = case("signed-anew").unwrap();
    for case in cases() {
        let follows = matches!(case.origin, Origin::Stated(_) | Origin::Signed(_));
        let origin = (if follows { anew } else { case }).unchanged(&bench).unwrap().files();
        let made = case.make(&bench).unwrap().files;
        let mut found = bundle_differences(&origin[BUNDLE], &made[BUNDLE]);
        found.extend(differences("root", &origin[TRUSTED_ROOT], &made[TRUSTED_ROOT]));
        for (name, place) in [(KEY, "key"), (ARTIFACT, "artifact")] {
            if origin[name] != made[name] {
                found.insert(place.to_owned());
            }
        }
        if case.predicate_type() != PredicateType::ImageSignature
            && case.origin == Origin::World(PredicateType::ImageSignature)
        {
            found.insert(EXPECTED.to_owned());
        }
        for stated in case.changes {
            let changed = found.iter().any(|place| covers(stated, place));
            assert!(changed, "{}: {stated} is as it was: {found:?}", case.name);
        }
        let following = if follows { &CONSEQUENCES[..] } else { &[] };
        let told = case.changes.iter().chain(following);
        found.retain(|place| !told.clone().any(|known| covers(known, place)));
        assert!(found.is_empty(), "{}: {found:?} differ too", case.name);
        if case.changes.is_empty() && case.edit.is_some() {
            assert_ne!(origin[BUNDLE], made[BUNDLE], "{}: no byte differs", case.name);
        }
    }
}

impl PartialEq for Origin {
    fn eq(&self, other: &Self) -> bool {
        matches!((self, other), (Origin::World(one), Origin::World(two)) if one == two)
    }
}

#[test]
fn names_are_unique_and_say_the_verdict() {
    let names: BTreeSet<&str> = cases().map(|case| case.name).collect();
    assert_eq!(names.len(), cases().count());
    let failing = cases().filter(|case| case.verdict() == Verdict::Fail).count();
    assert!(failing >= 40, "{failing}");
    assert!(names.len() - failing >= 20, "{}", names.len() - failing);
    for case in cases() {
        let plain = |letter: char| {
            letter.is_ascii_lowercase() || letter.is_ascii_digit() || "-.".contains(letter)
        };
        let name = case.name.strip_suffix(FAIL).unwrap_or(case.name);
        assert!(name.chars().all(plain), "{name}");
        for text in [case.wrong, case.explanation] {
            assert!(text.ends_with('.') || text.ends_with(".)"), "{name}: {text}");
        }
        assert_eq!(super::case(case.name).unwrap().name, case.name);
    }
    assert!(super::case("nothing").is_none());
}

#[test]
fn the_bytes_follow_from_the_evidence() {
    let all = |seed| make(&sample(seed).unwrap()).unwrap();
    let made = all(7);
    assert_eq!(made, all(7));
    assert_ne!(made, all(8));
    let one = case("tree-later").unwrap();
    let same = make_one(one, &sample(7).unwrap()).unwrap();
    assert!(made.contains(&same));
    let mut seen = BTreeSet::new();
    for case in &made {
        assert_eq!(case.files.len(), 6, "{}", case.name);
        for (name, bytes) in &case.files {
            assert!(std::str::from_utf8(bytes).is_ok(), "{}/{name}", case.name);
        }
        // What a verifier is given is another for each case.
        let told: Value = serde_json::from_slice(&case.files[CASE]).unwrap();
        let given = [BUNDLE, KEY, TRUSTED_ROOT, ARTIFACT].map(|name| case.files[name].clone());
        assert!(seen.insert((given, told["predicate_type"].to_string())), "{}", case.name);
    }
    let index: Value = serde_json::from_slice(&index().unwrap()).unwrap();
    assert_eq!(index["cases"].as_array().unwrap().len(), made.len());
}

/// Nothing that was signed for the catalogue would be believed as evidence of the world.
#[test]
fn nothing_is_signed_in_the_name_of_the_world() {
    let evidence = sample(7).unwrap();
    let identity = &evidence.identity;
    let bench = bench(&evidence).unwrap();
    let own = [&bench.keys.identity, &bench.stranger.identity];
    assert!(own.iter().all(|own| own.signer != identity.signer && own.log != identity.log));
    let (signer, log) = (identity.signer.pem().as_bytes(), identity.log.id());
    for case in cases().filter(|case| !matches!(case.origin, Origin::World(_))) {
        let files = case.make(&bench).unwrap().files;
        assert_ne!(files[KEY], signer, "{}", case.name);
        let root = String::from_utf8_lossy(&files[TRUSTED_ROOT]).into_owned();
        assert!(!root.contains(&STANDARD.encode(log.as_bytes())), "{}", case.name);
        if let Ok(bundle) = crate::bundle::Bundle::parse(&files[BUNDLE]) {
            assert!(bundle.envelope.verify(&identity.signer).is_err(), "{}", case.name);
        }
    }
}

#[test]
fn an_incomplete_world_is_refused() {
    let mut evidence = sample(7).unwrap();
    evidence.other.bundles.remove(&PredicateType::ImageSignature);
    assert!(matches!(make(&evidence), Err(Error::Malformed { .. })));
    let mut evidence = sample(7).unwrap();
    evidence.victim.bundles.insert(PredicateType::ImageSignature, b"{}".to_vec());
    assert!(make(&evidence).is_err());
}

#[test]
fn the_page_has_the_table() {
    let page = include_str!("../../../docs/forgeries.md");
    let mut table = String::new();
    for verdict in [Verdict::Fail, Verdict::Pass] {
        let what = if verdict == Verdict::Fail { "What is wrong" } else { "What is unusual" };
        table += &format!("| Case | {what} | Verdict | Why | Rule |\n|---|---|---|---|---|\n");
        for case in cases().filter(|case| case.verdict() == verdict) {
            let told = case.told();
            table += &format!(
                "| `{}` | {} | {} | {} | [{}]({}) |\n",
                told.name,
                told.wrong,
                verdict.as_str(),
                told.explanation,
                told.rule,
                told.rule_url
            );
        }
        assert!(page.contains(&table), "docs/forgeries.md lacks this table:\n\n{table}");
        table.clear();
    }
}
