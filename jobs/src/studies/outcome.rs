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
    use crate::studies::compile_stored;
    use std::sync::atomic::AtomicBool;
    use store::studies::running::Text;
    use study::campaign::{Batch, play};

    #[test]
    fn every_bit_of_a_played_batch_comes_back() {
        let study = "name: one\ntitle: One\nscenario: classroom\nhorizon: 5d\nwarm_up: 1d\n\
                     replications: 2\ngrid:\n  builders.count: [1, 2]\n";
        let scenario = sim::bundled::BUNDLED.iter().find(|of| of.name == "classroom").unwrap();
        let scenarios = serde_json::json!([{"name": "classroom", "text": scenario.text}]);
        let compiled = compile_stored(&Text { study: study.to_owned(), scenarios }).unwrap();
        let batch = Batch { round: 0, place: 0, variation: 0, first: 0, count: 2 };
        let mut played = play(&compiled, &batch, &AtomicBool::new(false)).unwrap();
        played.outcomes[0][0].builder_hours = 0.1 + 0.2;
        played.outcomes[0][0].busy_hours = f64::MIN_POSITIVE;
        played.outcomes[0][1].builder_hours = -0.0;
        played.outcomes[0][1].builds = u64::MAX;
        let back = decode(&encode(&played).unwrap()).unwrap();
        assert_eq!(back, played);
        assert_eq!(format!("{back:?}"), format!("{played:?}"));
        assert!(decode(b"nothing of the kind").is_err());
    }
}
