//! A name for every request, so that an answer, a log line and a question to support meet.
use poem::Request;
use poem::http::HeaderValue;
use ulid::Ulid;

/// The header, in requests and answers.
pub(crate) const HEADER: &str = "X-Request-Id";
const MAX_BYTES: usize = 128;

/// The id the client gave, when it is one that can be logged as it is; else a new ULID.
pub(crate) fn of(request: &Request) -> String {
    match request.header(HEADER) {
        Some(given) if acceptable(given) => given.to_owned(),
        _ => Ulid::generate().to_string(),
    }
}

/// The id as a header.
pub(crate) fn header(id: &str) -> Option<HeaderValue> {
    HeaderValue::from_str(id).ok()
}

fn acceptable(id: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b':');
    (1..=MAX_BYTES).contains(&id.len()) && id.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_good_id_is_kept_and_a_bad_one_replaced() {
        let with = |id: &str| of(&Request::builder().header(HEADER, id).finish());
        assert_eq!(with("trace-1:2.3_4"), "trace-1:2.3_4");
        for bad in ["", "a b", "a\tb", "<script>", &"x".repeat(129)] {
            assert_eq!(with(bad).len(), 26, "{bad}");
        }
        assert_eq!(of(&Request::default()).len(), 26);
    }
}
