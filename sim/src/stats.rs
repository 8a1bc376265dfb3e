//! Statistics over facts.
