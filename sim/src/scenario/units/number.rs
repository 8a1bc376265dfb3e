//! Plain numbers with limits: shares of a whole, and amounts.
use serde::Deserialize;
use serde::de::{Deserializer, Error, Unexpected, Visitor};
use std::fmt;

/// A share of a whole, 0 to 1: `0.15`, or `15%`.
#[derive(Clone, Copy, PartialEq, PartialOrd)]
pub struct Share(f64);

impl Share {
    /// From a number.
    ///
    /// # Panics
    /// When it is not between 0 and 1.
    pub const fn of(value: f64) -> Self {
        assert!(value >= 0.0 && value <= 1.0, "a share is between 0 and 1");
        Share(value)
    }

    /// As a number from 0 to 1.
    pub const fn value(self) -> f64 {
        self.0
    }
}

schema_of!(Share, {
    "description": "A share of a whole: a number from 0 to 1, or a percentage such as 15%.",
    "anyOf": [
        { "type": "number", "minimum": 0, "maximum": 1 },
        { "type": "string", "pattern": r"^([0-9]{1,2}(\.[0-9]+)?|100(\.0+)?)%$" }
    ],
    "examples": [0.15, "15%"]
});

impl fmt::Debug for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// A number that is finite and not negative.
#[derive(Clone, Copy, PartialEq, PartialOrd)]
pub struct Amount(f64);

impl Amount {
    /// From a number.
    ///
    /// # Panics
    /// When it is negative or not finite.
    pub const fn of(value: f64) -> Self {
        assert!(value >= 0.0 && value <= f64::MAX, "an amount is finite and not negative");
        Amount(value)
    }

    /// As a number.
    pub const fn value(self) -> f64 {
        self.0
    }
}

schema_of!(Amount, {
    "type": "number",
    "description": "A number, 0 or more.",
    "minimum": 0,
    "examples": [0.9, 2]
});

impl fmt::Debug for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl<'de> Deserialize<'de> for Share {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let visitor = Number {
            expected: "a share from 0 to 1 such as 0.15, or a percentage such as 15%",
            max: 1.0,
            percent: true,
        };
        deserializer.deserialize_any(visitor).map(Share)
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let visitor = Number { expected: "a number, 0 or more", max: f64::MAX, percent: false };
        deserializer.deserialize_any(visitor).map(Amount)
    }
}

struct Number {
    expected: &'static str,
    max: f64,
    percent: bool,
}

impl Number {
    fn within<E: Error>(&self, value: f64, found: Unexpected<'_>) -> Result<f64, E> {
        if value >= 0.0 && value <= self.max {
            Ok(value + 0.0) // -0.0 becomes 0.0
        } else {
            Err(E::invalid_value(found, &self.expected))
        }
    }
}

impl Visitor<'_> for Number {
    type Value = f64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expected)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<f64, E> {
        self.within(value, Unexpected::Float(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<f64, E> {
        self.within(value as f64, Unexpected::Signed(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<f64, E> {
        self.within(value as f64, Unexpected::Unsigned(value))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<f64, E> {
        let refused = || E::invalid_value(Unexpected::Str(text), &self.expected);
        let digits = text.strip_suffix('%').filter(|_| self.percent).ok_or_else(refused)?;
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
        let plain = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if !plain(whole) || !plain(fraction) || (whole.len() > 2 && whole != "100") {
            return Err(refused());
        }
        // As a decimal exponent, so that 0.24% is the very number 0.0024.
        let value = format!("{digits}e-2").parse().map_err(|_| refused())?;
        self.within(value, Unexpected::Str(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(json: &str) -> Result<f64, String> {
        serde_json::from_str::<Share>(json).map(Share::value).map_err(|e| e.to_string())
    }

    #[test]
    fn shares_are_numbers_or_percentages() {
        for (json, value) in [
            ("0", 0.0),
            ("1", 1.0),
            ("0.15", 0.15),
            ("\"15%\"", 0.15),
            ("\"0.24%\"", 0.0024),
            ("\"100%\"", 1.0),
        ] {
            assert_eq!(share(json), Ok(value), "{json}");
        }
        for json in [
            "-0.1",
            "1.1",
            "15",
            "\"101%\"",
            "\"-1%\"",
            "\"%\"",
            "\"0.15\"",
            "\"1e1%\"",
            "true",
            "\"15.%\"",
            "\".5%\"",
            "\"007%\"",
            "\"100.5%\"",
            "\"1.2.3%\"",
            "\"15 %\"",
        ] {
            let refused = share(json).expect_err(json);
            assert!(refused.contains("expected a share from 0 to 1"), "{json}: {refused}");
        }
    }

    #[test]
    fn amounts_are_finite_and_not_negative() {
        for (json, value) in [("0", 0.0), ("2", 2.0), ("0.384", 0.384), ("-0.0", 0.0)] {
            let amount: Amount = serde_json::from_str(json).expect(json);
            assert!(amount.value() == value && amount.value().is_sign_positive(), "{json}");
        }
        for json in ["-1", "-0.5", "\"7\"", "\"7%\"", "null", "[]"] {
            assert!(serde_json::from_str::<Amount>(json).is_err(), "{json}");
        }
    }
}
