//! The documents of the supply chain: bytes in, bytes out, pure.
