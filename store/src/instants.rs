//! The one form in which instants are written for others: RFC 3339, UTC with a `Z`, and
//! milliseconds only where there are some. PostgreSQL writes `+00:00` into its JSON, which no other part of a
//! message does.
use chrono::{DateTime, Utc};
use serde_json::Value;
use sim::time::SimTime;

/// The instant as text; less than a millisecond is cut off.
pub fn text(at: DateTime<Utc>) -> String {
    SimTime::from_datetime(at).to_string()
}

/// Rewrites every instant in a JSON value, in whatever form of RFC 3339 it stands.
pub fn rewrite(value: &mut Value) {
    match value {
        Value::String(found) => {
            // Long before it is parsed, most text is known to be none.
            let looks = found.len() >= 20 && found.as_bytes().get(10) == Some(&b'T');
            let parsed = looks.then(|| DateTime::parse_from_rfc3339(found).ok()).flatten();
            if let Some(at) = parsed {
                *found = text(at.with_timezone(&Utc));
            }
        }
        Value::Array(items) => items.iter_mut().for_each(rewrite),
        Value::Object(members) => members.values_mut().for_each(rewrite),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_form_becomes_the_one() {
        let mut value = json!({
            "sql": "2026-01-12T06:00:00+00:00",
            "sql_ms": "2026-01-12T06:00:00.25+00:00",
            "sql_us": "2026-01-12T06:00:00.000125+00:00",
            "elsewhere": ["2026-01-12T07:00:00.000+01:00", { "z": "2026-01-12T06:00:00.000Z" }],
            "not one": ["2026-01-12", "CVE-2026-1000001", "2026-01-12T06:00:00", 7, null, true],
        });
        rewrite(&mut value);
        let at = "2026-01-12T06:00:00Z";
        let expected = json!({
            "sql": at,
            "sql_ms": "2026-01-12T06:00:00.250Z",
            "sql_us": at,
            "elsewhere": [at, { "z": at }],
            "not one": ["2026-01-12", "CVE-2026-1000001", "2026-01-12T06:00:00", 7, null, true],
        });
        assert_eq!(value, expected);
    }
}
