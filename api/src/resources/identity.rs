//! Who calls: tokens, API keys, and what callers did.
pub(super) mod actions;
pub(super) mod api_keys;
pub(super) mod tokens;
