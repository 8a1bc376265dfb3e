//! Finds instants in text, to hold all of them to one form: RFC 3339, UTC with a `Z`, milliseconds
//! where there are some. Written from that sentence, not from what writes them.

/// The instants in a text: whatever reads as RFC 3339 with a zone.
pub(crate) fn instants(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices('T') {
        let Some(start) = at.checked_sub(10).filter(|start| text.is_char_boundary(*start)) else {
            continue;
        };
        let of_an_instant = |letter: char| letter.is_ascii_digit() || ":.+-Z".contains(letter);
        let rest = &text[at + 1..];
        let length = rest.find(|letter| !of_an_instant(letter)).unwrap_or(rest.len());
        // A sentence may end behind it.
        let candidate = text[start..at + 1 + length].trim_end_matches(['.', ':', '-']);
        if chrono::DateTime::parse_from_rfc3339(candidate).is_ok() {
            found.push(candidate);
        }
    }
    found
}

/// Those of them that have another form.
pub(crate) fn misshapen(text: &str) -> Vec<&str> {
    let mut found = instants(text);
    found.retain(|instant| {
        let Some(local) = instant.strip_suffix('Z') else { return true };
        // `2026-01-12T06:00:00`, and behind that nothing or a point and three digits.
        match local.get(19..) {
            Some("") => false,
            Some(fraction) => fraction.len() != 4 || fraction == ".000",
            None => true,
        }
    });
    found
}

#[test]
fn only_the_one_form_passes() {
    let text = |instant: &str| format!("{{\"at\":\"{instant}\",\"name\":\"T\"}} since {instant}.");
    for good in ["2026-01-12T06:00:00Z", "2026-01-12T06:00:00.250Z"] {
        assert_eq!((instants(&text(good)).len(), misshapen(&text(good)).len()), (2, 0), "{good}");
    }
    for bad in [
        "2026-01-12T06:00:00.000Z",
        "2026-01-12T06:00:00.25Z",
        "2026-01-12T06:00:00.250125Z",
        "2026-01-12T06:00:00+00:00",
        "2026-01-12T07:00:00.250+01:00",
    ] {
        assert_eq!(misshapen(&text(bad)), [bad, bad]);
    }
    assert!(instants("2026-01-12, 06:00, T06:00:00Z, 2026-01-12T06:00").is_empty());
}
