//! Outgoing webhooks: notifications that reach somebody, as signed CloudEvents.
//!
//! What is sent where is decided in tables (`store::webhooks`); here a dispatcher takes what is due,
//! makes the message, checks the target and sends. The API never sends by itself: whoever can reach
//! it can at most put a row into a table.
mod dispatcher;
mod message;
mod secret;
mod send;
mod target;

pub use dispatcher::Dispatcher;
pub use secret::{SigningSecret, sign};
pub use target::{AddressPolicy, BadUrl, Target, is_allowed};
