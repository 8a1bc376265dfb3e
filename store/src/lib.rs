//! Postgres by subject, and the object store.
