//! The registry at /v2/, by the text of OCI distribution-spec 1.1: each test of a clause is named after it.
mod access;
mod discovery;
mod evidence;
mod generated;
mod hostile;
mod pull;
mod referrers;
mod repository;
