//! Who calls the API: keys, the roles they have, and the short-lived tokens that are had for them.
//!
//! A key is `wt_<id>_<secret>`: the id is public and names it in lists and logs, the secret is 256
//! random bits of which only a SHA-256 is stored. It is exchanged for a token (a JWT, RFC 7519)
//! that every request carries, so that the secret travels rarely.
mod hs256;
mod key;
mod role;
mod token;

pub use key::{ApiKey, BadApiKey};
pub use role::Role;
pub use token::{BadToken, Claims, LIFETIME_SECONDS, TokenKey};
