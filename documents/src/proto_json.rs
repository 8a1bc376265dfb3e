//! What ProtoJSON lets a writer choose, for Sigstore's bundles are protobuf messages in JSON
//! (<https://protobuf.dev/programming-guides/json/>): both alphabets of base64, with padding or
//! without, and 64-bit numbers as text or as numbers.

use std::fmt;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

const EITHER_PADDING: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, EITHER_PADDING);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, EITHER_PADDING);

/// The bytes of base64 of either alphabet; nothing if it is of neither.
pub(crate) fn bytes(text: &str) -> Option<Vec<u8>> {
    let alphabet = if text.contains(['-', '_']) { URL_SAFE } else { STANDARD };
    alphabet.decode(text).ok()
}

/// A 64-bit number as it stands in JSON; written as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Number(pub(crate) String);

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextOrNumber;
        impl Visitor<'_> for TextOrNumber {
            type Value = Number;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a 64-bit number, as text or as a number")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Number, E> {
                Ok(Number(text.to_owned()))
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Number, E> {
                Ok(Number(number.to_string()))
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Number, E> {
                Ok(Number(number.to_string()))
            }
        }
        deserializer.deserialize_any(TextOrNumber)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_alphabets_with_padding_or_without() {
        // RFC 4648: 0xfb 0xff is "+/8=" in one alphabet and "-_8=" in the other.
        for text in ["+/8=", "+/8", "-_8=", "-_8"] {
            assert_eq!(bytes(text), Some(vec![0xfb, 0xff]), "{text}");
        }
        for text in ["+_8=", "!", "A", "+/8==", " +/8="] {
            assert_eq!(bytes(text), None, "{text}");
        }
        assert_eq!(bytes(""), Some(Vec::new()));
    }

    #[test]
    fn numbers_as_text_or_as_numbers() {
        let read = |json: &str| serde_json::from_str::<Number>(json).ok().map(|number| number.0);
        assert_eq!(read("\"18446744073709551615\"").unwrap(), "18446744073709551615");
        assert_eq!(read("18446744073709551615").unwrap(), "18446744073709551615");
        assert_eq!(read("-7").unwrap(), "-7");
        assert_eq!(read("7.5"), None);
        assert_eq!(read("null"), None);
        assert_eq!(serde_json::to_string(&Number("7".to_owned())).unwrap(), "\"7\"");
    }
}
