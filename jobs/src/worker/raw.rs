//! The wire as it comes: bytes that apalis does not try to read, for what it cannot read ends it.
use apalis_core::backend::codec::Codec;
use std::convert::Infallible;

/// A task's bytes.
#[derive(Clone, Debug)]
pub(crate) struct Raw(pub(crate) Vec<u8>);

/// Hands bytes through.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct RawCodec;

impl Codec<Raw> for RawCodec {
    type Error = Infallible;
    type Compact = Vec<u8>;

    fn encode(&self, raw: &Raw) -> Result<Vec<u8>, Infallible> {
        Ok(raw.0.clone())
    }

    fn decode(&self, bytes: &Vec<u8>) -> Result<Raw, Infallible> {
        Ok(Raw(bytes.clone()))
    }
}
