//! Coverage of the intervals on known models.
