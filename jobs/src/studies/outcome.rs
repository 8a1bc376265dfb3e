//! What came of a batch, as it is stored: MessagePack, which keeps every bit of a number, compressed.
use documents::gzip;
use study::campaign::Played;

/// More than any batch needs: 32 replications of all arms.
const MAX_BYTES: usize = 256 << 20;

/// Writes it.
pub(super) fn encode(played: &Played) -> Result<Vec<u8>, String> {
    let plain = rmp_serde::to_vec_named(played).map_err(|error| error.to_string())?;
    Ok(gzip::compress_fast(&plain))
}

/// Reads it.
pub(super) fn decode(stored: &[u8]) -> Result<Played, String> {
    let plain = gzip::decompress(stored, MAX_BYTES).map_err(|error| error.to_string())?;
    rmp_serde::from_slice(&plain).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use study::measure::{Curve, Outcome, Sample};

    #[test]
    fn every_bit_comes_back() {
        let mut outcome = Outcome {
            builder_hours: 0.1 + 0.2,
            busy_hours: f64::MIN_POSITIVE,
            exposure_days: vec![[1.0 / 3.0, 0.0, -0.0, 1e300]],
            builds: u64::MAX,
            ..Outcome::default()
        };
        outcome.time_to_fix[1] = Curve(vec![(7, Sample { ended: 3, censored: 1 })]);
        outcome.deadlines.0.entry(5).or_default().insert((2, u32::MAX), 9);
        let played = Played { outcomes: vec![vec![outcome.clone(), Outcome::default()]] };
        let back = decode(&encode(&played).unwrap()).unwrap();
        assert_eq!(back, played);
        let bits = |played: &Played| played.outcomes[0][0].exposure_days[0].map(f64::to_bits);
        assert_eq!(bits(&back), bits(&played));
        assert!(decode(b"nothing of the kind").is_err());
    }
}
